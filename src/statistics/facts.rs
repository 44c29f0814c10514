//! What statistics look at: a few columns of a row, borrowed from whoever reads it.

use std::time::Duration;

use super::{HookOutcome, Outcome};
use crate::model::Timestamp;

/// Of a request. What is not known is `None`.
#[derive(Debug, Clone, Copy)]
pub struct RequestFacts<'a> {
    /// When it started, or was first seen.
    pub at: Timestamp,
    pub target: &'a str,
    pub region: &'a str,
    pub type_name: Option<&'a str>,
    pub operation: Option<&'a str>,
    pub error_code: Option<&'a str>,
    pub outcome: Outcome,
    /// From its start to its end, by the service's word; where it gave no time for the end, up to ccwatch's look.
    pub took: Option<Duration>,
}

/// Of an invocation of a hook.
#[derive(Debug, Clone, Copy)]
pub struct HookFacts<'a> {
    pub first_seen_at: Timestamp,
    pub hook_type_name: Option<&'a str>,
    pub hook_type_version_id: Option<&'a str>,
    pub outcome: HookOutcome,
    /// Whether it failed by HOOK_FAILED: it broke, rather than finding fault.
    pub is_broken: bool,
    /// From when ccwatch first saw it to when ccwatch saw it ended. A hook that had ended by the first look took no time as
    /// far as that goes, which says nothing: `None`.
    pub latency: Option<Duration>,
}
