//! The TOML document as its readers see it: values and tables that know where they stand and what they are called, so
//! that whoever finds fault with one need only say what is wrong.
//!
//! toml-span parses and keeps the place of each value. (serde with the toml crate stops at the first error, and once a
//! value has its type it no longer knows its place, so a check between two values could not say where.) toml-span's own
//! `TableHelper` knows neither paths nor suggestions.
//!
//! Nothing here has a `Debug`: it would show the document, and with it the secrets that it holds.

use std::io;
use std::path::Path;

use toml_span::Value;
use toml_span::value::{Table, ValueInner};

use super::problems::{ConfigErrors, Problems, Read, Remarks, Reported, Text, all};
use super::wording::{listed, shortened, suggestion};
use super::{secret, syntax};

/// A document is written by hand: what is larger is another file.
const LARGEST: u64 = 1024 * 1024;

/// The text of the document at `path`. `what` it is stands in messages: `configuration`.
pub(crate) fn load(path: &Path, what: &'static str) -> Result<String, ConfigErrors> {
    secret::read(path, LARGEST).map_err(|fault| ConfigErrors::unreadable(path, what, &fault))
}

/// The text of a document that is piped in, and is called `path` in messages.
pub(crate) fn load_from(source: impl io::Read, path: &Path, what: &'static str) -> Result<String, ConfigErrors> {
    secret::read_from(source, LARGEST).map_err(|fault| ConfigErrors::unreadable(path, what, &fault))
}

/// Has `read` read a document, and returns what it made of it with the remarks, or else all problems.
pub(crate) fn parse<T>(
    text: &str,
    path: &Path,
    what: &'static str,
    read: impl FnOnce(&Item<'_>) -> Read<T>,
) -> Result<(T, Remarks), ConfigErrors> {
    // Some editors begin a file with a byte order mark, which is no character of its first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let places = Text::new(path, what, text);
    let document = match toml_span::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let message = syntax::message(&error, &places);
            return Err(ConfigErrors::not_toml(&places, error.span.start, &message));
        }
    };
    let problems = Problems::new(places);
    let read = read(&Item::root(&document, &problems));
    problems.finish(read)
}

/// A value of the document.
#[derive(Clone)]
pub(crate) struct Item<'d> {
    /// What it is called in messages: `targets[0].regions[1]`.
    path: String,
    value: &'d Value<'d>,
    problems: &'d Problems<'d>,
}

impl<'d> Item<'d> {
    /// The document as a whole.
    pub(super) fn root(value: &'d Value<'d>, problems: &'d Problems<'d>) -> Self {
        Self {
            path: String::new(),
            value,
            problems,
        }
    }

    /// Where it begins, in bytes: at the opening quote, if it has one. (toml-span has a string begin behind its quotes,
    /// except an empty one.)
    fn offset(&self) -> usize {
        let start = self.value.span.start;
        if self.inner().as_str().is_none_or(str::is_empty) {
            return start;
        }
        // A line break right behind three quotes is not part of the string either.
        let before = self.problems.text().until(start).trim_end_matches(['\r', '\n']);
        let quotes = ["\"\"\"", "'''", "\"", "'"];
        let quote = quotes.into_iter().find(|quote| before.ends_with(quote));
        quote.map_or(start, |quote| before.len() - quote.len())
    }

    /// The line that it stands in, from 1.
    pub(crate) fn line(&self) -> usize {
        self.problems.text().line_of(self.offset())
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> Reported {
        self.problems.error(self.offset(), &self.path, message)
    }

    pub(crate) fn warning(&self, message: impl Into<String>) {
        self.problems.warning(self.offset(), &self.path, message);
    }

    pub(crate) fn note(&self, message: impl Into<String>) {
        self.problems.note(self.offset(), &self.path, message);
    }

    /// That it is of the wrong type.
    pub(crate) fn wrong_type(&self, expected: &str) -> Reported {
        self.error(format!("expected {expected}, found {}", self.found()))
    }

    /// Its type, for a message.
    fn found(&self) -> &'static str {
        match self.inner() {
            ValueInner::String(_) => "a string",
            ValueInner::Integer(_) => "an integer",
            ValueInner::Float(_) => "a float",
            ValueInner::Boolean(_) => "a boolean",
            ValueInner::Array(_) => "an array",
            ValueInner::Table(_) => "a table",
        }
    }

    pub(crate) fn inner(&self) -> &'d ValueInner<'d> {
        self.value.as_ref()
    }

    /// Its text, if it is a string; for who need not complain if it is none.
    pub(crate) fn text(&self) -> Option<&'d str> {
        self.inner().as_str()
    }

    pub(crate) fn is_boolean(&self) -> bool {
        matches!(self.inner(), ValueInner::Boolean(_))
    }

    /// Its text, if it is a string.
    pub(crate) fn string(&self, expected: &str) -> Read<&'d str> {
        self.inner().as_str().ok_or_else(|| self.wrong_type(expected))
    }

    /// Itself if it is a string or, as some secrets are, a table; or the members of an array, which can't be empty.
    pub(crate) fn one_or_more(&self, expected: &str) -> Read<Vec<Self>> {
        match self.inner() {
            ValueInner::String(_) | ValueInner::Table(_) => Ok(vec![self.clone()]),
            ValueInner::Array(_) => match self.members() {
                Some(members) if !members.is_empty() => Ok(members),
                _ => Err(self.error(format!("expected {expected}, found an empty array"))),
            },
            _ => Err(self.wrong_type(expected)),
        }
    }

    /// An array's members, which may be none.
    pub(crate) fn members(&self) -> Option<Vec<Self>> {
        let values = self.inner().as_array()?;
        let members = values.iter().enumerate().map(|(index, value)| Self {
            path: format!("{}[{index}]", self.path),
            value,
            problems: self.problems,
        });
        Some(members.collect())
    }

    /// Itself as a table.
    pub(crate) fn section(&self, expected: &str) -> Read<Section<'d>> {
        let table = self.inner().as_table().ok_or_else(|| self.wrong_type(expected))?;
        Ok(Section {
            item: self.clone(),
            table,
        })
    }
}

/// A table of the document.
pub(crate) struct Section<'d> {
    item: Item<'d>,
    table: &'d Table<'d>,
}

impl<'d> Section<'d> {
    /// Reports every key that is not `known`. `whose` stands in the message where the same table knows other keys
    /// under other circumstances: ` of a receiver of type "log"`.
    pub(crate) fn refuse_unknown(&self, known: &[&str], whose: &str) -> Read<()> {
        let mut all_known = Ok(());
        for key in self.table.keys() {
            let name = key.name.as_ref();
            if !known.contains(&name) {
                let suggestion = suggestion(name, known.iter().copied());
                let known = listed(known.iter().copied());
                let message = format!("unknown key{suggestion}; the keys{whose} are {known}");
                let path = self.path_of(&shortened(name));
                all_known = Err(self.item.problems.error(key.span.start, &path, message));
            }
        }
        all_known
    }

    pub(crate) fn get(&self, key: &str) -> Option<Item<'d>> {
        Some(Item {
            path: self.path_of(key),
            value: self.table.get(key)?,
            problems: self.item.problems,
        })
    }

    /// The key's value, which must be there.
    pub(crate) fn required(&self, key: &str, expected: &str) -> Read<Item<'d>> {
        self.get(key)
            .ok_or_else(|| self.error(key, format!("missing; expected {expected}")))
    }

    /// The key's value as `read` has it, if there is one.
    pub(crate) fn optional<T>(&self, key: &str, read: impl FnOnce(&Item<'d>) -> Read<T>) -> Read<Option<T>> {
        self.get(key).map(|item| read(&item)).transpose()
    }

    /// The entries of an array of tables, none if it is absent.
    pub(crate) fn entries(&self, key: &str) -> Read<Vec<Section<'d>>> {
        let Some(item) = self.get(key) else {
            return Ok(Vec::new());
        };
        let expected = format!("entries that begin with [[{}]]", without_indices(&item.path));
        let members = item.members().ok_or_else(|| item.wrong_type(&expected))?;
        all(members.iter().map(|member| member.section(&expected)))
    }

    /// Reports what is wrong with a key that is not there, at the table's own place.
    pub(crate) fn error(&self, key: &str, message: impl Into<String>) -> Reported {
        self.item
            .problems
            .error(self.item.offset(), &self.path_of(key), message)
    }

    pub(crate) fn warning(&self, key: &str, message: impl Into<String>) {
        self.item
            .problems
            .warning(self.item.offset(), &self.path_of(key), message);
    }

    fn path_of(&self, key: &str) -> String {
        if self.item.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.item.path)
        }
    }
}

/// `types.failures` for `types[0].failures`: what stands between the brackets of its entries.
fn without_indices(path: &str) -> String {
    path.split('.')
        .map(|part| part.split('[').next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(".")
}
