//! What is remembered of a request: the state that a sighting is compared with.

use super::{ErrorCode, FailureMode, HookStatus, Operation, RequestKey, RequestStatus, Timestamp};

/// Where a request stands in ccwatch's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// No final status seen yet: worth looking at.
    Open,
    /// A final status was seen. Never left (law 2).
    Finished,
    /// Its token expired before a final status was seen: how it ended is not known and will not be (trap 8).
    Lost,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Finished => "finished",
            Self::Lost => "lost",
        }
    }
}

/// Which invocation of which hook. The service gives an invocation no id, and one hook type can be invoked more than
/// once for a request (trap 14), so the invocations of one hook at one point are numbered from 0 as they appear.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HookKey {
    pub hook_type_name: Option<String>,
    pub hook_type_arn: Option<String>,
    pub hook_type_version_id: Option<String>,
    pub invocation_point: Option<String>,
    pub ordinal: u32,
}

/// What is remembered of one invocation of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookState {
    pub key: HookKey,
    pub status: Option<HookStatus>,
    pub status_message: Option<String>,
    pub failure_mode: Option<FailureMode>,
    pub event_time: Option<Timestamp>,
    pub first_seen_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

impl HookState {
    pub fn is_final(&self) -> bool {
        self.status.as_ref().is_some_and(HookStatus::is_final)
    }
}

/// What is remembered of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestState {
    pub hooks_request_token: Option<String>,
    pub type_name: Option<String>,
    pub identifier: Option<String>,
    pub operation: Option<Operation>,
    pub status: Option<RequestStatus>,
    pub error_code: Option<ErrorCode>,
    pub status_message: Option<String>,
    /// The service's time in the newest event.
    pub event_time: Option<Timestamp>,
    /// The earliest event time seen: EventTime moves as a request progresses, so the earliest is the nearest to its
    /// start.
    pub started_at: Option<Timestamp>,
    /// From the newest event, on the server's clock. Nothing may Get the request before it (law 5).
    pub retry_after: Option<Timestamp>,
    pub phase: Phase,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// How many more Gets its hooks are worth now that it is finished; 0 while it is open. Fast hooks and WARN failures
    /// are only seen by a Get that comes after the final status (trap 4), and a hook that still runs then is followed
    /// for a few looks more, not for ever.
    pub final_looks_left: u32,
    /// How many looks in a row found the token unknown.
    pub gone_looks: u32,
    /// When it was last found gone, in such a row; `None` while it is not. The same look is not counted twice.
    pub gone_at: Option<Timestamp>,
    /// Whether news of this request is told. False for what was already finished when its target was first swept
    /// (law 6): it is remembered, hooks and all, without a word to anyone.
    pub announced: bool,
    pub resource_model: Option<String>,
    /// Ordered by key.
    pub hooks: Vec<HookState>,
}

/// What the agenda needs to know of a request to choose its next look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub key: RequestKey,
    pub phase: Phase,
    pub final_looks_left: u32,
    pub gone_looks: u32,
    /// Whether its status is a word that this version does not know, which no list with a filter shows (trap 13).
    pub is_unlisted: bool,
    /// Whether only a Get can show what is still to come: it has a HooksRequestToken, and either its hooks were never
    /// read or one of them is not final.
    pub hooks_pending: bool,
    pub announced: bool,
    pub retry_after: Option<Timestamp>,
    /// On our clock. The age that stands in for an absent RetryAfter grows from here.
    pub first_seen_at: Timestamp,
}

impl RequestState {
    /// See [`Standing::hooks_pending`].
    pub fn hooks_pending(&self) -> bool {
        self.hooks_request_token.is_some() && (self.hooks.is_empty() || !self.hooks.iter().all(HookState::is_final))
    }

    pub fn standing(&self, key: RequestKey) -> Standing {
        Standing {
            key,
            phase: self.phase,
            final_looks_left: self.final_looks_left,
            gone_looks: self.gone_looks,
            is_unlisted: matches!(self.status, Some(RequestStatus::Other(_))),
            hooks_pending: self.hooks_pending(),
            announced: self.announced,
            retry_after: self.retry_after,
            first_seen_at: self.first_seen_at,
        }
    }
}
