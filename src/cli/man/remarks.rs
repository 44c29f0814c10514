//! What follows the options in `--help`, taken apart: lists under a heading, and prose.

/// A part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remark {
    List(List),
    /// A paragraph, in one line.
    Prose(String),
}

/// Lines that stand as they are, under a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List {
    /// Without its colon.
    pub(super) heading: String,
    /// Without the blanks that all of them begin with.
    pub(super) lines: Vec<String>,
}

impl List {
    /// Its entries, where each is a word and what that means, with at least two blanks between.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let split = |line: &'_ String| line.find("  ");
        self.lines.iter().map(move |line| match split(line) {
            Some(end) => (&line[..end], line[end..].trim()),
            None => (line.as_str(), ""),
        })
    }
}

/// Before a line of a list.
const INDENT: &str = "  ";

/// A list is lines that are indented, under one that is not and ends with a colon. Anything else is prose.
pub(super) fn read(text: &str) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let listed = |line: &mut std::iter::Peekable<std::str::Lines<'_>>| {
            line.next_if(|line| line.starts_with(INDENT))
                .map(|line| line[INDENT.len()..].to_owned())
        };
        if line.is_empty() {
            continue;
        }
        let mut list = Vec::new();
        if line.ends_with(':') {
            list.extend(std::iter::from_fn(|| listed(&mut lines)));
        }
        if list.is_empty() {
            let mut paragraph = line.to_owned();
            while let Some(more) = lines.next_if(|line| !line.is_empty()) {
                paragraph = format!("{paragraph} {}", more.trim());
            }
            remarks.push(Remark::Prose(paragraph));
        } else {
            remarks.push(Remark::List(List {
                heading: line.trim_end_matches(':').to_owned(),
                lines: list,
            }));
        }
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(heading: &str, lines: &[&str]) -> Remark {
        Remark::List(List {
            heading: heading.to_owned(),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        })
    }

    #[test]
    fn lists_keep_their_lines_and_prose_becomes_one() {
        let read = read(
            "Examples:\n  a --b \\\n      --c\n  d\n\nIt is so:\nfor two\nreasons.\n\nWhere:\n  x  y\nFor everyone: z",
        );
        assert_eq!(
            read,
            [
                list("Examples", &["a --b \\", "    --c", "d"]),
                Remark::Prose("It is so: for two reasons.".to_owned()),
                list("Where", &["x  y"]),
                Remark::Prose("For everyone: z".to_owned()),
            ]
        );
    }

    #[test]
    fn an_entry_is_a_word_and_what_it_means() {
        let read = read("Exit codes:\n  0    done\n  124  the time was up\n  7");
        let Remark::List(list) = &read[0] else {
            panic!("{read:?}")
        };
        assert_eq!(
            list.entries().collect::<Vec<_>>(),
            [("0", "done"), ("124", "the time was up"), ("7", "")]
        );
    }
}
