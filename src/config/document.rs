//! The TOML document as its readers see it: values and tables that know where they stand and what they are called, so
//! that whoever finds fault with one need only say what is wrong.
//!
//! toml-span parses and keeps the place of each value. (serde with the toml crate stops at the first error, and once a
//! value has its type it no longer knows its place, so a check between two values could not say where.) toml-span's own
//! `TableHelper` knows neither paths nor suggestions.

use toml_span::Value;
use toml_span::value::{Table, ValueInner};

use super::problems::Problems;
use super::wording::{listed, shortened, suggestion};

/// A value of the document.
#[derive(Debug, Clone)]
pub(super) struct Item<'d> {
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
    pub(super) fn line(&self) -> usize {
        self.problems.text().line_of(self.offset())
    }

    pub(super) fn error(&self, message: impl Into<String>) {
        self.problems.error(self.offset(), &self.path, message);
    }

    pub(super) fn warning(&self, message: impl Into<String>) {
        self.problems.warning(self.offset(), &self.path, message);
    }

    /// That it is of the wrong type.
    pub(super) fn wrong_type(&self, expected: &str) {
        self.error(format!("expected {expected}, found {}", self.found()));
    }

    /// Its type, for a message.
    pub(super) fn found(&self) -> &'static str {
        match self.inner() {
            ValueInner::String(_) => "a string",
            ValueInner::Integer(_) => "an integer",
            ValueInner::Float(_) => "a float",
            ValueInner::Boolean(_) => "a boolean",
            ValueInner::Array(_) => "an array",
            ValueInner::Table(_) => "a table",
        }
    }

    pub(super) fn inner(&self) -> &'d ValueInner<'d> {
        self.value.as_ref()
    }

    /// Its text, if it is a string.
    pub(super) fn string(&self, expected: &str) -> Option<&'d str> {
        let text = self.inner().as_str();
        if text.is_none() {
            self.wrong_type(expected);
        }
        text
    }

    /// Itself if it is a string or, as some secrets are, a table; or the members of an array, which can't be empty.
    pub(super) fn one_or_more(&self, expected: &str) -> Vec<Self> {
        match self.inner() {
            ValueInner::String(_) | ValueInner::Table(_) => vec![self.clone()],
            ValueInner::Array(_) => {
                let members = self.members().unwrap_or_default();
                if members.is_empty() {
                    self.error(format!("expected {expected}, found an empty array"));
                }
                members
            }
            _ => {
                self.wrong_type(expected);
                Vec::new()
            }
        }
    }

    /// An array's members, which may be none.
    pub(super) fn members(&self) -> Option<Vec<Self>> {
        let values = self.inner().as_array()?;
        let members = values.iter().enumerate().map(|(index, value)| Self {
            path: format!("{}[{index}]", self.path),
            value,
            problems: self.problems,
        });
        Some(members.collect())
    }

    pub(super) fn section(&self, expected: &str) -> Option<Section<'d>> {
        let Some(table) = self.inner().as_table() else {
            self.wrong_type(expected);
            return None;
        };
        Some(Section {
            item: self.clone(),
            table,
        })
    }
}

/// A table of the document.
#[derive(Debug, Clone)]
pub(super) struct Section<'d> {
    item: Item<'d>,
    table: &'d Table<'d>,
}

impl<'d> Section<'d> {
    pub(super) fn problems(&self) -> &'d Problems<'d> {
        self.item.problems
    }

    /// Reports every key that is not `known`, and says whether there was none. `whose` stands in the message where the same table knows other keys
    /// under other circumstances: ` of a receiver of type "log"`.
    pub(super) fn refuse_unknown(&self, known: &[&str], whose: &str) -> bool {
        let mut all_known = true;
        for key in self.table.keys() {
            let name = key.name.as_ref();
            if !known.contains(&name) {
                all_known = false;
                let suggestion = suggestion(name, known.iter().copied());
                let known = listed(known.iter().copied());
                self.problems().error(
                    key.span.start,
                    &self.path_of(&shortened(name)),
                    format!("unknown key{suggestion}; the keys{whose} are {known}"),
                );
            }
        }
        all_known
    }

    pub(super) fn get(&self, key: &str) -> Option<Item<'d>> {
        Some(Item {
            path: self.path_of(key),
            value: self.table.get(key)?,
            problems: self.item.problems,
        })
    }

    /// The key's value, which must be there.
    pub(super) fn required(&self, key: &str, expected: &str) -> Option<Item<'d>> {
        let item = self.get(key);
        if item.is_none() {
            self.error(key, format!("missing; expected {expected}"));
        }
        item
    }

    /// The entries of an array of tables, none if it is absent.
    pub(super) fn entries(&self, key: &str) -> Vec<Section<'d>> {
        let Some(item) = self.get(key) else {
            return Vec::new();
        };
        let expected = format!("entries that begin with [[{key}]]");
        let Some(members) = item.members() else {
            item.wrong_type(&expected);
            return Vec::new();
        };
        members.iter().filter_map(|member| member.section(&expected)).collect()
    }

    /// Reports what is wrong with a key that is not there, at the table's own place.
    pub(super) fn error(&self, key: &str, message: impl Into<String>) {
        self.problems().error(self.item.offset(), &self.path_of(key), message);
    }

    pub(super) fn warning(&self, key: &str, message: impl Into<String>) {
        self.problems().warning(self.item.offset(), &self.path_of(key), message);
    }

    fn path_of(&self, key: &str) -> String {
        if self.item.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.item.path)
        }
    }
}
