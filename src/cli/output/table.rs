//! Tables for people, which fit where they are shown.
//!
//! A terminal that is wide enough shows a table as it is. One that is not, but has [`NARROWEST`] columns, shows it with long
//! texts folded. In fewer columns a table is unreadable however it is folded, so each row becomes a block of lines, a
//! heading and its value on each. A pipe has no width: lines are left whole there, for `grep` and `awk`.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::{colour_of, wants_colour};
use crate::model::printable;

/// The fewest columns of a terminal in which a table is folded.
const NARROWEST: u16 = 100;
/// Between two columns.
const SPACE: u16 = 2;

/// A table without lines between its rows.
pub(in crate::cli) fn table(headings: &[&str]) -> Table {
    let mut table = bare();
    table.set_header(headings.iter().map(|heading| heading_cell(heading)));
    spaced(&mut table);
    table
}

/// A cell with text from anywhere; absent text is a dash.
pub(in crate::cli) fn cell(text: Option<&str>) -> Cell {
    Cell::new(printable(text.unwrap_or("-")))
}

/// A cell with a request's or a hook's status, coloured by what it means.
pub(in crate::cli) fn status_cell(status: Option<&str>) -> Cell {
    coloured(cell(status), status)
}

/// A cell with a request's status and, of one that failed, why, in the service's word.
pub(in crate::cli) fn outcome_cell(status: Option<&str>, error_code: Option<&str>) -> Cell {
    match error_code {
        None => status_cell(status),
        Some(code) => coloured(cell(Some(&format!("{} ({code})", status.unwrap_or("-")))), status),
    }
}

fn coloured(cell: Cell, status: Option<&str>) -> Cell {
    match colour_of(status.unwrap_or_default()) {
        Some(colour) if wants_colour() => cell.fg(colour),
        _ => cell,
    }
}

/// Puts what is in a column, numbers say, to its right edge.
pub(in crate::cli) fn align_right(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// Writes a table so that it fits.
pub(in crate::cli) fn write_table(out: &mut impl Write, table: &Table) -> io::Result<()> {
    write_within(out, table, terminal_width())
}

/// Writes what is known of one thing, a name and a value on each line, so that it fits.
pub(in crate::cli) fn write_facts<'a>(
    out: &mut impl Write,
    facts: impl IntoIterator<Item = (&'a str, Cell)>,
) -> io::Result<()> {
    write_block(out, facts, terminal_width())
}

/// Rows that are written as they come, each so that it fits: in columns that stand still however many follow, or as blocks,
/// for what follows may need more columns than the first.
#[derive(Debug)]
pub(in crate::cli) struct Stream<'a> {
    headings: &'a [&'a str],
    /// How wide the first columns are at least.
    widths: &'a [u16],
    is_empty: bool,
}

impl<'a> Stream<'a> {
    pub(in crate::cli) fn new(headings: &'a [&'a str], widths: &'a [u16]) -> Self {
        Self {
            headings,
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
        let Some(width) = width else {
            // As below, but whole however long, and without what it costs to fold: there may be millions.
            let widths = self.widths.iter().copied().map(usize::from).chain(std::iter::repeat(0));
            let texts = cells.iter().zip(widths);
            let texts: Vec<_> = texts
                .map(|(cell, width)| format!("{:width$}", cell.content()))
                .collect();
            return writeln!(out, "{}", texts.join("  ").trim_end());
        };
        if width < NARROWEST {
            if !is_first {
                writeln!(out)?;
            }
            return write_block(out, self.headings.iter().copied().zip(cells), Some(width));
        }
        let mut row = bare();
        row.add_row(cells);
        spaced(&mut row);
        for (column, width) in row.column_iter_mut().zip(self.widths) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width + SPACE)));
        }
        fold(&mut row, width);
        write_lines(out, &row)
    }
}

/// Whether tables are shown as blocks.
pub(in crate::cli) fn is_narrow() -> bool {
    terminal_width().is_some_and(|width| width < NARROWEST)
}

fn terminal_width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    // Some terminals say that they have no columns.
    Table::new().width().filter(|width| *width > 0)
}

/// Trailing blanks, which padding leaves, are cut.
fn write_within(out: &mut impl Write, table: &Table, width: Option<u16>) -> io::Result<()> {
    let needed = table
        .column_max_content_widths()
        .into_iter()
        .fold(0, |all: u16, column| all.saturating_add(column).saturating_add(SPACE))
        .saturating_sub(SPACE);
    match width {
        Some(width) if needed > width && width < NARROWEST => write_blocks(out, table, width),
        Some(width) if needed > width => {
            let mut folded = table.clone();
            fold(&mut folded, width);
            write_lines(out, &folded)
        }
        _ => write_lines(out, table),
    }
}

fn write_lines(out: &mut impl Write, table: &Table) -> io::Result<()> {
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Each row as lines of a heading and its value.
fn write_blocks(out: &mut impl Write, table: &Table, width: u16) -> io::Result<()> {
    let headings: Vec<String> = table
        .header()
        .map(|header| header.cell_iter().map(Cell::content).collect())
        .unwrap_or_default();
    for (number, row) in table.row_iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        let headings = headings.iter().map(String::as_str);
        write_block(out, headings.zip(row.cell_iter().cloned()), Some(width))?;
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

/// Folds long texts, so that the table is no wider than that.
fn fold(table: &mut Table, width: u16) {
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
}

/// Without lines, and not folded.
fn bare() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_width(u16::MAX);
    table
}

fn spaced(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, SPACE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: Option<u16>) -> String {
        let mut table = table(&["STATUS", "IDENTIFIER"]);
        table.add_row([status_cell(Some("FAILED")), cell(Some(&"a-long-name ".repeat(10)))]);
        table.add_row([status_cell(None), cell(Some("\u{1b}[2J測試"))]);
        let mut out = Vec::new();
        write_within(&mut out, &table, width).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_failure_is_shown_with_its_reason_in_columns_and_in_blocks() {
        let shown = |width| {
            let mut table = table(&["STATUS", "IDENTIFIER"]);
            table.add_row([outcome_cell(Some("FAILED"), Some("Throttling")), cell(Some("orders"))]);
            table.add_row([outcome_cell(Some("SUCCESS"), None), cell(Some("logs"))]);
            table.add_row([outcome_cell(None, None), cell(None)]);
            let mut out = Vec::new();
            write_within(&mut out, &table, width).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            shown(None),
            "STATUS               IDENTIFIER\nFAILED (Throttling)  orders\nSUCCESS              logs\n-                    -\n"
        );
        let blocks = shown(Some(30));
        assert!(
            blocks.starts_with(
                "STATUS      FAILED\n            (Throttling)\nIDENTIFIER  orders\n\nSTATUS      SUCCESS\n"
            ),
            "{blocks}"
        );
    }

    #[test]
    fn a_pipe_and_a_wide_terminal_show_whole_lines() {
        for width in [None, Some(u16::MAX)] {
            let shown = shown(width);
            assert_eq!(shown.lines().count(), 3, "{shown}");
            assert!(shown.lines().all(|line| line == line.trim_end()), "{shown}");
        }
    }

    #[test]
    fn a_terminal_of_a_hundred_columns_folds_and_one_of_twenty_shows_blocks() {
        let folded = shown(Some(100));
        assert_eq!(folded.lines().count(), 4, "{folded}");
        let blocks = shown(Some(20));
        assert!(blocks.starts_with("STATUS      FAILED\nIDENTIFIER  a-"), "{blocks}");
        assert!(blocks.contains("\n\nSTATUS      -\n"), "{blocks}");
        for width in [20, 99, 100] {
            let shown = shown(Some(width));
            assert!(
                shown.lines().all(|line| line.chars().count() <= usize::from(width)),
                "{shown}"
            );
        }
    }

    fn streamed(width: Option<u16>) -> String {
        let mut stream = Stream::new(&["SEEN", "STATUS", "WHAT"], &[11, 23]);
        let mut out = Vec::new();
        for (status, what) in [
            ("FAILED", "a-long-name ".repeat(12)),
            ("HOOK_COMPLETE_SUCCEEDED", "short".to_owned()),
        ] {
            let cells = vec![cell(Some("1m ago")), status_cell(Some(status)), cell(Some(&what))];
            stream.row_within(&mut out, cells, width).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_that_come_one_by_one_stand_in_the_same_columns() {
        for width in [None, Some(u16::MAX), Some(100)] {
            let shown = streamed(width);
            let starts = |what: &str| shown.lines().find_map(|line| line.find(what));
            assert_eq!(starts("FAILED"), Some(13), "{shown}");
            assert_eq!(starts("HOOK_"), Some(13), "{shown}");
            assert_eq!((starts("a-long"), starts("short")), (Some(38), Some(38)), "{shown}");
            assert_eq!(shown.lines().count(), if width == Some(100) { 4 } else { 2 }, "{shown}");
        }
    }

    #[test]
    fn rows_that_come_one_by_one_are_blocks_where_it_is_narrow() {
        for width in [20, 60, 99] {
            let shown = streamed(Some(width));
            assert!(
                shown.starts_with("SEEN    1m ago\nSTATUS  FAILED\nWHAT    a-long"),
                "{shown}"
            );
            assert!(shown.contains("\n\nSEEN    1m ago\nSTATUS  HOOK_"), "{shown}");
            let fits = |line: &str| line.chars().count() <= usize::from(width);
            assert!(shown.lines().all(fits), "{shown}");
        }
    }

    #[test]
    fn facts_are_lines_at_any_width() {
        let facts = |width| {
            let mut out = Vec::new();
            let long = "a-long-name ".repeat(4);
            let facts = [("REQUEST", cell(Some("aaaa1111"))), ("message", cell(Some(&long)))];
            write_block(&mut out, facts, width).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(facts(None).lines().count(), 2);
        for width in [20, 60] {
            let shown = facts(Some(width));
            assert!(shown.starts_with("REQUEST  aaaa1111\nmessage  a-long"), "{shown}");
            let fits = |line: &str| line.chars().count() <= usize::from(width);
            assert!(shown.lines().all(fits), "{shown}");
        }
    }

    #[test]
    fn no_width_is_too_narrow_to_be_shown() {
        for width in 1..20 {
            assert!(shown(Some(width)).contains('F'), "{width}");
        }
    }
}
