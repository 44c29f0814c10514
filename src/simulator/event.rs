//! What an answer says: ProgressEvent and HookProgressEvent, in the shapes of the service model (API 2021-09-30).

use std::sync::Arc;

use fastrand::Rng;
use serde::{Serialize, Serializer};

use super::faults::{Faults, happens};
use super::token::Token;
use crate::model::{ErrorCode, FailureMode, HookStatus, Operation, RequestStatus, Timestamp};

/// A word for a status that no documentation knows (trap 13).
const UNKNOWN_STATUS: &str = "AWAITING_APPROVAL";
const UNKNOWN_HOOK_STATUS: &str = "HOOK_AWAITING_APPROVAL";

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProgressEvent {
    #[serde(skip)]
    pub(super) sequence: u64,
    pub request_token: Token,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hooks_request_token: Option<Token>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_name: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_status: Option<RequestStatus>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "float_seconds")]
    pub event_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_model: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "float_seconds")]
    pub retry_after: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HookProgressEvent {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_type_name: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_type_version_id: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_type_arn: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation_point: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_status: Option<HookStatus>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "float_seconds")]
    pub hook_event_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_status_message: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_mode: Option<FailureMode>,
}

/// The protocol's timestamps: seconds since 1970 with decimals.
#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn float_seconds<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 stay below 2^53 for 285,000 years"
    )]
    let seconds = time.map(|time| time.as_millis() as f64 / 1000.0);
    seconds.serialize(serializer)
}

impl ProgressEvent {
    /// Applies the faults that lie in what an event says.
    pub(super) fn mar(&mut self, rng: &mut Rng, faults: &Faults) {
        if self.operation_status.is_some() && happens(rng, faults.unknown_statuses) {
            self.operation_status = Some(UNKNOWN_STATUS.into());
        }
        if faults.missing_fields > 0.0 {
            let share = faults.missing_fields;
            lose(rng, share, &mut self.hooks_request_token);
            lose(rng, share, &mut self.type_name);
            lose(rng, share, &mut self.identifier);
            lose(rng, share, &mut self.operation);
            lose(rng, share, &mut self.operation_status);
            lose(rng, share, &mut self.event_time);
            lose(rng, share, &mut self.resource_model);
            lose(rng, share, &mut self.status_message);
            lose(rng, share, &mut self.error_code);
            lose(rng, share, &mut self.retry_after);
        }
    }
}

impl HookProgressEvent {
    /// Applies the faults that lie in what an event says.
    pub(super) fn mar(&mut self, rng: &mut Rng, faults: &Faults) {
        if self.hook_status.is_some() && happens(rng, faults.unknown_statuses) {
            self.hook_status = Some(UNKNOWN_HOOK_STATUS.into());
        }
        if faults.missing_fields > 0.0 {
            let share = faults.missing_fields;
            lose(rng, share, &mut self.hook_type_name);
            lose(rng, share, &mut self.hook_type_version_id);
            lose(rng, share, &mut self.hook_type_arn);
            lose(rng, share, &mut self.invocation_point);
            lose(rng, share, &mut self.hook_status);
            lose(rng, share, &mut self.hook_event_time);
            lose(rng, share, &mut self.hook_status_message);
            lose(rng, share, &mut self.failure_mode);
        }
    }
}

pub(super) fn lose<T>(rng: &mut Rng, share: f64, field: &mut Option<T>) {
    if happens(rng, share) {
        *field = None;
    }
}
