//! Opsgenie's alert API, which Jira Service Management keeps: an alert is created, and closed when the resource is well
//! again.
//!
//! - **Jira Service Management is the default.** Opsgenie itself ends on 5 April 2027. The same calls with the same kind of
//!   key (`GenieKey`) are taken at `https://api.atlassian.com/jsm/ops/integration`; until then they are at
//!   `https://api.opsgenie.com` and `https://api.eu.opsgenie.com` as well.
//! - **One alert from first to last**: its alias is the incident's key, and an alias has one open alert at the most. The
//!   alias stands in the path of the call that closes it, where a slash gets lost on many a way: a key that holds more than
//!   letters, digits, dots, dashes and underscores is replaced by its hash.
//! - **Accepted is not done**: 202 says that the call will be worked on. What becomes of it stands in the integration's log.
//! - **Nothing in a message is markup**: both take HTML in an alert's text, so angle brackets are replaced by their like.
//!
//! <https://docs.opsgenie.com/docs/alert-api>, <https://docs.opsgenie.com/docs/response>,
//! <https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events/>,
//! <https://support.atlassian.com/opsgenie/docs/what-happens-when-opsgenie-is-turned-off/>

use std::borrow::Cow;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Endpoint};
use crate::deliver::identity::fitting;
use crate::deliver::incident;
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::model::{Incident, IncidentState, News, printable};
use crate::render::text::{cut_escaped, length};
use crate::render::{Message, Tone};

/// Opsgenie's limits, in characters.
const MESSAGE: usize = 130;
const ALIAS: usize = 512;
const DESCRIPTION: usize = 15_000;
const ENTITY: usize = 512;
const NOTE: usize = 25_000;
/// Ten facts of this length, with their labels, keep the 8,000 characters that `details` may have in all.
const FACT: usize = 700;
const FACTS: usize = 10;

/// A receiver of type `opsgenie`.
#[derive(Debug)]
pub struct Opsgenie {
    endpoint: Endpoint,
    api_key: SecretString,
}

/// What is posted, and where.
struct Call<'n> {
    /// Set if an alert is to be closed.
    closes: Option<Cow<'n, str>>,
    body: Value,
}

impl Opsgenie {
    /// `endpoint` is the address up to `/v2`, and should mask the key.
    pub fn new(endpoint: Endpoint, api_key: SecretString) -> Self {
        Self { endpoint, api_key }
    }

    async fn post(&self, attempt: Attempt<'_>) -> Report {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let Ok(mut key) = HeaderValue::from_str(&format!("GenieKey {}", self.api_key.expose_secret())) else {
            return Report::from(Outcome::Failed {
                error: "`api_key` holds a character that no key has: copy it again".into(),
                retry_after: None,
            });
        };
        key.set_sensitive(true);
        headers.insert(AUTHORIZATION, key);
        let incident = incident::of(attempt.message.news);
        let call = call(attempt.message, &incident);
        let endpoint = match &call.closes {
            None => self.endpoint.at(&["v2", "alerts"], &[]),
            Some(alias) => self
                .endpoint
                .at(&["v2", "alerts", alias, "close"], &[("identifierType", "alias")]),
        };
        match endpoint
            .post(headers, call.body.to_string().into_bytes(), attempt)
            .await
        {
            Ok(answer) => answer.report(outcome(&answer)),
            Err(report) => report,
        }
    }
}

impl Receiver for Opsgenie {
    /// How many calls are too many depends on the account's plan; the smallest is known to allow some a second.
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::from_millis(500))
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        let incident = incident::of(message.news);
        let call = call(message, &incident);
        let path = match &call.closes {
            None => "/v2/alerts".to_owned(),
            Some(alias) => format!("/v2/alerts/{alias}/close?identifierType=alias"),
        };
        let measure = |part, text: &str, limit| Measure {
            part,
            size: length(text),
            limit,
            unit: "characters",
        };
        Preview {
            content: format!("POST {path}\n{:#}", call.body),
            measures: vec![
                measure("message", &incident::headline(&message.words), MESSAGE),
                measure("description", &incident::description(&message.words), DESCRIPTION),
            ],
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.post(attempt))
    }
}

fn call<'n>(message: &Message<'_>, incident: &'n Incident) -> Call<'n> {
    let Message { news, words, .. } = message;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    // A path of dots alone would be resolved away.
    let alias = match fitting(&incident.key, ALIAS, is_plain) {
        dots if dots.starts_with('.') => fitting(&incident.key, 0, is_plain),
        alias => alias,
    };
    let headline = incident::headline(words);
    if incident.state == IncidentState::Resolved {
        return Call {
            closes: Some(alias),
            body: json!({"source": "ccwatch", "note": plain(&headline, NOTE)}),
        };
    }
    let mut details: Map<String, Value> = words
        .facts
        .iter()
        .take(FACTS)
        .map(|fact| (fact.label.to_owned(), Value::from(plain(&fact.value, FACT))))
        .collect();
    if let Some(link) = words.link.as_ref().filter(|link| length(&link.url) <= FACT) {
        details.insert(link.label.to_owned(), Value::from(link.url.as_str()));
    }
    let entity = match news {
        News::Change(announcement) => announcement.request.identifier.as_deref(),
        News::Receiver(notice) => Some(notice.receiver.as_str()),
        News::Digest(_) => None,
    };
    Call {
        closes: None,
        body: json!({
            "message": plain(&headline, MESSAGE),
            "alias": alias,
            "description": plain(&incident::description(words), DESCRIPTION),
            "details": details,
            "entity": plain(&printable(entity.unwrap_or_default()), ENTITY),
            "source": "ccwatch",
            "priority": match words.tone {
                Tone::Bad => "P2",
                Tone::Warning => "P3",
                Tone::Neutral | Tone::Good => "P5",
            },
        }),
    }
}

/// The text without what could be a tag.
fn plain(text: &str, longest: usize) -> String {
    cut_escaped(text, longest, |c| match c {
        '<' => Some("‹"),
        '>' => Some("›"),
        _ => None,
    })
}

fn outcome(answer: &Answer) -> Outcome {
    let body = answer.json().unwrap_or_default();
    let said = body["message"].as_str().unwrap_or_default().to_ascii_lowercase();
    let is_own = body["requestId"].is_string() || !said.is_empty();
    match answer.status.as_u16() {
        202 => Outcome::Accepted,
        // `Key format is not valid!` is one of the errors that come with 422.
        400 | 422 if is_own && said.contains("key") => answer.failed(WRONG_KEY),
        401..=403 if is_own => answer.failed(WRONG_KEY),
        400 | 422 if is_own => {
            answer.rejected("Opsgenie does not understand the alert: please report this as a bug of ccwatch")
        }
        _ => incident::outcome_of_a_strangers(answer, "Opsgenie or Jira Service Management"),
    }
}

const WRONG_KEY: &str = "`api_key` is not right for that address, is disabled, or the plan does not include it: copy the key \
                         of an API integration, and check `url`; it will be tried again";

#[cfg(test)]
#[path = "opsgenie_tests.rs"]
mod tests;
