//! Rows as lines: JSON, CSV.

use std::borrow::Cow;
use std::io::Write;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::Sink;
use crate::cli::Failure;
use crate::cli::output::{self, of_csv};
use crate::history::{Cell, PublicColumn, View};
use crate::model::printable;

pub(super) struct JsonLines<W> {
    columns: &'static [PublicColumn],
    out: W,
}

impl<W: Write> JsonLines<W> {
    pub(super) fn new(view: View, out: W) -> Self {
        Self {
            columns: view.columns(),
            out,
        }
    }
}

impl<W: Write> Sink for JsonLines<W> {
    fn row(&mut self, cells: Vec<Cell>) -> Result<(), Failure> {
        let record = Record {
            columns: self.columns,
            cells: &cells,
        };
        output::write_json_line(&mut self.out, &record)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }
}

/// An object, with the columns in their order.
struct Record<'a> {
    columns: &'static [PublicColumn],
    cells: &'a [Cell],
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.cells.len()))?;
        for (column, cell) in self.columns.iter().zip(self.cells) {
            map.serialize_key(column.name)?;
            match cell {
                Cell::Absent => map.serialize_value(&())?,
                Cell::Text(text) => map.serialize_value(text)?,
                Cell::Integer(number) => map.serialize_value(number)?,
                Cell::Real(number) => map.serialize_value(number)?,
                Cell::Bool(yes) => map.serialize_value(yes)?,
                Cell::Time(time) => map.serialize_value(time)?,
            }
        }
        map.end()
    }
}

pub(super) struct Csv<W: Write> {
    out: csv::Writer<W>,
    /// CSV has no spelling for what moves a cursor, so on a terminal it is replaced.
    for_terminal: bool,
}

impl<W: Write> Csv<W> {
    /// The names of the columns come first, with no rows too.
    pub(super) fn new(view: View, out: W, for_terminal: bool) -> Result<Self, Failure> {
        let mut out = csv::Writer::from_writer(out);
        let names = view.columns().iter().map(|column| column.name);
        out.write_record(names).map_err(of_csv)?;
        Ok(Self { out, for_terminal })
    }
}

impl<W: Write> Sink for Csv<W> {
    fn row(&mut self, cells: Vec<Cell>) -> Result<(), Failure> {
        for cell in cells {
            let field: Cow<'_, str> = match &cell {
                Cell::Absent => "".into(),
                Cell::Text(text) if self.for_terminal => printable(text),
                Cell::Text(text) => text.into(),
                Cell::Integer(number) => number.to_string().into(),
                // As SQLite writes it: a real number shows that it is one.
                Cell::Real(number) => format!("{number:?}").into(),
                Cell::Bool(yes) => if *yes { "1" } else { "0" }.into(),
                Cell::Time(time) => time.to_string().into(),
            };
            self.out.write_field(field.as_bytes()).map_err(of_csv)?;
        }
        // An empty record ends the line.
        Ok(self.out.write_record(None::<&[u8]>).map_err(of_csv)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_failure_of_csv() {
        let mut csv = Csv::new(View::Requests, Closed, false).unwrap();
        // More than is gathered before it is written.
        let long = Cell::Text("x".repeat(100_000));
        assert!(matches!(csv.row(vec![long]), Err(Failure::ClosedPipe)));
    }
}
