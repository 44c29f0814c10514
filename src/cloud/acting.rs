//! The calls that act: CreateResource, UpdateResource, DeleteResource, CancelResourceRequest.
//!
//! The daemon makes none of them; a person does, by a command. So a failure is worded for who has just asked for something
//! (`refusal`).
//!
//! **No document is in a message**: a desired state or a patch may hold secrets. They are `SecretString`s, and what an error
//! quotes of one is cut out (`redaction`).

use aws_sdk_cloudcontrol::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudcontrol::types;
use secrecy::{ExposeSecret, SecretString};

use super::answer::{self, Inspector};
use super::client::Client;
use super::failure::{Cause, Failure};
use super::redaction;
use super::refusal::Refused;
use crate::config::ResourceModelPolicy;
use crate::model::{ProgressEvent, RequestToken, Timestamp};

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

    /// The request that it is about, where there is one already.
    fn token(&self) -> Option<&RequestToken> {
        match self {
            Self::Cancel { token } => Some(token),
            Self::Create { .. } | Self::Update { .. } | Self::Delete { .. } => None,
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
        let _turn = self
            .turn()
            .await
            .map_err(|failure| Refused::because(failure, None, act, None))?;
        let event = Box::pin(self.send(act)).await?;
        event
            .and_then(|event| about(event, act.token(), self.resource_model))
            .ok_or_else(|| {
                let message = match act.token() {
                    Some(_) => "the answer holds no ProgressEvent of this request",
                    None => "the answer holds no ProgressEvent with a RequestToken",
                };
                Refused::because(Failure::new(Cause::Malformed, message), None, act, None)
            })
    }

    async fn send(&self, act: &Act) -> Result<Option<types::ProgressEvent>, Refused> {
        /// The four calls differ in their types alone.
        macro_rules! sent {
            ($call:expr) => {{
                let inspector = Inspector::default();
                let sent = $call.customize().interceptor(inspector.clone()).send().await;
                sent.map(|output| output.progress_event)
                    .map_err(|error| because(&error, act, inspector.date()))
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

/// What is about another request than the one asked for is no answer.
fn about(
    event: types::ProgressEvent,
    asked_for: Option<&RequestToken>,
    policy: ResourceModelPolicy,
) -> Option<ProgressEvent> {
    answer::progress_event(event, asked_for, policy)
        .filter(|event| asked_for.is_none_or(|token| event.request_token == *token))
}

fn because<E>(
    error: &SdkError<E, aws_sdk_cloudcontrol::config::http::HttpResponse>,
    act: &Act,
    date: Option<Timestamp>,
) -> Refused
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let failure = Failure::redacted(error, |message| match act.document() {
        Some(document) => redaction::redact(&message, document),
        None => message,
    });
    Refused::because(failure, error.code(), act, date)
}

#[cfg(test)]
#[path = "acting_tests.rs"]
mod tests;
