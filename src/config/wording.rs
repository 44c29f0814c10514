//! How messages put what they found and what they expected.

use std::borrow::Cow;

use crate::model::nearest;

/// Longer than any name or pattern that is meant; what is longer is cut in a message.
const LONGEST_QUOTE: usize = 80;

/// More than that many names would hide the message in a list.
const LONGEST_LIST: usize = 50;

/// `"text"`, cut if it is very long.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", shortened(text))
}

pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// `a, b, c`.
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words = words.into_iter();
    let list = words.by_ref().take(LONGEST_LIST).collect::<Vec<_>>().join(", ");
    match words.count() {
        0 => list,
        left => format!("{list} and {left} more"),
    }
}

/// ` (did you mean "word"?)` if one of the known words is near enough to be what was meant, else nothing.
pub(crate) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!(" (did you mean \"{near}\"?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_between_characters() {
        assert_eq!(quoted(&"é".repeat(81)), format!("\"{}…\"", "é".repeat(80)));
        assert_eq!(quoted("é"), "\"é\"");
    }
}
