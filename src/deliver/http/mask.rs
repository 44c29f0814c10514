//! Masks what text from outside repeats of an address, or of a token that is sent along.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Path segments shorter than this are ordinary words (`api`, `v1`, `hooks`), and masking them would make any text
/// unreadable. What grants access is longer.
const SHORTEST_SECRET: usize = 6;

/// The parts of an address that may grant access, and tokens. Each is masked by asterisks of the same length, so that where text
/// was cut, no part of a secret moves into what is shown.
#[derive(Clone)]
pub(super) struct Mask {
    /// The longest first, or masking a part would hide the whole from being found.
    parts: Vec<String>,
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask")
    }
}

impl Mask {
    pub(super) fn of(url: &Url, tokens: &[&SecretString]) -> Self {
        let mut parts: Vec<String> = Vec::new();
        let mut add = |part: &str| {
            let decoded = decode(part);
            for part in [part.to_owned(), decoded] {
                if part.len() >= SHORTEST_SECRET && !parts.contains(&part) {
                    parts.push(part);
                }
            }
        };
        add(url.path());
        url.path_segments().into_iter().flatten().for_each(&mut add);
        for text in [url.query(), url.fragment()].into_iter().flatten() {
            add(text);
            text.split(['&', '=']).for_each(&mut add);
        }
        add(url.username());
        if let Some(password) = url.password() {
            add(password);
            // As they are sent: RFC 7617.
            add(&BASE64.encode(format!("{}:{}", decode(url.username()), decode(password))));
        }
        for token in tokens {
            add(token.expose_secret());
        }
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        Self { parts }
    }

    pub(super) fn apply(&self, text: &str) -> String {
        self.parts.iter().fold(text.to_owned(), |text, part| {
            text.replace(part, &"*".repeat(part.len()))
        })
    }
}

/// Undoes percent-encoding.
fn decode(text: &str) -> String {
    // A form's decoder takes `+` for a space, so it is hidden from it.
    let encoded = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(encoded.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(url: &str, text: &str) -> String {
        Mask::of(&Url::parse(url).unwrap(), &[&"xoxb-tok-1".into()]).apply(text)
    }

    #[test]
    fn whatever_may_grant_access_is_masked_wherever_it_stands() {
        let url = "https://user-name:pass-word@example.com/api/v1/T0123456/s%2Becret?token=abcdef12&x=1";
        for text in [
            "Cannot POST /api/v1/T0123456/s%2Becret?token=abcdef12&x=1",
            r#"{"path":"\/api\/v1\/T0123456\/s+ecret","token":"abcdef12"}"#,
            "user-name:pass-word",
            "invalid token: xoxb-tok-1",
            "token=abcdef12&amp;x=1",
            "authorization: Basic dXNlci1uYW1lOnBhc3Mtd29yZA==",
        ] {
            let masked = masked(url, text);
            for secret in [
                "T0123456",
                "s%2Becret",
                "s+ecret",
                "abcdef12",
                "user-name",
                "pass-word",
                "dXNlci1u",
                "xoxb-tok-1",
            ] {
                assert!(!masked.contains(secret), "{masked} shows {secret}");
            }
            assert_eq!(masked.len(), text.len());
        }
    }

    #[test]
    fn ordinary_words_stay_readable() {
        let url = "https://example.com/api/v1/T0123456789";
        assert_eq!(masked(url, "api v1 is gone"), "api v1 is gone");
        assert_eq!(masked("https://example.com", "a / b"), "a / b");
    }
}
