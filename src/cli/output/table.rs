//! Tables for people, which fit where they are shown.
//!
//! A terminal that is wide enough shows a table as it is. One that is not, but has [`NARROWEST`] columns, shows it with long
//! texts folded. In fewer columns a table is unreadable however it is folded, so each row becomes a block of lines, a
//! heading and its value on each. A pipe has no width: lines are left whole there, for `grep` and `awk`.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

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
    let cell = cell(status);
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
            folded
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
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
        let mut block = bare();
        for (heading, value) in headings.iter().zip(row.cell_iter()) {
            block.add_row([heading_cell(heading), value.clone().set_alignment(CellAlignment::Left)]);
        }
        spaced(&mut block);
        if let Some(heading) = block.column_mut(0) {
            heading.set_constraint(ColumnConstraint::ContentWidth);
        }
        block
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
        write_lines(out, &block)?;
    }
    Ok(())
}

fn heading_cell(heading: &str) -> Cell {
    let cell = Cell::new(printable(heading));
    if wants_colour() {
        cell.add_attribute(Attribute::Bold)
    } else {
        cell
    }
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

    #[test]
    fn no_width_is_too_narrow_to_be_shown() {
        for width in 1..20 {
            assert!(shown(Some(width)).contains('F'), "{width}");
        }
    }
}
