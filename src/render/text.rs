//! Cutting text to a receiver's limits.
//!
//! Lengths are counted in UTF-16 units. Vendors seldom say what they count; this is the strictest of what they mean by
//! characters (Slack's and Telegram's servers count so), and so right for all of them.

use std::borrow::Cow;

/// Stands where text was cut.
pub const ELLIPSIS: char = '…';

/// `text`, if need be cut on a character boundary and closed by an ellipsis, so that it is at most `longest` long.
pub fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    if length(text) <= longest {
        return Cow::Borrowed(text);
    }
    Cow::Owned(cut_escaped(text, longest, |_| None))
}

/// `text` with each character replaced by what `escape` says for it, cut as by [`cut`] but never within a replacement.
pub fn cut_escaped(text: &str, longest: usize, escape: impl Fn(char) -> Option<&'static str>) -> String {
    let mut escaped = String::with_capacity(text.len().min(longest));
    let mut long = 0;
    // Where to go back to if it does not all fit: up to here there is room for the ellipsis.
    let mut fits = 0;
    for character in text.chars() {
        let replacement = escape(character);
        long += replacement.map_or(character.len_utf16(), length);
        if long > longest {
            escaped.truncate(fits);
            if longest > 0 {
                escaped.push(ELLIPSIS);
            }
            return escaped;
        }
        match replacement {
            Some(replacement) => escaped.push_str(replacement),
            None => escaped.push(character),
        }
        if long < longest {
            fits = escaped.len();
        }
    }
    escaped
}

/// `text`, cut as by [`cut`], where a limit counts something else: `cost` says what a character takes of it.
pub fn cut_by(text: &str, longest: usize, cost: impl Fn(char) -> usize) -> Cow<'_, str> {
    let ellipsis = cost(ELLIPSIS);
    let mut long = 0;
    let mut fits = 0;
    for (at, character) in text.char_indices() {
        if long + ellipsis <= longest {
            fits = at;
        }
        long += cost(character);
        if long > longest {
            let mut cut = text[..fits].to_owned();
            if ellipsis <= longest {
                cut.push(ELLIPSIS);
            }
            return Cow::Owned(cut);
        }
    }
    Cow::Borrowed(text)
}

/// In UTF-16 units.
pub fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ampersand(c: char) -> Option<&'static str> {
        (c == '&').then_some("&amp;")
    }

    #[test]
    fn what_fits_is_left_alone_and_what_does_not_ends_with_an_ellipsis() {
        assert_eq!(cut("größe", 5), "größe");
        assert_eq!(cut("größen", 5), "größ…");
        assert_eq!(cut("a😀b", 3), "a…");
        assert_eq!(cut("ab", 1), "…");
        assert_eq!(cut("ab", 0), "");
        assert_eq!(cut_escaped("a&b", 7, ampersand), "a&amp;b");
        assert_eq!(cut_escaped("a&b", 6, ampersand), "a…");
        assert_eq!(cut_escaped("a&bc", 7, ampersand), "a&amp;…");
    }

    #[test]
    fn any_cost_can_be_counted() {
        assert_eq!(cut_by("größe", 7, char::len_utf8), "größe");
        assert_eq!(cut_by("größe", 6, char::len_utf8), "gr…");
        assert_eq!(cut_by("größe", 3, char::len_utf8), "…");
        assert_eq!(cut_by("größe", 2, char::len_utf8), "");
    }

    proptest! {
        #[test]
        fn never_above_a_limit_in_bytes(text in "[aö€😀]{0,30}", longest in 0_usize..60) {
            let cut = cut_by(&text, longest, char::len_utf8);
            prop_assert!(cut.len() <= longest);
            prop_assert!(text.starts_with(cut.trim_end_matches(ELLIPSIS)));
            prop_assert_eq!(cut == text.as_str(), text.len() <= longest);
        }

        #[test]
        fn never_too_long_and_never_within_a_replacement(text in "[a&😀\u{0}]{0,30}", longest in 0_usize..40) {
            let cut = cut_escaped(&text, longest, ampersand);
            prop_assert!(length(&cut) <= longest);
            prop_assert_eq!(cut.matches('&').count(), cut.matches("&amp;").count());
            let kept = cut.trim_end_matches(ELLIPSIS).replace("&amp;", "&");
            prop_assert!(text.starts_with(&kept));
            prop_assert_eq!(kept == text, length(&text.replace('&', "&amp;")) <= longest);
        }
    }
}
