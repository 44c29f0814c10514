//! Rows that are listed: a table that needs all of them, or records that are written as they are read.

use std::io::{BufWriter, Write};
use std::ops::ControlFlow;

use comfy_table::Cell;
use serde::Serialize;

use super::Failure;
use super::output::{self, Format, Rows};

/// What a table says besides its rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing<'a> {
    pub(super) headings: &'a [&'a str],
    /// Said on standard error where there are none.
    pub(super) none: &'a str,
}

/// Shows the rows that `read` hands on, one after the other; in a table with the `cells` of each.
pub(super) fn show<R: Serialize>(
    format: Format,
    listing: Listing<'_>,
    read: impl FnOnce(&mut dyn FnMut(R) -> ControlFlow<()>) -> Result<(), Failure>,
    cells: impl Fn(&R) -> Vec<Cell>,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    if format == Format::Table {
        let mut table = output::table(listing.headings);
        read(&mut |row| {
            table.add_row(cells(&row));
            ControlFlow::Continue(())
        })?;
        if table.is_empty() {
            writeln!(std::io::stderr(), "{}", listing.none)?;
            return Ok(());
        }
        output::write_table(&mut out, &table)?;
        return Ok(out.flush()?);
    }
    let mut rows = Rows::new(&mut out, format);
    let mut written = Ok(());
    read(&mut |row| match rows.row(&row) {
        Ok(()) => ControlFlow::Continue(()),
        Err(failure) => {
            written = Err(failure);
            ControlFlow::Break(())
        }
    })?;
    written?;
    rows.end()?;
    Ok(out.flush()?)
}
