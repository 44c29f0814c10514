//! Why a call that acts came to nothing: what AWS said, what to do about it, and whether the same call again can help.
//!
//! **A call is made again where that begins nothing twice.** One that failed on the way may have been carried out, but with
//! the same client token it begins one request however often it arrives, for 36 hours, and a cancel that is repeated changes
//! nothing. So throttling, a fault of the service's and an answer that did not come are worth a few tries more; everything
//! else was decided.
//! <https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-operations.html#resource-operations-idempotency>
//!
//! **The error's code says which it is**, for each code that the four operations declare. The HTTP status does not: the API
//! answers `ConcurrentModificationException` with 500 and `HandlerFailureException` with 502, and both were decided.

use super::acting::Act;
use super::failure::{Cause, Failure};
use crate::model::Timestamp;

/// Why nothing was begun, or why it is not known whether something was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct Refused {
    pub failure: Failure,
    /// What a person can do.
    pub remedy: &'static str,
    /// Whether the same call again can go better: it was throttled, or it is not known to have arrived.
    pub may_pass: bool,
    /// Whether it may have been carried out all the same: no answer came that can be read.
    pub is_open: bool,
    /// Whether a request may not have been cancelled because it has ended. The same code says that something else is wrong
    /// with what was asked for.
    pub may_have_ended: bool,
    /// The service's time, as [`Answer`](super::Answer) has it.
    pub date: Option<Timestamp>,
}

/// What an error means for the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It was not carried out, and the same again would not be either.
    Decided,
    /// It was not carried out, perhaps because the request that it is about has ended.
    EndedPerhaps,
    /// It was not carried out, and may be later.
    Later,
    /// Whether it was carried out is not known.
    Open,
}

impl Refused {
    /// `date` is the header of that name.
    pub(super) fn because(failure: Failure, code: Option<&str>, act: &Act, date: Option<Timestamp>) -> Self {
        let (verdict, remedy) = code
            .and_then(|code| declared(code, act))
            .unwrap_or_else(|| undeclared(failure.cause, code.is_some()));
        let verdict = match verdict {
            Verdict::Open if failure.is_unsent => Verdict::Later,
            verdict => verdict,
        };
        Self {
            remedy,
            may_pass: matches!(verdict, Verdict::Later | Verdict::Open),
            is_open: verdict == Verdict::Open,
            may_have_ended: verdict == Verdict::EndedPerhaps,
            date: date.filter(|_| failure.is_of_the_service),
            failure,
        }
    }
}

/// The codes that the four operations declare.
/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_CreateResource.html#API_CreateResource_Errors>
fn declared(code: &str, act: &Act) -> Option<(Verdict, &'static str)> {
    let remedy = match code {
        "AlreadyExistsException" => {
            "a resource with this identifier exists: choose another one, or change it by `ccwatch update`"
        }
        "ClientTokenConflictException" => {
            "this client token began another request within the last 36 hours, which the message names: `ccwatch wait` \
             follows that one; leave --client-token out for a new request"
        }
        "ConcurrentModificationException" if matches!(act, Act::Cancel { .. }) => {
            "the request is being changed at this moment: ask again, or see by `ccwatch show` how it stands"
        }
        "ConcurrentOperationException" | "ConcurrentModificationException" => {
            "Cloud Control does one operation on a resource at a time: wait for the other one (`ccwatch wait` with its \
             token), then ask again"
        }
        "GeneralServiceException" => {
            "the service behind the type refused it for a reason that Cloud Control has no word for: go by the message"
        }
        "HandlerFailureException" => {
            "the type's handler failed and said no more: see in the account's CloudTrail what it called, and ask again when \
             that is mended"
        }
        "HandlerInternalFailureException" => {
            return Some((
                Verdict::Open,
                "the type's handler had a fault of its own: try again later",
            ));
        }
        "InvalidCredentialsException" => {
            "the credentials, or the role of --role-arn, can't be used for this: check them with `aws sts \
             get-caller-identity`"
        }
        "InvalidRequestException" | "ValidationException" if matches!(act, Act::Cancel { .. }) => {
            return Some((
                Verdict::EndedPerhaps,
                "only a request that is PENDING or IN_PROGRESS can be cancelled, by its whole token; if this one has ended, \
                 `ccwatch wait` with its token tells how",
            ));
        }
        "InvalidRequestException" | "ValidationException" => {
            "compare what was asked for with the type's schema: `aws cloudformation describe-type --type RESOURCE \
             --type-name …`"
        }
        "NetworkFailureException" => {
            return Some((
                Verdict::Open,
                "the type's handler could not reach the service that it calls: try again later",
            ));
        }
        "NotStabilizedException" => {
            "the resource did not come to rest in the time that it has: look at it in its own service before asking again"
        }
        "NotUpdatableException" => {
            "a property of the patch can only be set when the resource is created: create another resource in its place"
        }
        "PrivateTypeException" => "the type is private to another account: register it here first, or use another type",
        "RequestTokenNotFoundException" => {
            "no request of the last seven days has this token in this account and Region: check the token, and --target \
             or --region"
        }
        "ResourceConflictException" => "something else uses or changes the resource: try again when that has ended",
        "ResourceNotFoundException" => "there is no such resource in this account and Region: check --identifier",
        "ServiceInternalErrorException" => {
            return Some((
                Verdict::Open,
                "the service behind the type had a fault of its own: try again later",
            ));
        }
        "ServiceLimitExceededException" => "a quota of the service is used up: raise it, or remove what is not needed",
        "ThrottlingException" => {
            return Some((
                Verdict::Later,
                "the account's Cloud Control quota is used up: try again in a minute",
            ));
        }
        "TypeNotFoundException" => {
            "check --type-name: three parts with :: between them, such as AWS::S3::Bucket; the type must be public in this \
             Region, or registered in this account"
        }
        "UnsupportedActionException" => {
            "Cloud Control can't do this with resources of this type; `aws cloudformation describe-type` shows its handlers"
        }
        _ => return None,
    };
    Some((Verdict::Decided, remedy))
}

/// An error that any call of AWS's may have, or that is none of AWS's.
fn undeclared(cause: Cause, has_code: bool) -> (Verdict, &'static str) {
    match cause {
        Cause::Throttled => (
            Verdict::Later,
            "the account's Cloud Control quota is used up: try again in a minute",
        ),
        Cause::Denied => (
            Verdict::Decided,
            "allow this identity cloudformation:CreateResource, UpdateResource, DeleteResource or CancelResourceRequest, \
             whichever was called, and what the type's handlers do",
        ),
        Cause::Credentials => (
            Verdict::Decided,
            "check --profile, the AWS_* variables or the target's role_arn: `aws sts get-caller-identity` with the same \
             settings should answer",
        ),
        Cause::Unreachable => (
            Verdict::Open,
            "check the network, proxies, --endpoint-url, and that the Region exists",
        ),
        Cause::Service => (Verdict::Open, "the service had a fault of its own: try again later"),
        // It was carried out, perhaps: with the same client token, asking again shows what came of it.
        Cause::Malformed => (
            if has_code { Verdict::Decided } else { Verdict::Open },
            "check that the endpoint and any proxy lead to Cloud Control",
        ),
        Cause::Other => (Verdict::Decided, "look the code up in the Cloud Control API reference"),
    }
}

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod tests;
