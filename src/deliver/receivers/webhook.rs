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
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::model::{News, Timestamp};
use crate::render::{Message, text};

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
            Err(error) => Report::from(Outcome::Rejected {
                error: format!("the event cannot be written: {error}"),
            }),
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

    fn preview(&self, message: &Message<'_>) -> Preview {
        let whole = match &message.payload {
            Some(payload) => payload.len(),
            None => serde_json::to_vec(&event(message.news)).map_or(0, |body| body.len()),
        };
        Preview {
            content: match (&message.payload, serde_json::to_string_pretty(&event(message.news))) {
                (Some(payload), _) => payload.clone(),
                (None, Ok(event)) => event,
                (None, Err(error)) => format!("the event cannot be written: {error}"),
            },
            measures: vec![Measure {
                part: "body",
                size: whole,
                limit: LARGEST,
                unit: "bytes",
            }],
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
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    id: &'a str,
    time: Timestamp,
    datacontenttype: &'static str,
    data: &'a News,
}

fn event(news: &News) -> CloudEvent<'_> {
    CloudEvent {
        specversion: "1.0",
        kind: format!("ccwatch.{}", news.kind()),
        source: source(news),
        subject: match news {
            News::Change(announcement) => Some(&announcement.request.request_token),
            News::Receiver(notice) => Some(&notice.receiver),
            News::Digest(_) => None,
        },
        id: &news.id().0,
        time: news.at(),
        datacontenttype: "application/json",
        data: news,
    }
}

/// The body with its content type: a template's payload as it is, else the CloudEvent, within [`LARGEST`].
fn body(message: &Message<'_>) -> serde_json::Result<(HeaderValue, Vec<u8>)> {
    match &message.payload {
        Some(payload) => Ok((payload_type(payload), payload.clone().into_bytes())),
        None => Ok((CONTENT, cloud_event(message.news)?)),
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

fn cloud_event(news: &News) -> serde_json::Result<Vec<u8>> {
    let event = event(news);
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

/// `/ccwatch/<account>/<region>`, or `/ccwatch` where the news is not about one place. It must be a URI reference whatever the names hold.
fn source(news: &News) -> String {
    let Some(announcement) = news.change() else {
        return "/ccwatch".to_owned();
    };
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
