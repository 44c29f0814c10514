//! Which changes of a route are told together, and when.
//!
//! - Changes whose grouping fields are the same share a [`key`], and wait for each other: the first of them opens a flush
//!   that lies [`Grouping::wait`] ahead, and what comes until then joins it.
//! - A group that has just been told waits until [`Grouping::interval`] has passed, so that whoever reads gets at most one
//!   message an interval and group.
//! - A flush that is waited for is never put off: what keeps happening can't keep itself from being told. (Waiting for a
//!   quiet moment instead would be silent just when most goes wrong.)
//!
//! The words are Alertmanager's, whose users know them. Unlike there, a group that has nothing new to tell is not told
//! again: news is told once.

use std::fmt::Write;
use std::time::Duration;

use super::route::{Field, Subject};
use crate::model::Timestamp;

/// How the changes of a route wait for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// What changes of one group have in common; with none, all changes of the route are one group.
    pub by: Vec<Field>,
    /// How long the first change of a group waits for others.
    pub wait: Duration,
    /// The least time between two flushes of a group.
    pub interval: Duration,
}

impl Grouping {
    pub const DEFAULT_WAIT: Duration = Duration::from_secs(10);
    pub const DEFAULT_INTERVAL: Duration = Duration::from_mins(5);
}

/// The name of the group that a change belongs to: `failures{target="prod/eu-west-1",error_code=-}`.
///
/// Two changes have the same one only if the route, the fields and all of their values are the same. It is printable
/// ASCII, and the same in each run and version, since it is kept in the history. (A hash would be shorter, but tell no
/// one what waits. `{:?}` would not do: what it escapes follows Unicode's tables, which Rust renews.)
pub fn key(route: &str, grouping: &Grouping, subject: &Subject<'_>) -> String {
    let mut key = format!("{}{{", route.escape_default());
    for (index, field) in grouping.by.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        // Writing to a string can't fail.
        let _ = match subject.value(*field) {
            Some(value) => write!(key, "{comma}{}=\"{}\"", field.key(), value.escape_default()),
            // An absent value is none of the values: it has no quotes.
            None => write!(key, "{comma}{}=-", field.key()),
        };
    }
    key.push('}');
    key
}

/// When a change that comes `now` is told: with the flush that its group already waits for (`pending_flush`); else, if
/// the group was told within the last interval (`last_flush`), when that has passed; else after [`Grouping::wait`].
///
/// A last flush that lies in the future, as it does after the clock was put back, counts as now: a group is never silent
/// for longer than an interval.
pub fn due_at(
    now: Timestamp,
    grouping: &Grouping,
    pending_flush: Option<Timestamp>,
    last_flush: Option<Timestamp>,
) -> Timestamp {
    if let Some(flush) = pending_flush {
        return flush;
    }
    let rested = last_flush.map(|last| last.min(now).plus(grouping.interval));
    match rested {
        Some(rested) if rested > now => rested,
        _ => now.plus(grouping.wait),
    }
}

#[cfg(test)]
#[path = "grouping_tests.rs"]
mod tests;
