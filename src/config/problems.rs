//! What is wrong with a configuration file, gathered while it is read and told all at once.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;

use crate::model::{counted, printable};

/// A file with more problems than that has them from one cause, which the first ones show.
const MOST_SHOWN: usize = 100;

/// Everything that is wrong with a configuration or a scenario, in the order of the file. Shown, it is a line a problem,
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

    fn of(text: &Text<'_>, problems: Vec<Problem>) -> Self {
        let what = text.what;
        let found = counted(problems.len(), "problem");
        let only_first = if problems.len() > MOST_SHOWN {
            format!(", of which the first {MOST_SHOWN} are shown")
        } else {
            String::new()
        };
        Self {
            problems: shown(text, problems),
            closing: format!("{found} in the {what}{only_first}."),
        }
    }

    /// The file as a whole could not be read.
    pub(crate) fn unreadable(file: &Path, what: &str, message: &str) -> Self {
        let line = format!("{}: {message}", file.display());
        Self {
            problems: vec![printable(&line).into_owned()],
            closing: format!("The {what} could not be read."),
        }
    }

    /// The file is no TOML, which is found out at its first error.
    pub(super) fn not_toml(document: &Text<'_>, offset: usize, message: &str) -> Self {
        Self {
            problems: vec![document.line(offset, "not TOML", message)],
            closing: format!("1 problem in the {}; the rest was not checked yet.", document.what),
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
pub(crate) struct Text<'d> {
    file: &'d Path,
    /// What is written there: `configuration`, `scenario`.
    what: &'static str,
    content: &'d str,
    line_starts: Vec<usize>,
}

impl<'d> Text<'d> {
    pub(super) fn new(file: &'d Path, what: &'static str, content: &'d str) -> Self {
        let breaks = content.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self {
            file,
            what,
            content,
            line_starts,
        }
    }

    /// What stands before `offset`.
    pub(super) fn until(&self, offset: usize) -> &'d str {
        self.content.get(..offset).unwrap_or_default()
    }

    /// The line that `offset` is in, from 1.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    fn column_of(&self, offset: usize) -> usize {
        let start = self.line_starts[self.line_of(offset) - 1];
        let end = self.content.floor_char_boundary(offset.min(self.content.len()));
        self.content.get(start..end).map_or(0, |before| before.chars().count()) + 1
    }

    fn line(&self, offset: usize, key: &str, message: &str) -> String {
        let (line, column) = (self.line_of(offset), self.column_of(offset));
        let whole = format!("{}:{line}:{column}: {key}: {message}", self.file.display());
        printable(&whole).into_owned()
    }
}

/// Proof that a problem was reported. Whoever can't return what was asked for returns this, so that nothing can be left
/// out of a configuration without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported(());

/// What was read, or the proof that something is wrong with it.
pub(crate) type Read<T> = Result<T, Reported>;

/// All of what was read, if none of it is wrong. (`collect` would not look at what follows the first problem.)
pub(crate) fn all<T>(items: impl Iterator<Item = Read<T>>) -> Read<Vec<T>> {
    let items: Vec<Read<T>> = items.collect();
    items.into_iter().collect()
}

/// What was said of a document that is right, a line each, as in [`ConfigErrors`].
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    pub(crate) warnings: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// The problems, warnings and notes found so far. Each part of the reader holds it by shared reference and adds to it, and
/// goes on.
pub(crate) struct Problems<'d> {
    text: Text<'d>,
    errors: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
    notes: RefCell<Vec<Problem>>,
}

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
            notes: RefCell::default(),
        }
    }

    pub(super) fn text(&self) -> &Text<'d> {
        &self.text
    }

    pub(super) fn error(&self, offset: usize, key: &str, message: impl Into<String>) -> Reported {
        self.errors.borrow_mut().push(Problem {
            offset,
            key: key.to_owned(),
            message: message.into(),
        });
        Reported(())
    }

    pub(super) fn warning(&self, offset: usize, key: &str, message: impl Into<String>) {
        self.warnings.borrow_mut().push(Problem {
            offset,
            key: key.to_owned(),
            message: message.into(),
        });
    }

    pub(super) fn note(&self, offset: usize, key: &str, message: impl Into<String>) {
        self.notes.borrow_mut().push(Problem {
            offset,
            key: key.to_owned(),
            message: message.into(),
        });
    }

    /// What was read, with the remarks, if there was no error; else the errors.
    pub(super) fn finish<T>(self, read: Read<T>) -> Result<(T, Remarks), ConfigErrors> {
        let errors = self.errors.into_inner();
        match read {
            Ok(read) if errors.is_empty() => {
                let remarks = Remarks {
                    warnings: shown(&self.text, self.warnings.into_inner()),
                    notes: shown(&self.text, self.notes.into_inner()),
                };
                Ok((read, remarks))
            }
            _ => Err(ConfigErrors::of(&self.text, errors)),
        }
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
        let text = Text::new(Path::new("f"), "configuration", "aé\r\nbc\n");
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
        let problems = Problems::new(Text::new(Path::new("f"), "configuration", ""));
        for _ in 0..250 {
            let _ = problems.error(0, "key", "wrong");
        }
        let errors = problems.finish(Ok(())).unwrap_err();
        assert_eq!(errors.problems().len(), 100);
        assert_eq!(
            errors.to_string().lines().last(),
            Some("250 problems in the configuration, of which the first 100 are shown.")
        );
    }
}
