//! Rows whose columns are known only when they come, written as they come: what SQL answers.
//!
//! JSON lines, JSON and CSV hold one row at a time, however many there are. A table must know its widest cell before its
//! first line, so it is kept whole, and cut: a cell at [`TABLE_CELL`], all of it at [`TABLE_ROWS`] rows or [`TABLE_BYTES`] of
//! text, the blanks that fill its columns included. More is no reading for people.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Cell, CellAlignment};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Column, Format, Table, cell, of_csv, status_cell, write_json_line};
use crate::cli::Failure;
use crate::history::SqlValue;
use crate::model::printable;

/// The most rows of a table.
const TABLE_ROWS: usize = 10_000;
/// The most text of a value in a table, in bytes.
const TABLE_CELL: usize = 4096;
/// The most text in a table, in bytes, each cell as wide as its column.
const TABLE_BYTES: usize = 64 * 1024 * 1024;

/// Takes rows, and writes them in a format.
pub(in crate::cli) struct Answers<W: Write> {
    names: Vec<String>,
    shape: Shape<W>,
}

enum Shape<W: Write> {
    Table {
        out: W,
        rows: Vec<Vec<Cell>>,
        widths: Vec<usize>,
    },
    Json {
        out: W,
        is_empty: bool,
    },
    Jsonl {
        out: W,
    },
    Csv {
        csv: Box<csv::Writer<W>>,
        for_terminal: bool,
    },
}

/// Whether another row can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Room {
    Left,
    Full,
}

impl<W: Write> Answers<W> {
    /// Begins with the columns' names. The second of two that are the same is called `name:2`: in a JSON object it would
    /// take the place of the first.
    pub(in crate::cli) fn begin(out: W, columns: &[String], format: Format) -> Result<Self, Failure> {
        let names = told_apart(columns);
        let mut answers = Self {
            shape: match format {
                Format::Table => Shape::Table {
                    out,
                    rows: Vec::new(),
                    widths: names.iter().map(String::len).collect(),
                },
                Format::Json => Shape::Json { out, is_empty: true },
                Format::Jsonl => Shape::Jsonl { out },
                Format::Csv => Shape::Csv {
                    csv: Box::new(csv::Writer::from_writer(out)),
                    for_terminal: io::stdout().is_terminal(),
                },
            },
            names,
        };
        match &mut answers.shape {
            Shape::Json { out, .. } => write!(out, "[")?,
            Shape::Csv { csv, for_terminal } => {
                let names = answers.names.iter();
                let fields = names.map(|name| field(name.clone(), *for_terminal));
                csv.write_record(fields).map_err(of_csv)?;
            }
            Shape::Table { .. } | Shape::Jsonl { .. } => {}
        }
        Ok(answers)
    }

    pub(in crate::cli) fn row(&mut self, values: &[SqlValue<'_>]) -> Result<Room, Failure> {
        let row = Row {
            names: &self.names,
            values,
        };
        match &mut self.shape {
            Shape::Table { rows, widths, .. } => {
                if rows.len() >= TABLE_ROWS {
                    return Ok(Room::Full);
                }
                let texts: Vec<_> = values.iter().map(|value| cut_text(*value)).collect();
                let wider = widths.iter().zip(&texts);
                let wider: Vec<usize> = wider
                    .map(|(width, text)| text.as_ref().map_or(1, String::len).max(*width))
                    .collect();
                // A first row is always shown: it has at most 2,000 columns.
                if !rows.is_empty() && wider.iter().sum::<usize>() * (rows.len() + 1) > TABLE_BYTES {
                    return Ok(Room::Full);
                }
                let cells = values.iter().zip(&texts);
                rows.push(cells.map(|(value, text)| cell_of(*value, text.as_deref())).collect());
                *widths = wider;
            }
            Shape::Json { out, is_empty } => {
                write!(out, "{}", if *is_empty { "\n" } else { "," })?;
                *is_empty = false;
                write_json_line(out, &row)?;
            }
            Shape::Jsonl { out } => write_json_line(out, &row)?,
            Shape::Csv { csv, for_terminal } => {
                let fields = values
                    .iter()
                    .map(|value| field(text(*value).unwrap_or_default(), *for_terminal));
                csv.write_record(fields).map_err(of_csv)?;
            }
        }
        Ok(Room::Left)
    }

    /// Makes what is left to write, so that the work is over before anyone takes it.
    pub(in crate::cli) fn end(self) -> Result<Ending<W>, Failure> {
        let mut left = Vec::new();
        let out = match self.shape {
            Shape::Table { out, rows, .. } => {
                let columns: Vec<Column<'_>> = self.names.iter().map(|name| Column::text(name)).collect();
                let mut table = Table::new(columns);
                for cells in rows {
                    table.row(cells);
                }
                table.write(&mut left)?;
                out
            }
            Shape::Json { out, .. } => {
                writeln!(left, "]")?;
                out
            }
            Shape::Jsonl { out } => out,
            Shape::Csv { csv, .. } => csv
                .into_inner()
                .map_err(|error| io::Error::from(error.error().kind()))?,
        };
        Ok(Ending { out, left })
    }
}

/// What is left to write of answers.
pub(in crate::cli) struct Ending<W: Write> {
    out: W,
    left: Vec<u8>,
}

impl<W: Write> Ending<W> {
    pub(in crate::cli) fn write(mut self) -> Result<(), Failure> {
        self.out.write_all(&self.left)?;
        Ok(self.out.flush()?)
    }
}

fn told_apart(columns: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        let mut name = column.clone();
        let mut number = 2;
        // Also a later column that is called `x:2` by itself must not be taken for the second `x`.
        while names.contains(&name) || (number > 2 && columns.contains(&name)) {
            name = format!("{column}:{number}");
            number += 1;
        }
        names.push(name);
    }
    names
}

/// A value as text; `None` for NULL.
fn text(value: SqlValue<'_>) -> Option<String> {
    match value {
        SqlValue::Null => None,
        SqlValue::Integer(number) => Some(number.to_string()),
        // As SQLite writes it: a real number shows that it is one.
        SqlValue::Real(number) => Some(format!("{number:?}")),
        SqlValue::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        SqlValue::Blob(blob) => Some(hex(blob)),
    }
}

/// The same, of which a table shows the beginning, and says how long it is.
fn cut_text(value: SqlValue<'_>) -> Option<String> {
    let (all, beginning) = match value {
        SqlValue::Text(all) if all.len() > TABLE_CELL => {
            let beginning = &all[..TABLE_CELL];
            // A character that is cut is left out; bytes that are none stay, and are shown as such.
            let whole = match str::from_utf8(beginning) {
                Err(error) if error.error_len().is_none() => &beginning[..error.valid_up_to()],
                _ => beginning,
            };
            (all, SqlValue::Text(whole))
        }
        SqlValue::Blob(all) if all.len() > TABLE_CELL / 2 => (all, SqlValue::Blob(&all[..TABLE_CELL / 2])),
        short => return text(short),
    };
    text(beginning).map(|beginning| format!("{beginning}… ({} bytes)", all.len()))
}

fn hex(blob: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    blob.iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

fn cell_of(value: SqlValue<'_>, text: Option<&str>) -> Cell {
    match value {
        SqlValue::Integer(_) | SqlValue::Real(_) => cell(text).set_alignment(CellAlignment::Right),
        _ => status_cell(text),
    }
}

fn field(text: String, for_terminal: bool) -> String {
    if for_terminal {
        printable(&text).into_owned()
    } else {
        text
    }
}

/// A row as a JSON object.
struct Row<'a> {
    names: &'a [String],
    values: &'a [SqlValue<'a>],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (name, value) in self.names.iter().zip(self.values) {
            match value {
                SqlValue::Null => map.serialize_entry(name, &())?,
                SqlValue::Integer(number) => map.serialize_entry(name, number)?,
                SqlValue::Real(number) if number.is_finite() => map.serialize_entry(name, number)?,
                // JSON has no infinity, and null would say that there is no value.
                SqlValue::Real(number) => {
                    map.serialize_entry(name, if *number > 0.0 { "Infinity" } else { "-Infinity" })?;
                }
                SqlValue::Text(text) => map.serialize_entry(name, &String::from_utf8_lossy(text))?,
                SqlValue::Blob(blob) => map.serialize_entry(name, &hex(blob))?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
