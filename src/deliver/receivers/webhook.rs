//! A CloudEvent by HTTP, signed.
//!
//! The body is a CloudEvent 1.0 in structured mode (`cloud_event` makes it), and the headers are Standard Webhooks':
//! `webhook-id` is the event's id and stays over retries, `webhook-timestamp` is each attempt's, so that a receiver may
//! refuse what is old. There is a signature for each configured secret, so that a secret can be rotated without losing one.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use std::fmt;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};

use crate::deliver::cloud_event::{self, LARGEST};
use crate::deliver::http::Endpoint;
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::model::Timestamp;
use crate::render::Message;

const CONTENT: HeaderValue = HeaderValue::from_static("application/cloudevents+json; charset=utf-8");

/// A webhook's secret cannot be used to sign.
#[derive(Debug, thiserror::Error)]
#[error(
    "its secret is not base64, with or without `whsec_` in front: Standard Webhooks wants 24 to 64 random bytes so written"
)]
pub struct WebhookSecretError;

/// A receiver of type `webhook`.
pub struct Webhook {
    endpoint: Endpoint,
    /// One for each secret.
    signers: Vec<standardwebhooks::Webhook>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("endpoint", &self.endpoint)
            .field("signatures", &self.signers.len())
            .finish_non_exhaustive()
    }
}

impl Webhook {
    /// No secrets: unsigned.
    pub fn new(endpoint: Endpoint, secrets: &[SecretString]) -> Result<Self, WebhookSecretError> {
        let signers = secrets
            .iter()
            .map(|secret| match secret.expose_secret().trim() {
                "" | "whsec_" => Err(WebhookSecretError),
                secret => standardwebhooks::Webhook::new(secret).map_err(|_| WebhookSecretError),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { endpoint, signers })
    }

    fn headers(&self, id: &str, now: Timestamp, content: HeaderValue, body: &[u8]) -> Result<HeaderMap, String> {
        let seconds = now.as_millis().div_euclid(1000);
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| format!("its id `{id}` is no header value"));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content);
        headers.insert(HEADER_WEBHOOK_ID, value(id)?);
        headers.insert(HEADER_WEBHOOK_TIMESTAMP, seconds.into());
        let signatures = self
            .signers
            .iter()
            .map(|signer| signer.sign(id, seconds, body).map_err(|error| error.to_string()))
            .collect::<Result<Vec<_>, _>>()?
            .join(" ");
        if !signatures.is_empty() {
            headers.insert(HEADER_WEBHOOK_SIGNATURE, value(&signatures)?);
        }
        Ok(headers)
    }

    async fn post(&self, attempt: Attempt<'_>) -> Report {
        let id = &attempt.message.id().0;
        let made = body(attempt.message)
            .map_err(|error| error.to_string())
            .and_then(|(content, body)| Ok((self.headers(id, attempt.now, content, &body)?, body)));
        match made {
            Ok((headers, body)) => match self.endpoint.post(headers, body, attempt).await {
                Ok(answer) => answer.report(answer.outcome()),
                Err(report) => report,
            },
            Err(error) => cloud_event::unwritten(&error),
        }
    }
}

impl Receiver for Webhook {
    fn pace(&self) -> Pace {
        Pace::at_once(4)
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        let mut preview = cloud_event::preview(message.news);
        if let Some(payload) = &message.payload {
            preview.content.clone_from(payload);
            preview.measures = vec![Measure {
                part: "body",
                size: payload.len(),
                limit: LARGEST,
                unit: "bytes",
            }];
        }
        preview
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.post(attempt))
    }
}

/// The body with its content type: a template's payload as it is, else the CloudEvent, within [`LARGEST`].
fn body(message: &Message<'_>) -> serde_json::Result<(HeaderValue, Vec<u8>)> {
    match &message.payload {
        Some(payload) => Ok((payload_type(payload), payload.clone().into_bytes())),
        None => Ok((CONTENT, cloud_event::written(message.news)?.into_bytes())),
    }
}

/// What a template makes is JSON or else text.
fn payload_type(payload: &str) -> HeaderValue {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(payload).is_ok();
    HeaderValue::from_static(if is_json {
        "application/json; charset=utf-8"
    } else {
        "text/plain; charset=utf-8"
    })
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
