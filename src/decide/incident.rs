//! What opens an incident, and what resolves it.
//!
//! Incidents are for receivers that keep them open until someone, or a later success, closes them: PagerDuty, Opsgenie,
//! Alertmanager. An incident belongs to a resource (account, Region, type, identifier), not to a request: whoever mends a
//! failed request does it by another one.
//!
//! - A success resolves what an earlier request on the resource opened, and what this request itself opened by being
//!   stuck.
//! - It does not resolve what a hook of the *same* request opened: a hook in WARN mode found fault, the request went on
//!   and succeeded, and the fault is in what now exists. The next request on the resource that succeeds without one is
//!   what mends it.
//! - A cancel that is complete resolves only that the same request was stuck. It mends nothing that was wrong with the
//!   resource before.
//! - A lost request resolves nothing: how it ended is not known.

use crate::model::{Change, ChangeKind, HookStatus, RequestStatus};

/// What a change means to the incident of its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearing {
    /// Something is wrong. `by_hook`: a hook found it, whatever becomes of the request.
    Opens { by_hook: bool },
    /// It may be right again: ask [`Ending::resolves`].
    Resolves(Ending),
}

/// An end of a request that can resolve an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Success,
    Cancelled,
}

/// What is open, from the view of a request on the same resource that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenIncident {
    /// Whether what opened it last was this same request, or a hook of it.
    pub opened_by_request: bool,
    /// Whether what opened it last was a hook.
    pub by_hook: bool,
}

/// What `change` means to the incident of its resource; `None` if nothing.
pub fn bearing(change: &Change) -> Option<Bearing> {
    let to = change.to.as_deref().unwrap_or_default();
    match change.kind {
        ChangeKind::RequestLost | ChangeKind::RequestStuck => Some(Bearing::Opens { by_hook: false }),
        ChangeKind::RequestStatus => match RequestStatus::from(to) {
            RequestStatus::Failed => Some(Bearing::Opens { by_hook: false }),
            RequestStatus::Success => Some(Bearing::Resolves(Ending::Success)),
            RequestStatus::CancelComplete => Some(Bearing::Resolves(Ending::Cancelled)),
            _ => None,
        },
        ChangeKind::HookStatus => match HookStatus::from(to) {
            HookStatus::CompleteFailed | HookStatus::Failed => Some(Bearing::Opens { by_hook: true }),
            _ => None,
        },
        _ => None,
    }
}

impl Ending {
    pub fn resolves(self, open: &OpenIncident) -> bool {
        // What a request opened before it ended, and not by a hook, is that it was stuck: its failure or its loss would
        // have been its end.
        let was_stuck = open.opened_by_request && !open.by_hook;
        match self {
            Self::Success => was_stuck || !open.opened_by_request,
            Self::Cancelled => was_stuck,
        }
    }
}

#[cfg(test)]
#[path = "incident_tests.rs"]
mod tests;
