//! A CloudEvent by HTTP, signed.
//!
//! The body is a CloudEvent 1.0 in structured mode, and the headers are Standard Webhooks': `webhook-id` is the event's
//! id and stays over retries, `webhook-timestamp` is each attempt's, so that a receiver may refuse what is old. There is
//! a signature for each configured secret, so that a secret can be rotated without losing one.
//!
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>,
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use std::fmt;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};

use crate::decide::retry::Outcome;
use crate::deliver::http::Endpoint;
use crate::deliver::receiver::{Attempt, Pace, Receiver, Sending};
use crate::deliver::text;
use crate::model::{Announcement, Timestamp};

/// Bytes. What every intermediary must pass on: CloudEvents 1.0, section "Size limits".
const LARGEST: usize = 64 * 1024;
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

    fn headers(&self, id: &str, now: Timestamp, body: &[u8]) -> Result<HeaderMap, String> {
        let seconds = now.as_millis().div_euclid(1000);
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| format!("its id `{id}` is no header value"));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, CONTENT);
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

    async fn post(&self, attempt: Attempt<'_>) -> Outcome {
        let Attempt {
            announcement,
            now,
            deadline,
            ..
        } = attempt;
        let made = body(announcement)
            .map_err(|error| error.to_string())
            .and_then(|body| Ok((self.headers(&announcement.id.0, now, &body)?, body)));
        match made {
            Ok((headers, body)) => match self.endpoint.post(headers, body, now, deadline).await {
                Ok(answer) => answer.outcome(),
                Err(outcome) => outcome,
            },
            Err(error) => Outcome::Rejected {
                error: format!("the event cannot be written: {error}"),
            },
        }
    }
}

impl Receiver for Webhook {
    fn pace(&self) -> Pace {
        Pace {
            concurrency: 4,
            spacing: Duration::ZERO,
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.post(attempt))
    }
}

/// The members in the order of the specification's own examples.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    #[serde(rename = "type")]
    kind: String,
    source: String,
    subject: &'a str,
    id: &'a str,
    time: Timestamp,
    datacontenttype: &'static str,
    data: &'a Announcement,
}

/// The CloudEvent, within [`LARGEST`].
fn body(announcement: &Announcement) -> serde_json::Result<Vec<u8>> {
    let event = CloudEvent {
        specversion: "1.0",
        kind: format!("ccwatch.{}", announcement.kind),
        source: source(announcement),
        subject: &announcement.request.request_token,
        id: &announcement.id.0,
        time: announcement.at,
        datacontenttype: "application/json",
        data: announcement,
    };
    let whole = serde_json::to_vec(&event)?;
    if whole.len() <= LARGEST {
        return Ok(whole);
    }
    // Only a service that breaks its own limits gets here. About 50 strings of 128 characters, each at most six bytes
    // long when escaped, fit in any case.
    let mut value = serde_json::to_value(&event)?;
    for longest in [2048, 512, 128] {
        cut_strings(&mut value, longest);
        let cut = serde_json::to_vec(&value)?;
        if cut.len() <= LARGEST {
            return Ok(cut);
        }
    }
    serde_json::to_vec(&value)
}

fn cut_strings(value: &mut Value, longest: usize) {
    match value {
        Value::String(text) => {
            if let std::borrow::Cow::Owned(cut) = text::cut(text, longest) {
                *text = cut;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| cut_strings(value, longest)),
        Value::Object(members) => members.values_mut().for_each(|value| cut_strings(value, longest)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `/ccwatch/<account>/<region>`, which must be a URI reference whatever the names hold.
fn source(announcement: &Announcement) -> String {
    let segment = |text: Option<&str>| {
        let safe = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let segment: String = text.unwrap_or_default().chars().filter(safe).collect();
        if segment.is_empty() { "unknown".into() } else { segment }
    };
    let account = announcement.account_id.as_ref().map(|account| account.0.as_str());
    format!(
        "/ccwatch/{}/{}",
        segment(account),
        segment(Some(&announcement.region.0))
    )
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
