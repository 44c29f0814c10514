//! Rows for machines: JSON, JSON lines, CSV.
//!
//! Nothing that could move a cursor or turn the reading direction reaches a terminal: in JSON such characters are always
//! written as `\u…`, which is the same text to whoever parses it. CSV has no such spelling, so there they are replaced,
//! but only where standard output is a terminal: a file or a pipe gets the text as it is.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::marker::PhantomData;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::Format;
use super::flat::Flat;
use crate::cli::Failure;
use crate::model::{is_printable, printable};

/// Writes rows, each a flat struct, one after the other: nothing waits for the last of them.
#[derive(Debug)]
pub(in crate::cli) struct Rows<'o, W, R> {
    out: &'o mut W,
    format: Format,
    is_empty: bool,
    of: PhantomData<R>,
}

impl<'o, W: Write, R: Serialize + Default> Rows<'o, W, R> {
    /// For machines: [`Format::Table`], which needs all of its rows at once, is taken for JSON. CSV begins with the names of
    /// the columns, with no rows too: an empty row knows them.
    pub(in crate::cli) fn begin(out: &'o mut W, format: Format) -> Result<Self, Failure> {
        if format == Format::Csv {
            write_record(out, &Flat::of(&R::default())?.names)?;
        }
        Ok(Self {
            out,
            format,
            is_empty: true,
            of: PhantomData,
        })
    }

    pub(in crate::cli) fn row(&mut self, row: &R) -> Result<(), Failure> {
        let is_first = std::mem::replace(&mut self.is_empty, false);
        match self.format {
            Format::Table | Format::Json => {
                self.out.write_all(if is_first { b"[\n" } else { b",\n" })?;
                write_json_object(self.out, row)
            }
            Format::Jsonl => write_json_line(self.out, row),
            Format::Csv => write_record(self.out, &Flat::of(row)?.fields),
        }
    }

    /// What it writes to.
    pub(in crate::cli) fn out(&mut self) -> &mut W {
        self.out
    }

    pub(in crate::cli) fn end(self) -> Result<(), Failure> {
        match self.format {
            Format::Table | Format::Json if self.is_empty => writeln!(self.out, "[]")?,
            Format::Table | Format::Json => self.out.write_all(b"\n]\n")?,
            Format::Jsonl | Format::Csv => {}
        }
        Ok(self.out.flush()?)
    }
}

/// Writes rows that are all there.
pub(in crate::cli) fn write_rows<R: Serialize + Default>(
    out: &mut impl Write,
    rows: &[R],
    format: Format,
) -> Result<(), Failure> {
    let mut written = Rows::begin(out, format)?;
    rows.iter().try_for_each(|row| written.row(row))?;
    written.end()
}

/// Writes one thing as JSON over several lines.
pub(in crate::cli) fn write_json<T: Serialize>(out: &mut impl Write, thing: &T) -> Result<(), Failure> {
    let mut serializer = Serializer::with_formatter(&mut *out, Escaped(PrettyFormatter::new()));
    thing.serialize(&mut serializer).map_err(io::Error::from)?;
    Ok(writeln!(out)?)
}

/// Writes one thing as one line of JSON.
pub(in crate::cli) fn write_json_line<T: Serialize>(out: &mut impl Write, thing: &T) -> Result<(), Failure> {
    write_json_object(out, thing)?;
    Ok(writeln!(out)?)
}

fn write_json_object<T: Serialize>(out: &mut impl Write, thing: &T) -> Result<(), Failure> {
    let mut serializer = Serializer::with_formatter(out, Escaped(CompactFormatter));
    Ok(thing.serialize(&mut serializer).map_err(io::Error::from)?)
}

/// Writes a record of CSV.
fn write_record(out: &mut impl Write, fields: &[Vec<u8>]) -> Result<(), Failure> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(fields).map_err(io::Error::from)?;
    let bytes = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
    if !io::stdout().is_terminal() {
        return Ok(out.write_all(&bytes)?);
    }
    let text = String::from_utf8_lossy(&bytes);
    for line in text.split_inclusive('\n') {
        let end = if line.ends_with('\n') { "\n" } else { "" };
        write!(out, "{}{end}", printable(line.trim_end_matches('\n')))?;
    }
    Ok(())
}

/// JSON in which what is not printable is escaped: serde_json leaves all but C0 as it is.
struct Escaped<F>(F);

impl<F: Formatter> Formatter for Escaped<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.chars().all(is_printable) {
            return self.0.write_string_fragment(writer, fragment);
        }
        let mut escaped = String::with_capacity(fragment.len() + 16);
        for c in fragment.chars() {
            if is_printable(c) {
                escaped.push(c);
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Nothing refuses to be written to a String.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
        self.0.write_string_fragment(writer, &escaped)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

/// What failed is the writing itself: `csv` hides of which kind, and a closed pipe is no failure.
pub(in crate::cli) fn of_csv(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Serialize)]
    struct Row {
        name: Option<&'static str>,
        count: u32,
    }

    fn written(format: Format) -> String {
        let rows = [
            Row {
                name: Some("a,\u{9b}2J\u{202e}\u{1b}[31m\"b\""),
                count: 1,
            },
            Row { name: None, count: 2 },
        ];
        let mut out = Vec::new();
        write_rows(&mut out, &rows, format).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_the_same_text_without_a_character_that_does_something() {
        let lines = written(Format::Jsonl);
        assert_eq!(
            lines,
            "{\"name\":\"a,\\u009b2J\\u202e\\u001b[31m\\\"b\\\"\",\"count\":1}\n{\"name\":null,\"count\":2}\n"
        );
        let parsed: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        assert_eq!(parsed["name"], "a,\u{9b}2J\u{202e}\u{1b}[31m\"b\"");
        let array: serde_json::Value = serde_json::from_str(&written(Format::Json)).unwrap();
        assert_eq!(array[0], parsed);
    }

    #[test]
    fn without_a_row_csv_has_the_names_of_its_columns() {
        for (format, expected) in [
            (Format::Csv, "name,count\n"),
            (Format::Json, "[]\n"),
            (Format::Jsonl, ""),
        ] {
            let mut out = Vec::new();
            write_rows::<Row>(&mut out, &[], format).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn csv_has_names_and_quotes_and_leaves_absent_values_empty() {
        assert_eq!(
            written(Format::Csv),
            "name,count\n\"a,\u{9b}2J\u{202e}\u{1b}[31m\"\"b\"\"\",1\n,2\n"
        );
    }
}
