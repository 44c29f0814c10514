//! What one message tells: a change, many changes at once, or how a receiver is doing.

use serde::Serialize;

use super::{Announcement, EventId, Incident, Timestamp};

/// What one message tells. Serialized, it is what machines are handed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum News {
    Change(Box<Announcement>),
    Digest(Box<Digest>),
    Receiver(Box<ReceiverNotice>),
}

impl News {
    /// Stays over retries.
    pub fn id(&self) -> &EventId {
        match self {
            Self::Change(announcement) => &announcement.id,
            Self::Digest(digest) => &digest.id,
            Self::Receiver(notice) => &notice.id,
        }
    }

    /// The change's kind, `digest`, `receiver.failing` or `receiver.recovered`.
    pub fn kind(&self) -> &str {
        match self {
            Self::Change(announcement) => announcement.kind.as_str(),
            Self::Digest(_) => "digest",
            Self::Receiver(notice) if notice.is_failing => "receiver.failing",
            Self::Receiver(_) => "receiver.recovered",
        }
    }

    /// When ccwatch saw it; of a digest the last of its changes.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Change(announcement) => announcement.at,
            Self::Digest(digest) => digest.to,
            Self::Receiver(notice) => notice.at,
        }
    }

    /// The change, where it is one alone.
    pub fn change(&self) -> Option<&Announcement> {
        match self {
            Self::Change(announcement) => Some(announcement),
            Self::Digest(_) | Self::Receiver(_) => None,
        }
    }

    pub fn incident(&self) -> Option<&Incident> {
        self.change()?.incident.as_ref()
    }
}

/// Many changes told at once, to a receiver that people read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Digest {
    /// Stays over retries as long as the same changes are told.
    #[serde(skip)]
    pub id: EventId,
    /// When the first and the last of the changes were seen.
    pub from: Timestamp,
    pub to: Timestamp,
    pub changes: u32,
    pub requests: u32,
    /// How many of the changes were told before, and are told again because someone asked for that.
    pub replayed: u32,
    /// How many changes of each sort, the worst sort first.
    pub counts: Vec<DigestCount>,
    /// How many changes in each target, most first.
    pub targets: Vec<(String, u32)>,
    /// How many changes of each resource type, most first; `None` for those whose type is not known.
    pub types: Vec<(Option<String>, u32)>,
    /// Some of the changes, the worst first.
    pub worst: Vec<Announcement>,
}

/// How many changes of one sort a digest tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DigestCount {
    pub kind: String,
    /// The new status.
    pub status: Option<String>,
    pub failure_mode: Option<String>,
    pub count: u32,
}

/// That a receiver has failed for long, or is well again: told to the receiver that its `escalate_to` names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReceiverNotice {
    #[serde(skip)]
    pub id: EventId,
    pub at: Timestamp,
    /// The receiver that it is about.
    pub receiver: String,
    /// Since when it fails, or failed.
    pub since: Timestamp,
    /// Whether it fails still.
    pub is_failing: bool,
    /// How many deliveries wait for it.
    pub waiting: u32,
    /// Why its last attempt failed.
    pub error: Option<String>,
}
