//! Where to look, and what identifies a request.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// The history's number for a target. Stays when the target's entry in the configuration is renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetId(pub i64);

/// Twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AccountId(pub String);

/// An AWS Region's code, such as `eu-west-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Region(pub String);

/// `<entry>/<region>`: the `[[targets]]` entry's name and the Region.
///
/// Always both, even where an entry has a single Region: adding a second one must not rename the first, under which
/// history is already kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct TargetName(Arc<str>);

impl TargetName {
    pub fn new(entry: &str, region: &Region) -> Self {
        Self(format!("{entry}/{}", region.0).into())
    }

    /// A name read back from the history.
    pub fn from_stored(name: &str) -> Self {
        Self(name.into())
    }

    /// The `[[targets]]` entry's name alone.
    pub fn entry(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(entry, _)| entry)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An account and a Region that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub id: TargetId,
    pub name: TargetName,
    /// Absent where it was neither configured nor could be asked of STS.
    pub account_id: Option<AccountId>,
    pub region: Region,
}

/// What identifies a request to the service: 1–128 characters of `[-A-Za-z0-9+/=]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RequestToken(pub Arc<str>);

impl RequestToken {
    pub fn new(token: impl Into<Arc<str>>) -> Self {
        Self(token.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request's identity: the same token in another account or Region is another request (trap 11).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey {
    pub target: TargetId,
    pub token: RequestToken,
}

macro_rules! display_inner {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}
display_inner!(AccountId, Region, TargetName, RequestToken);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_targets_name_holds_entry_and_region() {
        let name = TargetName::new("prod/eu", &Region("eu-west-1".into()));
        assert_eq!(name.as_str(), "prod/eu/eu-west-1");
        assert_eq!(name.entry(), "prod/eu");
    }
}
