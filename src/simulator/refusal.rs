//! How the service says no.

use thiserror::Error;

use super::scenario::Action;
use super::token::Token;
use crate::model::RequestStatus;

/// An error as the service answers it.
///
/// HTTP statuses are those seen on the wire, which differ from the service model's: not found, conflicts and
/// throttling came back as 400. Clients must go by the code. Two name spaces, as at AWS: what the service itself says,
/// and what the framework in front of it says.
///
/// Where a message is not documented, it is the one that was recorded at AWS: most of them by LocalStack
/// (`tests/aws/services/cloudcontrol/test_cloudcontrol_api.snapshot.json`), others in public issues, named where they
/// are used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Refusal {
    pub http_status: u16,
    pub code: &'static str,
    pub message: String,
    pub(super) origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Service,
    Framework,
}

impl Refusal {
    fn service(code: &'static str, message: String) -> Self {
        Self {
            http_status: 400,
            code,
            message,
            origin: Origin::Service,
        }
    }

    fn framework(code: &'static str, message: &str) -> Self {
        Self {
            http_status: 400,
            code,
            message: message.to_owned(),
            origin: Origin::Framework,
        }
    }

    pub(super) fn is_throttling(&self) -> bool {
        self.code == "ThrottlingException"
    }

    pub(super) fn request_token_not_found(token: &str) -> Self {
        Self::service(
            "RequestTokenNotFoundException",
            format!("Request with token {token} was not found"),
        )
    }

    /// Not among the operation's declared errors, but what was recorded.
    pub(super) fn already_finished(token: Token, status: &RequestStatus) -> Self {
        Self::service(
            "ValidationException",
            format!("Request {token} is already in status {status}"),
        )
    }

    pub(super) fn client_token_conflict(client_token: &str, first: Token) -> Self {
        Self::service(
            "ClientTokenConflictException",
            format!(
                "ClientToken {client_token} is already associated with an existing operation with RequestToken {first}"
            ),
        )
    }

    pub(super) fn type_not_found(type_name: &str) -> Self {
        Self::service(
            "TypeNotFoundException",
            format!("The type '{type_name}' cannot be found."),
        )
    }

    /// No recorded answer was found: the wording is ours.
    pub(super) fn unsupported_action(type_name: &str, action: Action) -> Self {
        Self::service(
            "UnsupportedActionException",
            format!("Resource type {type_name} does not support {} action", action.as_str()),
        )
    }

    pub(super) fn invalid_request(message: String) -> Self {
        Self::service("InvalidRequestException", message)
    }

    /// What the service finds wrong with a model or a patch of one before it starts a request. Not among the operations'
    /// declared errors, but what was recorded.
    pub(super) fn invalid_model(message: String) -> Self {
        Self::service("ValidationException", message)
    }

    /// Seen in public as radius-project/radius#7066.
    pub(super) fn concurrent_operation(identifier: &str, at_work: Token) -> Self {
        Self::service(
            "ConcurrentOperationException",
            format!("Concurrent operation found for resource {identifier} with RequestToken {at_work}"),
        )
    }

    /// What a handler says that is run while the client waits, as those that read are.
    pub(super) fn resource_not_found(type_name: &str, message: &str, handled: Token) -> Self {
        Self::service(
            "ResourceNotFoundException",
            format!(
                "{type_name} Handler returned status FAILED: {message} (HandlerErrorCode: NotFound, RequestToken: \
                 {handled})"
            ),
        )
    }

    pub(super) fn not_updatable(property: &str) -> Self {
        Self::service(
            "NotUpdatableException",
            format!("Invalid patch update: createOnlyProperties [/properties/{property}] cannot be updated"),
        )
    }

    /// All that is wrong with an input, in the framework's own form.
    pub(super) fn validation(problems: &[String]) -> Self {
        let count = problems.len();
        let errors = if count == 1 { "error" } else { "errors" };
        Self::framework(
            "ValidationException",
            &format!("{count} validation {errors} detected: {}", problems.join("; ")),
        )
    }

    pub(super) fn serialization(message: &str) -> Self {
        Self::framework("SerializationException", message)
    }

    pub(super) fn unknown_operation() -> Self {
        Self::framework(
            "UnknownOperationException",
            "The operation is not known to this service.",
        )
    }

    pub(super) fn request_too_large() -> Self {
        Self {
            http_status: 413,
            ..Self::framework("RequestEntityTooLargeException", "The request is larger than 1 MiB.")
        }
    }

    pub(super) fn request_timeout() -> Self {
        Self {
            http_status: 408,
            ..Self::framework("RequestTimeoutException", "The request took too long to arrive.")
        }
    }

    pub(super) fn throttling() -> Self {
        Self::service("ThrottlingException", "Rate exceeded".to_owned())
    }

    pub(super) fn expired_token() -> Self {
        Self::framework(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        )
    }

    pub(super) fn access_denied(caller: &str, operation: &str) -> Self {
        Self::framework(
            "AccessDeniedException",
            &format!(
                "User: {caller} is not authorized to perform: cloudformation:{operation} because no identity-based \
                 policy allows the cloudformation:{operation} action"
            ),
        )
    }

    pub(super) fn too_many_worlds(limit: usize) -> Self {
        Self::framework(
            "LimitExceededException",
            &format!(
                "The simulator holds {limit} worlds, one for each account and Region that was called, and makes no more."
            ),
        )
    }

    pub(super) fn missing_authentication_token() -> Self {
        Self::framework(
            "MissingAuthenticationTokenException",
            "Request is missing Authentication Token",
        )
    }

    pub(super) fn incomplete_signature(message: &str) -> Self {
        Self::framework("IncompleteSignatureException", message)
    }

    pub(super) fn invalid_signature(message: String) -> Self {
        Self {
            message,
            ..Self::framework("InvalidSignatureException", "")
        }
    }

    pub(super) fn signature_does_not_match() -> Self {
        Self::framework(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
             and signing method. Consult the service documentation for details.",
        )
    }

    pub(super) fn internal_failure() -> Self {
        Self {
            http_status: 500,
            ..Self::framework(
                "InternalFailure",
                "The request processing has failed because of an unknown error.",
            )
        }
    }

    pub(super) fn service_unavailable() -> Self {
        Self {
            http_status: 503,
            ..Self::framework(
                "ServiceUnavailableException",
                "The service is temporarily unable to handle the request.",
            )
        }
    }
}
