//! Why a call failed, in types for the poller and in words for people.

use std::error::Error;
use std::fmt;
use std::iter;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cloudcontrol::config::http::HttpResponse;
use aws_sdk_cloudcontrol::error::{ProvideErrorMetadata, SdkError};

use crate::model::printable;

/// What kind of failure: decides what the poller does and what a person can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Asked too much (trap 7): the budget shrinks.
    Throttled,
    /// No credentials, expired or invalid ones.
    Credentials,
    /// Known credentials that may not do this.
    Denied,
    /// No connection, no answer in time, or one that broke off.
    Unreachable,
    /// The service had a fault of its own.
    Service,
    /// An answer that can't be read, or that is not one of Cloud Control's.
    Malformed,
    /// An error that the service names and this version has no words for.
    Other,
}

impl Cause {
    /// Whether only a person can mend it, so that waiting will not.
    pub fn needs_a_person(self) -> bool {
        matches!(self, Self::Credentials | Self::Denied)
    }

    /// What a person can do.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Throttled => {
                "the account's Cloud Control quota is used up; ccwatch slows down by itself. Lower \
                 max_calls_per_second for this target if deployments suffer"
            }
            Self::Credentials => {
                "give ccwatch valid credentials for this target: check profile, role_arn, the AWS_* variables or the \
                 instance's role; `aws sts get-caller-identity` with the same settings should answer. Keys and profiles \
                 that change on disk are read at a start: then restart ccwatch"
            }
            Self::Denied => {
                "allow cloudformation:ListResourceRequests and cloudformation:GetResourceRequestStatus on \"*\" for \
                 this target's identity, and look for a service control policy that denies the Region"
            }
            Self::Unreachable => {
                "check the network, proxies and endpoint_url, and that the Region exists and is enabled for the account"
            }
            Self::Service => "nothing to do here: the service had a fault",
            Self::Malformed => {
                "check that endpoint_url and any proxy lead to Cloud Control: the answer is not one of its own"
            }
            Self::Other => "look the code up in the Cloud Control API reference",
        }
    }
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub cause: Cause,
    /// What the service, or the way to it, said: one printable line of bounded length.
    pub message: String,
    /// Whether Cloud Control itself said so, by an error code, and not something on the way.
    pub(super) is_of_the_service: bool,
    /// Whether no connection was made, so that nothing can have been sent. Else it may have been.
    pub(super) is_unsent: bool,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}

impl Failure {
    /// The longest message that is kept, in characters.
    const LONGEST: usize = 500;

    pub fn new(cause: Cause, message: &str) -> Self {
        let mut message = printable(message).into_owned();
        if let Some((cut, _)) = message.char_indices().nth(Self::LONGEST) {
            message.truncate(cut);
            message.push('…');
        }
        Self {
            cause,
            message,
            is_of_the_service: false,
            is_unsent: false,
        }
    }

    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        Self::redacted(error, |message| message)
    }

    /// As [`Self::of`], with what must not be told taken out by `redact`, which is given the message as it came.
    pub(super) fn redacted<E>(error: &SdkError<E, HttpResponse>, redact: impl FnOnce(String) -> String) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let (cause, message) = match error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let (code, text) = (service.err().code(), service.err().message());
                (by_code(code, status), said(code, text, status))
            }
            // Wherever it stands: the SDK reports credentials that can't be had as a failure to dispatch.
            _ if speaks_of_credentials(error) => (Cause::Credentials, chain(error)),
            SdkError::TimeoutError(_) => (Cause::Unreachable, "no answer in time".to_owned()),
            SdkError::DispatchFailure(failure) => {
                let text = failure
                    .as_connector_error()
                    .map_or_else(|| chain(error), |connector| chain(connector));
                (Cause::Unreachable, text)
            }
            // The answer did not parse, or its body broke off while it was read.
            SdkError::ResponseError(response) => {
                let status = response.raw().status().as_u16();
                let cause = if status >= 500 {
                    Cause::Service
                } else {
                    Cause::Malformed
                };
                (
                    cause,
                    format!(
                        "an answer with HTTP status {status} that can't be read: {}",
                        chain(error)
                    ),
                )
            }
            _ => (Cause::Other, chain(error)),
        };
        let is_of_the_service = error.as_service_error().is_some_and(|error| error.code().is_some());
        Self {
            is_of_the_service,
            is_unsent: has_no_connection(error),
            ..Self::new(cause, &redact(message))
        }
    }
}

/// By the error's code; by the HTTP status only where the body named none (a proxy's answer, say).
fn by_code(code: Option<&str>, status: u16) -> Cause {
    match code {
        Some(
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "SlowDown"
            | "BandwidthLimitExceeded"
            | "LimitExceededException"
            | "PriorRequestNotComplete",
        ) => Cause::Throttled,
        Some(
            "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidAccessKeyId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "InvalidToken"
            | "RequestExpired"
            | "RequestTimeTooSkewed"
            | "AuthFailure"
            | "InvalidCredentialsException",
        ) => Cause::Credentials,
        Some(
            "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "NotAuthorized"
            | "OptInRequired"
            | "AuthorizationError"
            | "AuthorizationErrorException",
        ) => Cause::Denied,
        Some(
            "InternalFailure"
            | "InternalServerError"
            | "InternalError"
            | "InternalServerException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "HandlerInternalFailureException"
            | "ServiceInternalErrorException"
            | "ServiceUnavailableError",
        ) => Cause::Service,
        _ => match status {
            429 => Cause::Throttled,
            500.. => Cause::Service,
            _ if code.is_none() => Cause::Malformed,
            _ => Cause::Other,
        },
    }
}

fn said(code: Option<&str>, text: Option<&str>, status: u16) -> String {
    match (code, text) {
        (Some(code), Some(text)) => format!("{code}: {text}"),
        (Some(code), None) => format!("{code} (HTTP status {status})"),
        (None, Some(text)) => format!("HTTP status {status}: {text}"),
        (None, None) => format!("HTTP status {status} with no error code: not an answer of Cloud Control's"),
    }
}

/// An error and its sources, outermost first.
fn with_sources<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| error.source())
}

/// An error with its sources; a source that only repeats is left out.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for source in with_sources(error).skip(1) {
        let source = source.to_string();
        if !text.contains(&source) {
            text.push_str(": ");
            text.push_str(&source);
        }
    }
    text
}

fn speaks_of_credentials(error: &(dyn Error + 'static)) -> bool {
    with_sources(error).any(<dyn Error>::is::<CredentialsError>)
}

/// Whether it failed before there was a connection: no name, no route, no one who listens, no TLS. The SDK's own kinds don't
/// tell that from a connection that broke.
fn has_no_connection(error: &(dyn Error + 'static)) -> bool {
    with_sources(error)
        .filter_map(|error| error.downcast_ref::<hyper_util::client::legacy::Error>())
        .any(hyper_util::client::legacy::Error::is_connect)
}
