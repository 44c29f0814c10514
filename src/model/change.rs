//! What differs from the state that was known: the unit of news.

use super::word::word;
use super::{ErrorCode, HookKey, Timestamp};

word! {
    /// What kind of news.
    ChangeKind {
        /// A request has another status than was known, or is seen for the first time.
        RequestStatus = "request.status",
        /// The same status, but another message, identifier or error code.
        RequestDetail = "request.detail",
        /// The request's token expired before a final status was seen.
        RequestLost = "request.lost",
        /// The request is open for longer than such a request usually is, or than AWS said.
        RequestStuck = "request.stuck",
        /// A hook's invocation has another status than was known, or is seen for the first time.
        HookStatus = "hook.status",
        /// The same hook status, but another message or failure mode.
        HookDetail = "hook.detail",
    }
}

/// One piece of news about one request, or about one of its hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub kind: ChangeKind,
    /// When ccwatch saw it.
    pub at: Timestamp,
    /// The service's own time for it, where it gave one.
    pub event_time: Option<Timestamp>,
    /// The status before; `None` for what is seen for the first time.
    pub from: Option<String>,
    /// The status now.
    pub to: Option<String>,
    pub error_code: Option<ErrorCode>,
    pub message: Option<String>,
    /// Which hook it is about; `None` where it is about the request itself.
    pub hook: Option<HookKey>,
}
