//! What is wrong with a configuration file, gathered while it is read and told all at once.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;

use super::wording::counted;
use crate::model::printable;

/// Beyond that many, a file has one cause that is wrong and the rest follow from it.
const MOST_SHOWN: usize = 100;

/// Everything that is wrong with a configuration, in the order of the file. Shown, it is a line a problem,
/// `FILE:LINE:COLUMN: key: what is wrong`, and a line that counts them. Lines and columns (in characters) count from 1.
///
/// No line holds a control character or a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    problems: Vec<String>,
    closing: String,
}

impl ConfigErrors {
    /// What the process exits with: EX_CONFIG of sysexits.h.
    pub const EXIT_CODE: u8 = 78;

    /// A line for each problem.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The file as a whole could not be read.
    pub(super) fn unreadable(file: &Path, message: &str) -> Self {
        let line = format!("{}: {message}", file.display());
        Self {
            problems: vec![printable(&line).into_owned()],
            closing: "The configuration could not be read.".to_owned(),
        }
    }

    /// The file is no TOML, which is found out at its first error.
    pub(super) fn not_toml(document: &Text<'_>, offset: usize, message: &str) -> Self {
        Self {
            problems: vec![document.line(offset, "not TOML", message)],
            closing: "1 problem in the configuration; the rest was not checked yet.".to_owned(),
        }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        f.write_str(&self.closing)
    }
}

impl std::error::Error for ConfigErrors {}

/// A file's text, in which offsets (in bytes) have a line and a column.
#[derive(Debug)]
pub(super) struct Text<'d> {
    file: &'d Path,
    text: &'d str,
    line_starts: Vec<usize>,
}

impl<'d> Text<'d> {
    pub(super) fn new(file: &'d Path, text: &'d str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self {
            file,
            text,
            line_starts,
        }
    }

    /// What stands before `offset`.
    pub(super) fn until(&self, offset: usize) -> &'d str {
        self.text.get(..offset).unwrap_or_default()
    }

    /// The line that `offset` is in, from 1.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    fn column_of(&self, offset: usize) -> usize {
        let start = self.line_starts[self.line_of(offset) - 1];
        let end = self.text.floor_char_boundary(offset.min(self.text.len()));
        self.text.get(start..end).map_or(0, |before| before.chars().count()) + 1
    }

    fn line(&self, offset: usize, key: &str, message: &str) -> String {
        let (line, column) = (self.line_of(offset), self.column_of(offset));
        let whole = format!("{}:{line}:{column}: {key}: {message}", self.file.display());
        printable(&whole).into_owned()
    }
}

/// The problems and warnings found so far. Each part of the reader holds it by shared reference and adds to it, and
/// goes on.
#[derive(Debug)]
pub(super) struct Problems<'d> {
    text: Text<'d>,
    errors: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

#[derive(Debug)]
struct Problem {
    offset: usize,
    key: String,
    message: String,
}

impl<'d> Problems<'d> {
    pub(super) fn new(text: Text<'d>) -> Self {
        Self {
            text,
            errors: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    pub(super) fn text(&self) -> &Text<'d> {
        &self.text
    }

    pub(super) fn error(&self, offset: usize, key: &str, message: impl Into<String>) {
        self.errors.borrow_mut().push(Problem {
            offset,
            key: key.to_owned(),
            message: message.into(),
        });
    }

    pub(super) fn warning(&self, offset: usize, key: &str, message: impl Into<String>) {
        self.warnings.borrow_mut().push(Problem {
            offset,
            key: key.to_owned(),
            message: message.into(),
        });
    }

    /// The warnings if there was no error, else the errors.
    pub(super) fn into_result(self) -> Result<Vec<String>, ConfigErrors> {
        let errors = self.errors.into_inner();
        if errors.is_empty() {
            return Ok(shown(&self.text, self.warnings.into_inner()));
        }
        let found = counted(errors.len(), "problem");
        let left = errors.len().saturating_sub(MOST_SHOWN);
        Err(ConfigErrors {
            problems: shown(&self.text, errors),
            closing: if left == 0 {
                format!("{found} in the configuration.")
            } else {
                format!("{found} in the configuration, of which the first {MOST_SHOWN} are shown.")
            },
        })
    }
}

fn shown(text: &Text<'_>, mut problems: Vec<Problem>) -> Vec<String> {
    problems.sort_by_key(|problem| problem.offset);
    problems
        .iter()
        .take(MOST_SHOWN)
        .map(|problem| text.line(problem.offset, &problem.key, &problem.message))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let text = Text::new(Path::new("f"), "aé\r\nbc\n");
        let place = |offset| (text.line_of(offset), text.column_of(offset));
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(3), (1, 3));
        assert_eq!(place(5), (2, 1));
        assert_eq!(place(6), (2, 2));
        // The end of the file, inside a character, and far beyond.
        assert_eq!(place(8), (3, 1));
        assert_eq!(place(2), (1, 2));
        assert_eq!(place(1_000), (3, 1));
    }

    #[test]
    fn many_problems_are_counted_but_not_all_shown() {
        let problems = Problems::new(Text::new(Path::new("f"), ""));
        for _ in 0..250 {
            problems.error(0, "key", "wrong");
        }
        let errors = problems.into_result().unwrap_err();
        assert_eq!(errors.problems().len(), 100);
        assert_eq!(
            errors.to_string().lines().last(),
            Some("250 problems in the configuration, of which the first 100 are shown.")
        );
    }
}
