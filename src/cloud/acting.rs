//! The calls that act: CreateResource, UpdateResource, DeleteResource, CancelResourceRequest.
//!
//! The daemon makes none of them; a person does, by a command. So a failure is worded for who has just asked for something:
//! what AWS said, and what to do about it, by the error's code.
//!
//! **A call is made again where that begins nothing twice.** One that failed on the way may have been carried out, but with
//! the same client token it begins one request however often it arrives, for 36 hours, and a cancel that is repeated changes
//! nothing. So throttling, a fault of the service's and an answer that did not come are worth a few tries more; everything
//! else was decided.
//! <https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-operations.html#resource-operations-idempotency>
//!
//! **No document is in a message**: a desired state or a patch may hold secrets. They are `SecretString`s, and if an error
//! quotes one it is cut out.

use aws_sdk_cloudcontrol::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudcontrol::types;
use secrecy::{ExposeSecret, SecretString};

use super::answer::{self, Inspector};
use super::client::Client;
use super::failure::{Cause, Failure};
use crate::model::{ProgressEvent, RequestToken};

/// What is asked of Cloud Control.
#[derive(Debug, Clone)]
pub enum Act {
    /// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_CreateResource.html>
    Create {
        type_name: String,
        desired_state: SecretString,
        terms: Terms,
    },
    /// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_UpdateResource.html>
    Update {
        type_name: String,
        identifier: String,
        patch_document: SecretString,
        terms: Terms,
    },
    /// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_DeleteResource.html>
    Delete {
        type_name: String,
        identifier: String,
        terms: Terms,
    },
    /// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_CancelResourceRequest.html>
    Cancel { token: RequestToken },
}

/// What goes with any request for a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// 1 to 128 characters of `[-A-Za-z0-9+/=]`. The same one again begins nothing, for 36 hours.
    pub client_token: String,
    /// The role that Cloud Control acts as; else it acts as the caller.
    pub role_arn: Option<String>,
    /// Of a private type.
    pub type_version_id: Option<String>,
}

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
}

impl Act {
    /// The operation of the API, which is also what IAM calls it after `cloudformation:`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Create { .. } => "CreateResource",
            Self::Update { .. } => "UpdateResource",
            Self::Delete { .. } => "DeleteResource",
            Self::Cancel { .. } => "CancelResourceRequest",
        }
    }

    /// What tells it from others; a cancel has none.
    pub fn client_token(&self) -> Option<&str> {
        match self {
            Self::Create { terms, .. } | Self::Update { terms, .. } | Self::Delete { terms, .. } => {
                Some(&terms.client_token)
            }
            Self::Cancel { .. } => None,
        }
    }

    fn document(&self) -> Option<&SecretString> {
        match self {
            Self::Create { desired_state, .. } => Some(desired_state),
            Self::Update { patch_document, .. } => Some(patch_document),
            Self::Delete { .. } | Self::Cancel { .. } => None,
        }
    }
}

impl Client {
    /// Makes the call, once. The event is the request as the answer shows it.
    pub async fn act(&self, act: &Act) -> Result<ProgressEvent, Refused> {
        let asked_for = match act {
            Act::Cancel { token } => Some(token),
            Act::Create { .. } | Act::Update { .. } | Act::Delete { .. } => None,
        };
        let _turn = self.turn().await.map_err(|failure| refused(failure, None, act))?;
        let event = Box::pin(self.send(act)).await?;
        event
            .and_then(|event| answer::progress_event(event, asked_for, self.resource_model))
            .ok_or_else(|| {
                let message = "the answer holds no ProgressEvent with a RequestToken";
                refused(Failure::new(Cause::Malformed, message), None, act)
            })
    }

    async fn send(&self, act: &Act) -> Result<Option<types::ProgressEvent>, Refused> {
        /// The four calls differ in their types alone.
        macro_rules! sent {
            ($call:expr) => {{
                let sent = $call.customize().interceptor(Inspector::default()).send().await;
                sent.map(|output| output.progress_event)
                    .map_err(|error| because(&error, act))
            }};
        }
        match act {
            Act::Create {
                type_name,
                desired_state,
                terms,
            } => sent!(
                self.sdk
                    .create_resource()
                    .type_name(type_name)
                    .desired_state(desired_state.expose_secret())
                    .client_token(&terms.client_token)
                    .set_role_arn(terms.role_arn.clone())
                    .set_type_version_id(terms.type_version_id.clone())
            ),
            Act::Update {
                type_name,
                identifier,
                patch_document,
                terms,
            } => sent!(
                self.sdk
                    .update_resource()
                    .type_name(type_name)
                    .identifier(identifier)
                    .patch_document(patch_document.expose_secret())
                    .client_token(&terms.client_token)
                    .set_role_arn(terms.role_arn.clone())
                    .set_type_version_id(terms.type_version_id.clone())
            ),
            Act::Delete {
                type_name,
                identifier,
                terms,
            } => sent!(
                self.sdk
                    .delete_resource()
                    .type_name(type_name)
                    .identifier(identifier)
                    .client_token(&terms.client_token)
                    .set_role_arn(terms.role_arn.clone())
                    .set_type_version_id(terms.type_version_id.clone())
            ),
            Act::Cancel { token } => sent!(self.sdk.cancel_resource_request().request_token(token.as_str())),
        }
    }
}

fn because<E>(error: &SdkError<E, aws_sdk_cloudcontrol::config::http::HttpResponse>, act: &Act) -> Refused
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    refused(Failure::of(error), error.code(), act)
}

fn refused(mut failure: Failure, code: Option<&str>, act: &Act) -> Refused {
    if let Some(document) = act.document().map(ExposeSecret::expose_secret)
        && document.len() > 2
        && failure.message.contains(document)
    {
        failure.message = failure.message.replace(document, "(the document)");
    }
    let may_pass = match failure.cause {
        Cause::Throttled | Cause::Unreachable | Cause::Service => true,
        // It was carried out, perhaps: with the same client token, asking again shows what came of it.
        Cause::Malformed => code.is_none(),
        Cause::Credentials | Cause::Denied | Cause::Other => false,
    };
    Refused {
        remedy: remedy(code.unwrap_or_default(), failure.cause, act),
        may_pass,
        is_open: may_pass && failure.cause != Cause::Throttled,
        failure,
    }
}

/// What can be done, by the codes that the four operations declare.
fn remedy(code: &str, cause: Cause, act: &Act) -> &'static str {
    match code {
        "AlreadyExistsException" => {
            "a resource with this identifier exists: choose another one, or change it by `ccwatch update`"
        }
        "ClientTokenConflictException" => {
            "this client token began another request within the last 36 hours, which the message names: `ccwatch wait` \
             follows that one; leave --client-token out for a new request"
        }
        "ConcurrentOperationException" | "ConcurrentModificationException" => {
            "Cloud Control does one operation on a resource at a time: wait for the other one (`ccwatch wait` with its \
             token), then ask again"
        }
        "InvalidCredentialsException" => {
            "the credentials, or the role of --role-arn, can't be used for this: check them with `aws sts \
             get-caller-identity`"
        }
        "InvalidRequestException" | "ValidationException" if matches!(act, Act::Cancel { .. }) => {
            "only a request that is PENDING or IN_PROGRESS can be cancelled; `ccwatch show` tells how this one ended"
        }
        "InvalidRequestException" | "ValidationException" => {
            "compare what was asked for with the type's schema: `aws cloudformation describe-type --type RESOURCE \
             --type-name …`"
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
        "ServiceLimitExceededException" => "a quota of the service is used up: raise it, or remove what is not needed",
        "TypeNotFoundException" => {
            "check --type-name: three parts with :: between them, such as AWS::S3::Bucket; the type must be public in this \
             Region, or registered in this account"
        }
        "UnsupportedActionException" => {
            "Cloud Control can't do this with resources of this type; `aws cloudformation describe-type` shows its handlers"
        }
        _ => match cause {
            Cause::Throttled => "the account's Cloud Control quota is used up: try again in a minute",
            Cause::Denied => {
                "allow this identity cloudformation:CreateResource, UpdateResource, DeleteResource or \
                 CancelResourceRequest, whichever was called, and what the type's handlers do"
            }
            Cause::Credentials => {
                "check --profile, the AWS_* variables or the target's role_arn: `aws sts get-caller-identity` with the same \
                 settings should answer"
            }
            Cause::Unreachable => "check the network, proxies, --endpoint-url, and that the Region exists",
            Cause::Service => "the service had a fault of its own: try again later",
            Cause::Malformed => "check that the endpoint and any proxy lead to Cloud Control",
            Cause::Other => "look the code up in the Cloud Control API reference",
        },
    }
}

#[cfg(test)]
#[path = "acting_tests.rs"]
mod tests;
