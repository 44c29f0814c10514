//! Names that the service gives: RequestToken, HooksRequestToken, request ids.

use std::fmt;

use fastrand::Rng;
use serde::{Serialize, Serializer};

use crate::model::RequestToken;

/// A random UUID (RFC 9562, version 4), as the service's tokens are.
///
/// Sixteen bytes and `Copy`: a hundred thousand of them cost nothing, and their order is a shuffle of the requests,
/// which is what an unordered list needs ([`super::scenario::ListOrder`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u128);

impl Token {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        const VERSION_4: u128 = 0x4 << 76;
        const RFC_VARIANT: u128 = 0b10 << 62;
        let random = rng.u128(..) & !(0xf << 76) & !(0b11 << 62);
        Self(random | VERSION_4 | RFC_VARIANT)
    }

    /// Reads a token in the one form in which the service writes it; anything else names no request.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.split('-').collect();
        let token = u128::from_str_radix(&digits, 16).ok().map(Self)?;
        (token.to_string() == text).then_some(token)
    }

    pub(super) fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |shift: u32, bits: u32| (self.0 >> shift) & ((1 << bits) - 1);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            group(96, 32),
            group(80, 16),
            group(64, 16),
            group(48, 16),
            group(0, 48)
        )
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
