//! Names that the service gives: RequestToken, HooksRequestToken, request ids.

use std::fmt;
use std::num::NonZeroU128;

use fastrand::Rng;
use serde::{Serialize, Serializer};

use crate::model::RequestToken;

/// A random UUID (RFC 9562, version 4), as the service's tokens are.
///
/// Sixteen bytes and `Copy`, with an `Option` around it too: a hundred thousand of them cost nothing, and their order is
/// a shuffle of the requests, which is what an unordered list needs ([`super::scenario::ListOrder`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(NonZeroU128);

impl Token {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        const VERSION_4: NonZeroU128 = NonZeroU128::new(0x4 << 76).unwrap();
        const RFC_VARIANT: u128 = 0b10 << 62;
        let random = rng.u128(..) & !(0xf << 76) & !(0b11 << 62);
        Self(VERSION_4 | random | RFC_VARIANT)
    }

    /// Reads a token in the one form in which the service writes it; anything else names no request.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.split('-').collect();
        let token = u128::from_str_radix(&digits, 16).ok().and_then(NonZeroU128::new)?;
        let token = Self(token);
        (token.written().as_str() == text).then_some(token)
    }

    pub(super) fn as_u128(self) -> u128 {
        self.0.get()
    }

    /// A page of a listing holds two hundred of these: written by hand, they cost a tenth of what formatting does.
    fn written(self) -> Written {
        let mut text = [b'-'; 36];
        let mut at = 0;
        for byte in self.as_u128().to_be_bytes() {
            if matches!(at, 8 | 13 | 18 | 23) {
                at += 1;
            }
            text[at] = HEXADECIMAL[usize::from(byte >> 4)];
            text[at + 1] = HEXADECIMAL[usize::from(byte & 0xf)];
            at += 2;
        }
        Written(text)
    }
}

const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";

/// The one form in which the service writes a token.
struct Written([u8; 36]);

impl Written {
    fn as_str(&self) -> &str {
        // Digits and hyphens always are UTF-8.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.written().as_str())
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.written().as_str())
    }
}

impl From<Token> for RequestToken {
    fn from(token: Token) -> Self {
        Self::new(token.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_version_4_uuid_that_reads_back() {
        let mut rng = Rng::with_seed(1);
        for _ in 0..1000 {
            let token = Token::draw(&mut rng);
            let text = token.to_string();
            assert_eq!(text.len(), 36);
            assert_eq!(&text[14..15], "4", "{text}");
            assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
            assert_eq!(Token::parse(&text), Some(token));
        }
    }

    #[test]
    fn only_the_written_form_is_read() {
        let text = Token::draw(&mut Rng::with_seed(1)).to_string();
        for other in [
            "",
            "x",
            &text.to_uppercase(),
            &text.replace('-', ""),
            &format!("{text}0"),
            &format!("+{text}"),
        ] {
            assert_eq!(Token::parse(other), None, "{other}");
        }
    }
}
