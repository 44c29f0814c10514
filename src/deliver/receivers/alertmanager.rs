//! Alertmanager, by its API v2: an alert fires while the incident is open, and is resolved with it.
//!
//! - **The labels are the incident's for good.** To Alertmanager, alerts with the same labels are one, and those of another
//!   set another, which nothing would resolve. So the labels are only what does not change from the first message to the
//!   last; severity, status, identifier and account, which may be learnt or change on the way, are annotations or told
//!   there.
//! - **An open incident stays open.** Alertmanager takes an alert without `endsAt` to be over after its `resolve_timeout`
//!   (five minutes) unless it is sent again and again, as Prometheus does. ccwatch sends each change once, so it says
//!   that the alert ends in [`OPEN_FOR`]; the message that resolves the incident ends it now. What is open for longer
//!   than that is taken for resolved, until there is news of it again.
//! - **Alertmanager keeps alerts in memory alone**: after a restart it does not know those that are open until there is
//!   news of them; what it had told its own receivers stays told. Where that matters, tell PagerDuty and the like directly.
//! - Of a cluster, each member wants every alert: a receiver for each member, all in the same route.
//!
//! <https://prometheus.io/docs/alerting/latest/alerts_api/>,
//! <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use url::Url;

use crate::config::Login;
use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Endpoint};
use crate::deliver::identity::fitting;
use crate::deliver::incident;
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::model::{IncidentState, News, Timestamp, printable};
use crate::render::text::{cut, length};
use crate::render::{Message, Words};

/// How long an open incident fires without news of it.
pub const OPEN_FOR: Duration = Duration::from_hours(30 * 24);

/// Alertmanager sets no limits, but whoever it tells does: these are short enough to be passed on, in characters.
const LABEL: usize = 1024;
const SUMMARY: usize = 1024;
const DESCRIPTION: usize = 8192;

/// A receiver of type `alertmanager`.
#[derive(Debug)]
pub struct Alertmanager {
    endpoint: Endpoint,
    authorization: Option<SecretString>,
}

impl Alertmanager {
    /// `endpoint` is Alertmanager's own address, without `/api/v2`; it should mask the login's [`secrets`].
    pub fn new(endpoint: &Endpoint, login: Option<&Login>) -> Self {
        Self {
            endpoint: endpoint.at(&["api", "v2", "alerts"], &[]),
            authorization: login.map(|login| SecretString::from(authorization(login))),
        }
    }

    async fn post(&self, attempt: Attempt<'_>) -> Report {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            let Ok(mut value) = HeaderValue::from_str(authorization.expose_secret()) else {
                return Report::from(Outcome::Failed {
                    error: "`token` cannot stand in a header: it holds a character that no token has".into(),
                    retry_after: None,
                });
            };
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let body = json!([alert(attempt.message, attempt.now)]).to_string().into_bytes();
        match self.endpoint.post(headers, body, attempt).await {
            Ok(answer) => answer.report(outcome(&answer)),
            Err(report) => report,
        }
    }
}

/// What a login is sent as: RFC 7617, RFC 6750.
fn authorization(login: &Login) -> String {
    match login {
        Login::Basic { user, password } => {
            let pair = format!("{user}:{}", password.expose_secret());
            format!("Basic {}", BASE64.encode(pair))
        }
        Login::Bearer { token } => format!("Bearer {}", token.expose_secret()),
    }
}

/// What an endpoint should mask for a login: it as it was given, and as it is sent.
pub fn secrets(login: &Login) -> [SecretString; 2] {
    let sent = authorization(login);
    let sent = sent
        .split_once(' ')
        .map_or(sent.as_str(), |(_, credentials)| credentials);
    match login {
        Login::Basic { password: given, .. } | Login::Bearer { token: given } => [given.clone(), sent.into()],
    }
}

impl Receiver for Alertmanager {
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::ZERO)
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        let words = &message.words;
        let measure = |part, text: &str, limit| Measure {
            part,
            size: length(text),
            limit,
            unit: "characters",
        };
        Preview {
            content: format!("{:#}", json!([alert(message, message.news.at())])),
            measures: vec![
                measure("summary", &incident::headline(words), SUMMARY),
                measure("description", &description(words), DESCRIPTION),
            ],
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.post(attempt))
    }
}

fn alert(message: &Message<'_>, now: Timestamp) -> Value {
    let Message { news, words, .. } = message;
    let incident = incident::of(news);
    let mut alert = json!({
        "labels": labels(news, &fitting(&incident.key, LABEL, |c| !c.is_control())),
        "annotations": {
            "summary": cut(&incident::headline(words), SUMMARY),
            "description": cut(&description(words), DESCRIPTION),
        },
    });
    match incident.state {
        IncidentState::Open => {
            alert["startsAt"] = json!(news.at());
            alert["endsAt"] = json!(now.plus(OPEN_FOR));
        }
        // Where it starts, Alertmanager knows from before.
        IncidentState::Resolved => alert["endsAt"] = json!(now),
    }
    // It refuses the alert for the sake of a link that is none.
    if let Some(url) = words.link.as_ref().and_then(|link| Url::parse(&link.url).ok()) {
        alert["generatorURL"] = json!(url.as_str());
    }
    alert
}

fn labels(news: &News, key: &str) -> Map<String, Value> {
    let mut labels = Map::new();
    let mut set = |name: &str, text: &str| {
        let text = printable(text);
        // An empty label is none.
        if !text.trim().is_empty() {
            labels.insert(name.to_owned(), Value::from(cut(&text, LABEL)));
        }
    };
    set("incident", key);
    match news {
        News::Change(announcement) => {
            set("alertname", "CloudControlIncident");
            set("target", &announcement.target);
            set("region", &announcement.region.0);
            set(
                "type_name",
                announcement.request.type_name.as_deref().unwrap_or_default(),
            );
        }
        News::Receiver(_) => set("alertname", "CcwatchReceiverFailing"),
        News::Digest(_) => set("alertname", "CloudControlDigest"),
    }
    labels
}

fn description(words: &Words) -> String {
    let facts = words.facts.iter().map(|fact| format!("{}: {}", fact.label, fact.value));
    let lines: Vec<String> = [incident::description(words)].into_iter().chain(facts).collect();
    lines.join("\n")
}

fn outcome(answer: &Answer) -> Outcome {
    match answer.status.as_u16() {
        // With an empty body. Those that took over its API may say something there, but no page.
        200..=299 if !answer.body.starts_with('<') => Outcome::Accepted,
        400 | 422 if answer.json().is_some() => {
            answer.rejected("Alertmanager does not understand the alert: please report this as a bug of ccwatch")
        }
        _ => incident::outcome_of_a_strangers(answer, "Alertmanager"),
    }
}

#[cfg(test)]
#[path = "alertmanager_tests.rs"]
mod tests;
