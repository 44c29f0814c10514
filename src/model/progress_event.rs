//! What Cloud Control says of a request and of the hooks that guard it.
//!
//! Every member is optional, as in the service model (API 2021-09-30), except the request token: an event without one
//! is about nothing, and `cloud` drops it with a warning.

use super::word::word;
use super::{RequestToken, Timestamp};

word! {
    /// What was asked for.
    /// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ProgressEvent.html>
    Operation {
        Create = "CREATE",
        Update = "UPDATE",
        Delete = "DELETE",
    }
}

word! {
    /// How far a request is.
    RequestStatus {
        Pending = "PENDING",
        InProgress = "IN_PROGRESS",
        Success = "SUCCESS",
        Failed = "FAILED",
        CancelInProgress = "CANCEL_IN_PROGRESS",
        CancelComplete = "CANCEL_COMPLETE",
    }
}

impl RequestStatus {
    /// Whether the request has ended, so that its status is never left again. CANCEL_COMPLETE is final, though neither
    /// success nor roll-back; CANCEL_IN_PROGRESS is not (trap 12). An unknown word is taken for open: it is looked at
    /// again rather than forgotten (trap 13).
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::CancelComplete)
    }
}

word! {
    /// Why a request failed.
    ErrorCode {
        NotUpdatable = "NotUpdatable",
        InvalidRequest = "InvalidRequest",
        AccessDenied = "AccessDenied",
        UnauthorizedTaggingOperation = "UnauthorizedTaggingOperation",
        InvalidCredentials = "InvalidCredentials",
        AlreadyExists = "AlreadyExists",
        NotFound = "NotFound",
        ResourceConflict = "ResourceConflict",
        Throttling = "Throttling",
        ServiceLimitExceeded = "ServiceLimitExceeded",
        NotStabilized = "NotStabilized",
        GeneralServiceException = "GeneralServiceException",
        ServiceInternalError = "ServiceInternalError",
        ServiceTimeout = "ServiceTimeout",
        NetworkFailure = "NetworkFailure",
        InternalFailure = "InternalFailure",
    }
}

word! {
    /// How far a hook's invocation is. A plain string in the service model; these are the documented words.
    HookStatus {
        Pending = "HOOK_PENDING",
        InProgress = "HOOK_IN_PROGRESS",
        CompleteSucceeded = "HOOK_COMPLETE_SUCCEEDED",
        CompleteFailed = "HOOK_COMPLETE_FAILED",
        Failed = "HOOK_FAILED",
    }
}

impl HookStatus {
    pub fn is_final(&self) -> bool {
        matches!(self, Self::CompleteSucceeded | Self::CompleteFailed | Self::Failed)
    }

    /// Whether the hook found fault with the request, or could not judge it.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::CompleteFailed | Self::Failed)
    }
}

word! {
    /// What a failing hook does to its request: FAIL fails it too, WARN leaves it be.
    FailureMode {
        Fail = "FAIL",
        Warn = "WARN",
    }
}

/// One answer about one request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProgressEvent {
    pub request_token: RequestToken,
    pub hooks_request_token: Option<String>,
    pub type_name: Option<String>,
    pub identifier: Option<String>,
    pub operation: Option<Operation>,
    pub status: Option<RequestStatus>,
    pub error_code: Option<ErrorCode>,
    pub status_message: Option<String>,
    /// Documented as the time of initiation, seen to move: never used to order (law 2).
    pub event_time: Option<Timestamp>,
    /// On the server's clock: when to next request the status of this request.
    pub retry_after: Option<Timestamp>,
    /// JSON in a string. May hold secrets, and up to 256 KiB (trap 15): present only as far as the configuration's
    /// `resource_model` lets it in, so that what is not wanted gets no further than `cloud`.
    pub resource_model: Option<String>,
}

impl ProgressEvent {
    /// An event that says nothing yet but whose it is.
    pub fn of(request_token: RequestToken) -> Self {
        Self {
            request_token,
            hooks_request_token: None,
            type_name: None,
            identifier: None,
            operation: None,
            status: None,
            error_code: None,
            status_message: None,
            event_time: None,
            retry_after: None,
            resource_model: None,
        }
    }
}

/// One answer about one invocation of a hook. It has no id of its own (trap 14).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HookProgressEvent {
    pub hook_type_name: Option<String>,
    pub hook_type_version_id: Option<String>,
    pub hook_type_arn: Option<String>,
    pub invocation_point: Option<String>,
    pub status: Option<HookStatus>,
    pub event_time: Option<Timestamp>,
    pub status_message: Option<String>,
    pub failure_mode: Option<FailureMode>,
}
