//! What one look showed of one request.

use super::{HookProgressEvent, ProgressEvent, RequestKey, Timestamp};

/// Which call showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// ListResourceRequests: up to 100 requests a call, never their hooks (trap 4).
    List,
    /// GetResourceRequestStatus: one request, and its hooks.
    Get,
    /// The answer to a call that began the request, or cancelled it: one request, without its hooks.
    Call,
}

impl Source {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Get => "get",
            Self::Call => "call",
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The service knows the request. Hooks are `None` where the look could not show them (a list).
    Event(Box<ProgressEvent>, Option<Vec<HookProgressEvent>>),
    /// RequestTokenNotFound: expired, or the wrong account or Region; not failed (trap 8).
    Gone,
}

/// One look's result for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    pub key: RequestKey,
    /// ccwatch's own clock, when the answer was there. What happened between two looks is not known, so this is kept
    /// apart from the event's own time (trap 17).
    pub seen_at: Timestamp,
    pub source: Source,
    pub seen: Seen,
}
