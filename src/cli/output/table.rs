//! Tables for people, which fit where they are shown.
//!
//! A terminal that is wide enough shows a table as it is; [`columns`](super::columns) says what becomes of it in another. In
//! the fewest columns each row becomes a block of lines, a heading and its value on each. A pipe has no width: lines are left
//! whole there, for `grep` and `awk`.

use std::io::{self, IsTerminal, Write};

use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table as Lines, Width, presets,
};

use super::columns::{Column, LEAST_BAR, Layout, Needs, SPACE, arrange, cut};
use super::{colour_of, wants_colour};
use crate::model::printable;

/// What stands below a row is so far from the left.
const INDENT: u16 = 2;
/// A blank at which no line is broken. It is written as any other.
const UNBROKEN: &str = "\u{a0}";

/// Rows that stand below each other.
#[derive(Debug)]
pub(in crate::cli) struct Table<'a> {
    columns: Vec<Column<'a>>,
    rows: Vec<Vec<Cell>>,
}

impl<'a> Table<'a> {
    pub(in crate::cli) fn new(columns: impl Into<Vec<Column<'a>>>) -> Self {
        Self {
            columns: columns.into(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, with a cell for each column.
    pub(in crate::cli) fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    pub(in crate::cli) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How much room a bar has in a terminal of so many columns; `None` if it had better be left out.
    pub(in crate::cli) fn room(&self, column: usize, width: Option<u16>) -> Option<usize> {
        match self.layout(width) {
            Layout::Columns { beside, .. } => {
                let shown = beside.into_iter().find(|(number, _)| *number == column);
                shown.map(|(_, width)| width)
            }
            Layout::Blocks => {
                let headings = self.columns.iter().map(|column| Needs::of(column.heading).all);
                let room = usize::from(width?).checked_sub(headings.max()? + usize::from(SPACE))?;
                (room >= LEAST_BAR).then_some(room)
            }
        }
    }

    /// Writes it so that it fits.
    pub(in crate::cli) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.write_within(out, terminal_width())
    }

    /// The same, in a terminal of so many columns; elsewhere (`None`) whole.
    pub(in crate::cli) fn write_within(&self, out: &mut impl Write, width: Option<u16>) -> io::Result<()> {
        let headings = self.columns.iter().map(|column| column.heading);
        match self.layout(width) {
            Layout::Columns { beside, below } => {
                let headings: Vec<Cell> = headings.map(heading_cell).collect();
                for cells in std::iter::once(&headings).chain(&self.rows) {
                    write_row(out, &self.columns, cells, (&beside, &below), width)?;
                }
            }
            Layout::Blocks => {
                for (number, cells) in self.rows.iter().enumerate() {
                    if number > 0 {
                        writeln!(out)?;
                    }
                    write_block(out, headings.clone().zip(cells.iter().cloned()), width)?;
                }
            }
        }
        Ok(())
    }

    /// Writes what the columns mean, but for those that have no room: headings, and what is to be said of them.
    pub(in crate::cli) fn write_legend(&self, out: &mut impl Write, legend: &[(&[&str], &str)]) -> io::Result<()> {
        self.write_legend_within(out, legend, terminal_width())
    }

    /// The same, in a terminal of so many columns.
    pub(in crate::cli) fn write_legend_within(
        &self,
        out: &mut impl Write,
        legend: &[(&[&str], &str)],
        width: Option<u16>,
    ) -> io::Result<()> {
        let layout = self.layout(width);
        let is_shown = |heading: &str| {
            let mut columns = self.columns.iter().enumerate();
            columns.any(|(number, column)| column.heading == heading && layout.shows(number))
        };
        for (headings, text) in legend {
            let shown: Vec<&str> = headings.iter().copied().filter(|heading| is_shown(heading)).collect();
            if !shown.is_empty() {
                write_text_within(out, &format!("{}: {text}", shown.join(", ")), width)?;
            }
        }
        Ok(())
    }

    fn layout(&self, room: Option<u16>) -> Layout {
        let mut needs: Vec<Needs> = self.columns.iter().map(|column| Needs::of(column.heading)).collect();
        for cells in &self.rows {
            for (needs, cell) in needs.iter_mut().zip(cells) {
                *needs = needs.and(Needs::of(&cell.content()));
            }
        }
        arrange(&self.columns, &needs, room.map(usize::from))
    }
}

/// A cell with text from anywhere; absent text is a dash.
pub(in crate::cli) fn cell(text: Option<&str>) -> Cell {
    Cell::new(printable(text.unwrap_or("-")))
}

/// A cell with a request's or a hook's status, coloured by what it means.
pub(in crate::cli) fn status_cell(status: Option<&str>) -> Cell {
    coloured(cell(status), status)
}

/// The same, with a note on it: why it failed, say. Where it is folded, the note is on one line.
pub(in crate::cli) fn noted_status_cell(status: Option<&str>, note: Option<&str>) -> Cell {
    match note {
        None => status_cell(status),
        Some(note) => {
            let note = note.replace(' ', UNBROKEN);
            coloured(cell(Some(&format!("{} ({note})", status.unwrap_or("-")))), status)
        }
    }
}

fn coloured(cell: Cell, status: Option<&str>) -> Cell {
    match colour_of(status.unwrap_or_default()) {
        Some(colour) if wants_colour() => cell.fg(colour),
        _ => cell,
    }
}

/// Writes what is known of one thing, a name and a value on each line, so that it fits.
pub(in crate::cli) fn write_facts<'a>(
    out: &mut impl Write,
    facts: impl IntoIterator<Item = (&'a str, Cell)>,
) -> io::Result<()> {
    write_block(out, facts, terminal_width())
}

/// Writes sentences. Their lines are made anew where the terminal has too few columns for them.
fn write_text_within(out: &mut impl Write, text: &str, width: Option<u16>) -> io::Result<()> {
    let longest = text.lines().map(|line| Needs::of(line).all).max().unwrap_or_default();
    match width {
        Some(width) if longest > usize::from(width) => {
            let mut lines = bare();
            lines.add_row([Cell::new(text.replace('\n', " "))]);
            if let Some(column) = lines.column_mut(0) {
                column.set_padding((0, 0));
            }
            fold(&mut lines, width);
            write_lines(out, &lines)
        }
        _ => writeln!(out, "{text}"),
    }
}

/// Rows that are written as they come, each so that it fits: in columns that stand still however many follow, or as blocks,
/// for what follows may need more columns than the first.
#[derive(Debug)]
pub(in crate::cli) struct Stream<'a> {
    columns: &'a [Column<'a>],
    /// How wide the columns are but for the last, which is as wide as there is room.
    widths: &'a [u16],
    is_empty: bool,
}

impl<'a> Stream<'a> {
    pub(in crate::cli) fn new(columns: &'a [Column<'a>], widths: &'a [u16]) -> Self {
        Self {
            columns,
            widths,
            is_empty: true,
        }
    }

    /// Whether no row came yet.
    pub(in crate::cli) fn is_empty(&self) -> bool {
        self.is_empty
    }

    pub(in crate::cli) fn row(&mut self, out: &mut impl Write, cells: Vec<Cell>) -> io::Result<()> {
        self.row_within(out, cells, terminal_width())
    }

    fn row_within(&mut self, out: &mut impl Write, cells: Vec<Cell>, width: Option<u16>) -> io::Result<()> {
        let is_first = std::mem::replace(&mut self.is_empty, false);
        let widths = self.widths.iter().copied().map(usize::from);
        let Some(room) = width.map(usize::from) else {
            // As below, but whole however long, and without what it costs to fold: there may be millions.
            let texts = cells.iter().zip(widths.chain(std::iter::repeat(0)));
            let texts: Vec<_> = texts
                .map(|(cell, width)| format!("{:width$}", cell.content()))
                .collect();
            return writeln!(out, "{}", texts.join("  ").trim_end());
        };
        let needs: Vec<Needs> = widths.chain([usize::from(u16::MAX)]).map(Needs::exactly).collect();
        match arrange(self.columns, &needs, Some(room)) {
            Layout::Columns { beside, below } => write_row(out, self.columns, &cells, (&beside, &below), width),
            Layout::Blocks => {
                if !is_first {
                    writeln!(out)?;
                }
                let headings = self.columns.iter().map(|column| column.heading);
                write_block(out, headings.zip(cells), width)
            }
        }
    }
}

/// How many columns the terminal has; `None` where standard output is none.
pub(in crate::cli) fn terminal_width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    // Some terminals say that they have no columns.
    Lines::new().width().filter(|width| *width > 0)
}

/// Writes a row: the cells that stand beside each other, and below them those for which that leaves no room.
fn write_row(
    out: &mut impl Write,
    columns: &[Column<'_>],
    cells: &[Cell],
    (beside, below): (&[(usize, usize)], &[usize]),
    width: Option<u16>,
) -> io::Result<()> {
    let mut line = bare();
    let shown = beside.iter().filter_map(|(number, width)| {
        let (column, cell) = (columns.get(*number)?, cells.get(*number)?);
        let text = cut(&cell.content(), column.shape, *width);
        let cell = text.map_or_else(|| cell.clone(), Cell::new);
        Some(if column.is_right {
            cell.set_alignment(CellAlignment::Right)
        } else {
            cell
        })
    });
    line.add_row(shown);
    for (place, (column, (_, width))) in line.column_iter_mut().zip(beside).enumerate() {
        // Blanks after the last would be too many for a terminal, and have colours that keep them from being cut.
        let space = if place + 1 < beside.len() { SPACE } else { 0 };
        let width = u16::try_from(*width).unwrap_or(u16::MAX).saturating_add(space);
        column
            .set_padding((0, space))
            .set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
    }
    write_lines(out, &line)?;
    let texts = below.iter().filter_map(|number| cells.get(*number));
    for text in texts.filter(|cell| !matches!(cell.content().as_str(), "" | "-")) {
        let mut line = bare();
        line.add_row([text.clone()]);
        if let Some(column) = line.column_mut(0) {
            column.set_padding((INDENT, 0));
        }
        if let Some(width) = width {
            fold(&mut line, width);
        }
        write_lines(out, &line)?;
    }
    Ok(())
}

/// Trailing blanks, which padding leaves, are cut.
fn write_lines(out: &mut impl Write, lines: &Lines) -> io::Result<()> {
    for line in lines.lines() {
        writeln!(out, "{}", line.trim_end().replace(UNBROKEN, " "))?;
    }
    Ok(())
}

/// Lines of a heading and its value.
fn write_block<'a>(
    out: &mut impl Write,
    lines: impl IntoIterator<Item = (&'a str, Cell)>,
    width: Option<u16>,
) -> io::Result<()> {
    let mut block = bare();
    for (heading, value) in lines {
        block.add_row([heading_cell(heading), value.set_alignment(CellAlignment::Left)]);
    }
    if let Some(heading) = block.column_mut(0) {
        heading
            .set_padding((0, SPACE))
            .set_constraint(ColumnConstraint::ContentWidth);
    }
    if let Some(value) = block.column_mut(1) {
        value.set_padding((0, 0));
    }
    if let Some(width) = width {
        fold(&mut block, width);
    }
    write_lines(out, &block)
}

fn heading_cell(heading: &str) -> Cell {
    let cell = Cell::new(printable(heading));
    if wants_colour() {
        cell.add_attribute(Attribute::Bold)
    } else {
        cell
    }
}

/// Folds long texts, so that they are no wider than that.
fn fold(lines: &mut Lines, width: u16) {
    lines
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
}

/// Without lines, and not folded.
fn bare() -> Lines {
    let mut lines = Lines::new();
    lines
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_width(u16::MAX);
    lines
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
