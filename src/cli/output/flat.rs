//! A row as CSV has it: what stands in each column, without a word about its type. Yes and no are 1 and 0, as in SQL.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, Formatter};

/// The names of a row's columns, and what stands in them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Flat {
    pub(super) names: Vec<Vec<u8>>,
    pub(super) fields: Vec<Vec<u8>>,
}

impl Flat {
    /// `row` is a struct whose fields are numbers, texts and the like.
    pub(super) fn of<T: Serialize>(row: &T) -> io::Result<Self> {
        let mut written = Vec::new();
        row.serialize(&mut Serializer::with_formatter(&mut written, Bare))?;
        let mut flat = Self::default();
        let mut parts = written.split(|byte| *byte == END);
        while let (Some(name), Some(field)) = (parts.next(), parts.next()) {
            flat.names.push(name.to_owned());
            flat.fields.push(field.to_owned());
        }
        Ok(flat)
    }
}

/// After each name and each field. No text in UTF-8 has this byte.
const END: u8 = 0xff;

/// JSON without its signs: names and values are followed by [`END`], and texts are as they are.
struct Bare;

impl Formatter for Bare {
    fn write_null<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn write_bool<W: ?Sized + Write>(&mut self, writer: &mut W, yes: bool) -> io::Result<()> {
        writer.write_all(if yes { b"1" } else { b"0" })
    }

    fn begin_string<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn end_string<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escaped: CharEscape) -> io::Result<()> {
        writer.write_all(&[match escaped {
            CharEscape::Quote => b'"',
            CharEscape::ReverseSolidus => b'\\',
            CharEscape::Solidus => b'/',
            CharEscape::Backspace => 0x08,
            CharEscape::FormFeed => 0x0c,
            CharEscape::LineFeed => b'\n',
            CharEscape::CarriageReturn => b'\r',
            CharEscape::Tab => b'\t',
            CharEscape::AsciiControl(byte) => byte,
        }])
    }

    fn begin_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, _: &mut W, _: bool) -> io::Result<()> {
        Ok(())
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(&[END])
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(&[END])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Row<'a> {
        text: &'a str,
        absent: Option<u32>,
        yes: bool,
        no: Option<bool>,
        share: f64,
        count: i64,
    }

    #[test]
    fn texts_and_numbers_are_as_they_are_and_yes_and_no_are_1_and_0() {
        let text: String = (0..0x100).filter_map(char::from_u32).collect();
        let row = Row {
            text: &text,
            absent: None,
            yes: true,
            no: Some(false),
            share: 1.0 / 3.0,
            count: -7,
        };
        let flat = Flat::of(&row).unwrap();
        let names = ["text", "absent", "yes", "no", "share", "count"];
        assert_eq!(flat.names, names.map(|name| name.as_bytes().to_vec()));
        let fields = [text.as_str(), "", "1", "0", "0.3333333333333333", "-7"];
        assert_eq!(flat.fields, fields.map(|field| field.as_bytes().to_vec()));
    }
}
