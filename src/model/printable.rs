//! Text from the wire, made safe for one line on a terminal.

use std::borrow::Cow;

/// Replaces what could move a cursor, recolour a screen, break a line or turn the reading direction around: control
/// characters (C0, DEL, C1) and Unicode's bidirectional and line-separating format characters; and what stands unseen in a
/// name, which then looks like another. White space that breaks lines becomes a space, all else the replacement character,
/// so that a hostile StatusMessage shows that something stood there and does nothing. The joiners within a word or an emoji stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_printable) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| replacement(c).unwrap_or(c)).collect())
}

/// Whether a character does nothing to a terminal but appear on it.
pub fn is_printable(c: char) -> bool {
    replacement(c).is_none()
}

fn replacement(c: char) -> Option<char> {
    match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_control() => Some('\u{fffd}'),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}' | '\u{feff}' => {
            Some('\u{fffd}')
        }
        '\u{ad}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{2060}'..='\u{2064}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => Some('\u{fffd}'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_left_alone() {
        assert!(matches!(printable("größe → 測試 ✓"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_not_seen_is_shown_and_what_joins_is_kept() {
        for unseen in ['\u{ad}', '\u{200b}', '\u{2060}', '\u{fff9}', '\u{e0041}'] {
            assert_eq!(printable(&format!("pro{unseen}d")), "pro\u{fffd}d");
        }
        for joined in ["👩\u{200d}👧", "☺\u{fe0f}", "نمی\u{200c}خواهم"] {
            assert!(matches!(printable(joined), Cow::Borrowed(_)), "{joined}");
        }
    }

    #[test]
    fn escape_sequences_and_direction_marks_do_nothing() {
        let hostile = "a\u{1b}]0;owned\u{7}\u{9b}31mb\r\nc\u{202e}d\u{0}";
        assert_eq!(
            printable(hostile),
            "a\u{fffd}]0;owned\u{fffd}\u{fffd}31mb  c\u{fffd}d\u{fffd}"
        );
    }
}
