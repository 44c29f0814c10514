//! What a receiver is handed: a change with the request and the hook that it is about.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::rows::{HookRow, RequestRow};
use super::{AccountId, ChangeKind, Incident, Region, Timestamp};

/// Identifies a change to the outside. The same in each attempt to deliver it and for each receiver, and never used for
/// another change, not even by another history file: receivers that throw away what they have seen may rely on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EventId(pub String);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A change, ready to be told. Serialized, it is the `data` of the webhook's CloudEvent and the `exec` receiver's
/// standard input, so its fields are public: they are only ever added to.
///
/// `from`, `to`, `at` and `message` are the change's own. `request` and `hook` are as they stand when the attempt is
/// made, which may be later: a receiver that was down for an hour is told of each step, and with each of them where the
/// request has got to by now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Announcement {
    #[serde(skip)]
    pub id: EventId,
    pub kind: ChangeKind,
    pub from: Option<String>,
    pub to: Option<String>,
    pub at: Timestamp,
    pub event_time: Option<Timestamp>,
    /// Whether it happened in a gap: while its target was not looked at (law 7).
    pub observed_late: bool,
    pub error_code: Option<String>,
    pub message: Option<String>,
    pub target: String,
    pub account_id: Option<AccountId>,
    pub region: Region,
    pub request: RequestRow,
    pub hook: Option<HookRow>,
    /// How often requests on the same resource (target, type and identifier) went from success to failure or back, within
    /// [`Announcement::TURNS_WITHIN`] before the change.
    pub turns: u32,
    /// For receivers of incidents.
    pub incident: Option<Incident>,
    /// Whether it was told before, and is told again because someone asked for that.
    pub replayed: bool,
}

impl Announcement {
    /// The time in which [`turns`](Self::turns) are counted.
    pub const TURNS_WITHIN: Duration = Duration::from_hours(24);
    /// So many turns are called flapping.
    pub const FLAPPING: u32 = 3;

    pub fn is_flapping(&self) -> bool {
        self.turns >= Self::FLAPPING
    }
}
