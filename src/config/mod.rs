//! The configuration file: TOML in, a validated [`Config`] out, or every problem at once with its line and column.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::decide::cadence::Pace;
use crate::decide::route::Route;
use crate::model::{AccountId, Region};

/// What `ccwatch run` is told to do. Whatever can be checked without a network has been.
#[derive(Debug)]
pub struct Config {
    pub history: HistorySettings,
    /// One for each `[[targets]]` entry and Region.
    pub targets: Vec<TargetSettings>,
    pub receivers: Vec<ReceiverSettings>,
    pub routes: Vec<Route>,
}

/// `[history]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistorySettings {
    pub path: PathBuf,
    /// How long what has ended is kept; `None` for ever.
    pub retention: Option<Duration>,
    pub resource_model: ResourceModelPolicy,
}

/// What is kept of a ResourceModel, which may hold secrets (trap 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResourceModelPolicy {
    /// Nothing.
    #[default]
    Drop,
    /// Its shape, with every value masked.
    Redact,
    /// All of it.
    Keep,
}

/// A `[[targets]]` entry in one of its Regions.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetSettings {
    /// The entry's name.
    pub entry: String,
    pub region: Region,
    pub account_id: Option<AccountId>,
    pub profile: Option<String>,
    pub role: Option<RoleSettings>,
    pub endpoint_url: Option<Url>,
    pub pace: Pace,
}

/// A role to assume before looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSettings {
    pub arn: String,
    pub external_id: Option<String>,
    pub session_name: Option<String>,
}

/// A `[[receivers]]` entry.
#[derive(Debug, Clone)]
pub struct ReceiverSettings {
    pub name: String,
    /// How long a delivery is retried.
    pub give_up_after: Duration,
    /// How long one attempt may take.
    pub time_out: Duration,
    pub kind: ReceiverKind,
}

/// The receiver's `type`, with the keys that it alone has.
#[derive(Debug, Clone)]
pub enum ReceiverKind {
    Log {
        format: LogFormat,
    },
    Webhook {
        /// Secret as a whole: what grants access often stands in its path or query.
        url: SecretString,
        /// `whsec_…`; more than one while the secret is being rotated. Empty: unsigned.
        secrets: Vec<SecretString>,
    },
    Slack {
        url: SecretString,
    },
    Exec {
        /// The program and its arguments. No shell is involved.
        command: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}
