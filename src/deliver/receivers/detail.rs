//! What stands below a title as one text.

use crate::render::Words;

/// A template's text, or why and, of a digest, what, a line each. Empty where there is none of it.
pub(super) fn detail(words: &Words) -> String {
    words.body.clone().unwrap_or_else(|| {
        let lines: Vec<&str> = words.reason.iter().chain(&words.items).map(String::as_str).collect();
        lines.join("\n")
    })
}
