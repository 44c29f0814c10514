//! PagerDuty, by its Events API v2: an incident is triggered, and resolved by itself when the resource is well again.
//!
//! - **One incident from first to last**: its key is PagerDuty's `dedup_key`, so that whatever is told again updates the
//!   alert that is there. Retries can't wake anyone twice.
//! - **Inside every limit**, for what is too long is refused for good.
//! - **A routing key that is refused is retried**: whoever set it wrong will set it right, and nothing is lost meanwhile.
//!   Only what PagerDuty itself says of an event is final.
//!
//! <https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>,
//! <https://developer.pagerduty.com/docs/events-api-v2/overview/>,
//! <https://github.com/PagerDuty/api-schema/blob/main/reference/events-v2/openapiv3.json>

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Endpoint};
use crate::deliver::identity::fitting;
use crate::deliver::incident;
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::model::{IncidentState, News, printable};
use crate::render::text::{cut, length};
use crate::render::{Message, Tone};

/// Characters of `payload.summary`.
const SUMMARY: usize = 1024;
/// Characters of `dedup_key`.
const DEDUP_KEY: usize = 255;
/// Bytes of an event.
const EVENT: usize = 512 * 1024;
/// Characters of all other values. PagerDuty sets no limit for each; a dozen of them stay far below [`EVENT`].
const VALUE: usize = 4096;

/// A receiver of type `pagerduty`.
#[derive(Debug)]
pub struct PagerDuty {
    endpoint: Endpoint,
    routing_key: SecretString,
}

impl PagerDuty {
    /// `endpoint` should mask the key.
    pub fn new(endpoint: Endpoint, routing_key: SecretString) -> Self {
        Self { endpoint, routing_key }
    }

    async fn post(&self, attempt: Attempt<'_>) -> Report {
        let body = event(attempt.message, self.routing_key.expose_secret());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self
            .endpoint
            .post(headers, body.to_string().into_bytes(), attempt)
            .await
        {
            Ok(answer) => answer.report(outcome(&answer)),
            Err(report) => report,
        }
    }
}

impl Receiver for PagerDuty {
    /// PagerDuty adjusts its throttle as it sees fit, and names about 120 events a minute for an integration.
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::from_millis(500))
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        let event = event(message, "********");
        Preview {
            content: format!("{event:#}"),
            measures: vec![
                Measure {
                    part: "summary",
                    size: length(&incident::headline(&message.words)),
                    limit: SUMMARY,
                    unit: "characters",
                },
                Measure {
                    part: "event",
                    size: event.to_string().len(),
                    limit: EVENT,
                    unit: "bytes",
                },
            ],
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.post(attempt))
    }
}

fn event(message: &Message<'_>, routing_key: &str) -> Value {
    let incident = incident::of(message.news);
    let dedup_key = fitting(&incident.key, DEDUP_KEY, |c| !c.is_control());
    match incident.state {
        IncidentState::Open => {
            let words = &message.words;
            let links: Vec<Value> = words
                .link
                .iter()
                .map(|link| json!({"href": link.url, "text": link.label}))
                .collect();
            json!({
                "routing_key": routing_key,
                "event_action": "trigger",
                "dedup_key": dedup_key,
                "client": "ccwatch",
                "payload": payload(message),
                "links": links,
            })
        }
        // PagerDuty reads no more of it.
        IncidentState::Resolved => json!({
            "routing_key": routing_key,
            "event_action": "resolve",
            "dedup_key": dedup_key,
        }),
    }
}

fn payload(message: &Message<'_>) -> Value {
    let Message { news, words, .. } = message;
    let value = |text: &str| Value::from(cut(text, VALUE));
    let mut details: Map<String, Value> = words
        .facts
        .iter()
        .map(|fact| (fact.label.to_owned(), value(&fact.value)))
        .collect();
    details.insert("Description".into(), value(&incident::description(words)));
    let mut payload = json!({
        "summary": cut(&incident::headline(words), SUMMARY),
        "severity": match words.tone {
            Tone::Bad => "error",
            Tone::Warning => "warning",
            Tone::Neutral | Tone::Good => "info",
        },
        "source": "ccwatch",
        "timestamp": news.at(),
        "class": news.kind(),
        "custom_details": details,
    });
    let mut set = |key: &str, text: Option<&str>| {
        let text = text.map(printable);
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            payload[key] = value(&text);
        }
    };
    match news {
        News::Change(announcement) => {
            set("source", Some(&announcement.target));
            set("group", announcement.request.type_name.as_deref());
            set("component", announcement.request.identifier.as_deref());
        }
        News::Receiver(notice) => set("component", Some(&notice.receiver)),
        News::Digest(_) => {}
    }
    payload
}

fn outcome(answer: &Answer) -> Outcome {
    let body = answer.json().unwrap_or_default();
    match answer.status.as_u16() {
        202 => Outcome::Accepted,
        400 if speaks_of_the_key(&body) => answer.failed(
            "`routing_key` is not right: copy the Integration Key of the service's Events API v2 integration; it will be \
             tried again",
        ),
        400 if body["status"].is_string() => {
            answer.rejected("PagerDuty does not understand the event: please report this as a bug of ccwatch")
        }
        403 if body["status"].is_string() => {
            answer.failed("it is called too often, or `routing_key` is refused; it will be tried again")
        }
        _ => incident::outcome_of_a_strangers(answer, "PagerDuty"),
    }
}

/// Whether one of the errors is about who sends, not about what is sent.
fn speaks_of_the_key(body: &Value) -> bool {
    let errors = body["errors"].as_array().into_iter().flatten();
    let texts = errors.chain([&body["message"]]).filter_map(Value::as_str);
    texts
        .map(str::to_ascii_lowercase)
        .any(|text| text.contains("routing_key") || text.contains("routing key"))
}

#[cfg(test)]
#[path = "pagerduty_tests.rs"]
mod tests;
