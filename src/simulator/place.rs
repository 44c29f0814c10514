//! Where a world is: an account in a Region, and who is there by the credentials of a call.

use std::fmt;

use serde::Serialize;

/// An account in a Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Twelve digits.
    pub account_id: Box<str>,
    pub region: Box<str>,
}

impl Place {
    pub fn new(account_id: &str, region: &str) -> Self {
        Self {
            account_id: account_id.into(),
            region: region.into(),
        }
    }

    /// The place with what a client says in the stead of its own, as far as that can be an account and a Region.
    pub(super) fn with(&self, account_id: Option<&str>, region: Option<&str>) -> Self {
        Self::new(
            account_id.filter(|id| is_account_id(id)).unwrap_or(&self.account_id),
            region.filter(|name| is_region(name)).unwrap_or(&self.region),
        )
    }

    /// A number of its own for each seed and place: FNV-1a, which is the same in every version of every library.
    pub(super) fn seed(&self, seed: u64) -> u64 {
        let place = [&seed.to_be_bytes(), self.account_id.as_bytes(), self.region.as_bytes()].concat();
        place.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account_id, self.region)
    }
}

/// Twelve digits.
pub(super) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What may be the name of a Region: a DNS label in lower case, as it stands in endpoints.
pub(super) fn is_region(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(allowed)
}

/// The account that an access key id belongs to, as far as the id says.
///
/// Twelve digits are the account itself, which is LocalStack's convention:
/// <https://docs.localstack.cloud/aws/capabilities/config/credentials/>. AWS's own ids of twenty characters hold it too,
/// unless they are from before 2019: what follows AKIA or ASIA is base32, and of its first 48 bits, the first is set
/// and the next 40 are the account. <https://medium.com/@TalBeerySec/a-short-note-on-aws-key-id-f88cc4317489>
pub(super) fn account_of(access_key: &str) -> Option<String> {
    if is_account_id(access_key) {
        return Some(access_key.to_owned());
    }
    let encoded = access_key
        .strip_prefix("AKIA")
        .or_else(|| access_key.strip_prefix("ASIA"))
        .filter(|encoded| encoded.len() == 16)?;
    let bits = encoded.bytes().take(10).try_fold(0_u64, |bits, byte| {
        let five = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        Some(bits << 5 | u64::from(five))
    })?;
    let account = bits >> 9 & ((1 << 40) - 1);
    (bits >> 49 == 1 && account < 1_000_000_000_000).then(|| format!("{account:012}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_id_names_its_account() {
        for (access_key, account) in [
            ("123456789012", Some("123456789012")),
            ("000000000000", Some("000000000000")),
            ("ASIAQNZGKIQY56JQ7WML", Some("029608264753")),
            ("ASIAY34FZKBOKMUTVV7A", Some("609629065308")),
            // From before 2019, too short, not base32, an account of thirteen digits.
            ("AKIAIOSFODNN7EXAMPLE", None),
            ("AKIDEXAMPLE", None),
            ("ASIAQNZGKIQY56JQ7WM", None),
            ("ASIAQ1ZGKIQY56JQ7WML", None),
            ("ASIA7777777777777777", None),
            ("ASIA€€€€€", None),
            ("12345678901", None),
            ("12345678901x", None),
            ("", None),
        ] {
            assert_eq!(account_of(access_key).as_deref(), account, "{access_key}");
        }
    }

    #[test]
    fn what_can_be_no_account_or_region_is_passed_over() {
        let home = Place::new("123456789012", "us-east-1");
        assert_eq!(home.with(None, None), home);
        assert_eq!(
            home.with(Some("000000000000"), Some("eu-west-1")),
            Place::new("000000000000", "eu-west-1")
        );
        let long = "x".repeat(64);
        for odd in ["", "EU", "eu west", long.as_str(), "../x"] {
            assert_eq!(home.with(Some(odd), Some(odd)), home);
        }
    }

    #[test]
    fn every_place_and_seed_has_a_seed_of_its_own() {
        let mut seeds = std::collections::BTreeSet::new();
        for account in 0..1_000 {
            for region in ["eu-west-1", "us-east-1"] {
                for seed in 0..10 {
                    seeds.insert(Place::new(&format!("{account:012}"), region).seed(seed));
                }
            }
        }
        assert_eq!(seeds.len(), 20_000);
        // Pinned: seeds that are written down must give their worlds in later versions too.
        assert_eq!(Place::new("123456789012", "eu-west-1").seed(7), 0xd41f_dfba_2fbb_121e);
    }
}
