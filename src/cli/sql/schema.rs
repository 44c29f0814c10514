//! `ccwatch sql --schema`: the public views, in words.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::cli::Failure;
use crate::cli::output::{self, Format};
use crate::history::VIEWS;

/// A column, for machines.
#[derive(Default, Serialize)]
struct Row {
    view: &'static str,
    column: &'static str,
    about: &'static str,
}

pub(super) fn print(format: Format) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    if format == Format::Table {
        for view in VIEWS {
            writeln!(out, "{}: {}", view.name, view.about)?;
            let widest = view.columns.iter().map(|column| column.name.len()).max();
            let width = widest.unwrap_or_default();
            for column in view.columns {
                writeln!(out, "  {:width$}  {}", column.name, column.about)?;
            }
            writeln!(out)?;
        }
        writeln!(
            out,
            "Times are text, ISO 8601 in UTC with milliseconds. The views keep their names and columns; the tables under them \
             may change."
        )?;
    } else {
        let rows = VIEWS.iter().flat_map(|view| {
            view.columns.iter().map(|column| Row {
                view: view.name,
                column: column.name,
                about: column.about,
            })
        });
        output::write_rows(&mut out, &rows.collect::<Vec<_>>(), format)?;
    }
    Ok(out.flush()?)
}
