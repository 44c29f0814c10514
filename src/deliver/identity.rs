//! Names for things in other people's tools, within their limits.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// `text` if it has 1 to `longest` characters, all of them allowed; else its SHA-256 in hexadecimal, 64 characters long.
/// What is only cut or cleaned could become the name of something else.
pub(super) fn fitting(text: &str, longest: usize, is_allowed: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.is_empty() && text.len() <= longest && text.chars().all(is_allowed) {
        return Cow::Borrowed(text);
    }
    let hash = Sha256::digest(text.as_bytes());
    let hexadecimal = hash.iter().fold(String::with_capacity(64), |mut hexadecimal, byte| {
        let _a_string_takes_all = write!(hexadecimal, "{byte:02x}");
        hexadecimal
    });
    Cow::Owned(hexadecimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_all_else_becomes_its_hash() {
        let fitting = |text| fitting(text, 64, |c| c.is_ascii_alphanumeric()).into_owned();
        assert_eq!(fitting("abc1"), "abc1");
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(fitting(hash), hash);
        // FIPS 180-4's example, and three texts that would be the same if they were cut or cleaned.
        assert_eq!(super::fitting("abc", 2, |_| true), hash);
        let others = ["", "a/b", "a:b", &"a".repeat(65), &"a".repeat(66)].map(fitting);
        for (index, other) in others.iter().enumerate() {
            assert_eq!(other.len(), 64);
            assert!(!others[..index].contains(other), "{other}");
        }
    }
}
