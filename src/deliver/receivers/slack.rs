//! Slack, by an incoming webhook: Block Kit, with a plain `text` for notifications and screen readers.
//!
//! - **Inside every limit**, counted after escaping: a block that is too long makes Slack refuse the whole message, and
//!   the news would be lost for good.
//! - **Nothing from outside can ping or link**; the one link is ccwatch's own. `&`, `<` and `>` are escaped, which is all that
//!   Slack asks for; text from outside stands in `plain_text`, or in `mrkdwn` marked `verbatim`, so that a bare `@here` stays
//!   what it is.
//! - **One message a second**, as Slack allows.
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
//! <https://docs.slack.dev/reference/block-kit/blocks>,
//! <https://docs.slack.dev/messaging/formatting-message-text>,
//! <https://docs.slack.dev/apis/web-api/rate-limits>

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Endpoint};
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::render::text::{cut_escaped, length};
use crate::render::{Message, Tone, Words};

/// Slack's limit for a header block's text.
const HEADER: usize = 150;
/// Slack's limit for a section's text.
const REASON: usize = 3000;
/// Well below Slack's limit of 2000 for a field, so that ten of them, all else at its longest, stay below about 13,200
/// characters in all, beyond which Slack refuses a message (`msg_blocks_too_long`).
const FACT: usize = 600;
const MEANING: usize = 500;
const FALLBACK: usize = 1000;
/// Far longer than the addresses and labels that there are, which are never cut.
const LINK: usize = 500;

/// A receiver of type `slack`.
#[derive(Debug)]
pub struct Slack {
    endpoint: Endpoint,
}

impl Slack {
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    async fn post(&self, attempt: Attempt<'_>) -> Report {
        let body = message(&attempt.message.words).to_string().into_bytes();
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        match self.endpoint.post(headers, body, attempt).await {
            Ok(answer) => answer.report(outcome(&answer)),
            Err(report) => report,
        }
    }
}

impl Receiver for Slack {
    fn pace(&self) -> Pace {
        Pace {
            concurrency: 1,
            spacing: Duration::from_secs(1),
        }
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        let words = &message.words;
        let measure = |part, text: &str, limit| Measure {
            part,
            size: length(&escape(text, usize::MAX)),
            limit,
            unit: "characters",
        };
        let mut measures = vec![measure("title", &words.title, HEADER)];
        measures.extend(words.body.as_ref().map(|body| measure("body", body, REASON)));
        measures.extend(words.reason.as_ref().map(|reason| measure("reason", reason, REASON)));
        Preview {
            content: format!("{:#}", self::message(words)),
            measures,
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.post(attempt))
    }
}

/// The message as Slack takes it.
fn message(words: &Words) -> Value {
    let mark = match words.tone {
        Tone::Good => "✅",
        Tone::Bad => "❌",
        Tone::Warning => "⚠️",
        Tone::Neutral => "🔹",
    };
    let section = |text: &str| json!({"type": "section", "text": plain(text, REASON)});
    let mut blocks = vec![json!({"type": "header", "text": plain(&format!("{mark} {}", words.title), HEADER)})];
    if let Some(body) = &words.body {
        blocks.push(section(body));
    } else {
        blocks.extend(words.reason.as_deref().map(section));
        let fields: Vec<Value> = words
            .facts
            .iter()
            .take(10)
            .map(|fact| {
                let label = format!("*{}*\n", fact.label);
                let value = escape(&fact.value, FACT - label.len());
                json!({"type": "mrkdwn", "text": label + &value, "verbatim": true})
            })
            .collect();
        if !fields.is_empty() {
            blocks.push(json!({"type": "section", "fields": fields}));
        }
        if !words.items.is_empty() {
            blocks.push(section(&words.items.join("\n")));
        }
        if let Some(meaning) = &words.meaning {
            blocks.push(json!({"type": "context", "elements": [plain(meaning, MEANING)]}));
        }
    }
    if let Some(link) = &words.link {
        // Both are ccwatch's own; escaped, as Slack asks of an address too.
        let text = format!("<{}|{}>", escape(&link.url, LINK), escape(link.label, LINK));
        let element = json!({"type": "mrkdwn", "text": text, "verbatim": true});
        blocks.push(json!({"type": "context", "elements": [element]}));
    }
    json!({"text": escape(&fallback(mark, words), FALLBACK), "blocks": blocks})
}

/// What a phone shows of it.
fn fallback(mark: &str, words: &Words) -> String {
    let Words {
        title, status, reason, ..
    } = words;
    match reason {
        Some(reason) => format!("{mark} {title} ({status}): {reason}"),
        None => format!("{mark} {title} ({status})"),
    }
}

fn plain(text: &str, longest: usize) -> Value {
    json!({"type": "plain_text", "text": escape(text, longest), "emoji": false})
}

fn escape(text: &str, longest: usize) -> String {
    cut_escaped(text, longest, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    })
}

/// What Slack's answer means: 200 with `ok`, or an error's name as plain text.
fn outcome(answer: &Answer) -> Outcome {
    let is_word = !answer.body.is_empty() && answer.body.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    match answer.status.as_u16() {
        200 if answer.body == "ok" => Outcome::Accepted,
        // The body did not come in time, and what came of it could still become `ok`. Slack gives its errors a status of
        // their own, while a portal's page would have begun; to send again would show the message twice, since Slack
        // knows no id by which to tell.
        200 if !answer.is_whole && "ok".starts_with(&answer.body) => Outcome::Accepted,
        200..=299 => {
            answer.failed("Slack would have said `ok`: check that `url` is an incoming webhook's, and the proxy")
        }
        400 | 403 | 404 | 410 if is_word => answer.rejected(remedy(&answer.body)),
        // Slack refuses with a word. Anything else comes from someone between, and may be gone in a minute.
        _ => match answer.outcome() {
            Outcome::Rejected { .. } => {
                answer.failed("Slack would have said why in a word: check `url`, and the proxy; it will be tried again")
            }
            outcome => outcome,
        },
    }
}

/// What to do about the errors that Slack documents for incoming webhooks.
fn remedy(error: &str) -> &'static str {
    match error {
        "no_service" | "no_service_id" | "no_active_hooks" | "invalid_token" | "no_team" => {
            "the webhook was removed or disabled: make a new one in the Slack app's settings and set `url`"
        }
        "channel_is_archived" | "is_archived" => {
            "its channel is archived: unarchive it, or make a webhook for another one"
        }
        "channel_not_found" => "its channel was deleted: make a webhook for another one and set `url`",
        "action_prohibited" | "posting_to_general_channel_denied" => {
            "an administrator of the workspace restricts posting there: ask them, or choose another channel"
        }
        "team_disabled" => "the workspace is disabled",
        "user_not_found" => "the user that it posts to does not exist: make a new webhook and set `url`",
        "invalid_payload" | "invalid_blocks" | "invalid_blocks_format" | "no_text" | "msg_blocks_too_long" => {
            "Slack does not understand the message: please report this as a bug of ccwatch"
        }
        _ => "see Slack's page on incoming webhooks for what that means",
    }
}

#[cfg(test)]
#[path = "slack_tests.rs"]
mod tests;
