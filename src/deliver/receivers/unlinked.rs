//! Text from outside that no tool takes for an address.

use std::borrow::Cow;

/// Stands between two characters and shows nothing: Unicode's ZERO WIDTH SPACE.
const BREAK: char = '\u{200b}';

/// The text, with each address in it broken by a zero width space, where a tool has no escape that keeps it from linking: behind the
/// colon of `https://`, and before the dot of `www.`. What is no address is left as it is, so that it can be copied.
pub(super) fn unlinked(text: &str) -> Cow<'_, str> {
    let breaks: Vec<usize> = text
        .match_indices([':', '.'])
        .filter(|(at, sign)| match *sign {
            ":" => text[at + 1..].starts_with('/'),
            _ => at
                .checked_sub(3)
                .and_then(|from| text.get(from..*at))
                .is_some_and(|word| word.eq_ignore_ascii_case("www")),
        })
        .map(|(at, sign)| if sign == ":" { at + 1 } else { at })
        .collect();
    if breaks.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut unlinked = String::with_capacity(text.len() + breaks.len() * BREAK.len_utf8());
    let mut from = 0;
    for at in breaks {
        unlinked.push_str(&text[from..at]);
        unlinked.push(BREAK);
        from = at;
    }
    unlinked.push_str(&text[from..]);
    Cow::Owned(unlinked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_broken_and_all_else_can_be_copied() {
        assert_eq!(
            unlinked("see https://a.example/x, http://b WWW.c.example"),
            "see https:\u{200b}//a.example/x, http:\u{200b}//b WWW\u{200b}.c.example"
        );
        for plain in ["arn:aws:s3:::bucket/key", "AWS::S3::Bucket", "größe 1.5", ""] {
            assert!(matches!(unlinked(plain), Cow::Borrowed(_)), "{plain}");
        }
    }
}
