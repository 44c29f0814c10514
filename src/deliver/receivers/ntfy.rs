//! ntfy: a push notification for each piece of news, published as JSON.
//!
//! - **Inside every limit**, counted in bytes as JSON writes them: what is too long for a message, ntfy turns into an
//!   attachment that expires, or refuses, depending on the server.
//! - **Plain text**: ntfy renders Markdown only where it is asked to, and knows no mentions.
//! - **One message each five seconds**, which is what ntfy.sh lets through in the long run (of its burst of sixty,
//!   half is left to others behind the same address). A day's number of messages is limited too (250 for who does not
//!   pay), and is a 429 like any other: what waits then goes out the next day.
//! - **No threads**: ntfy can't edit, and ties nothing together. A repeated attempt after a lost answer shows twice.
//! - **The topic is a secret**: on an open server its name is all that one needs to read it.
//!
//! <https://docs.ntfy.sh/publish/#publish-as-json>, <https://docs.ntfy.sh/publish/#limitations>,
//! <https://docs.ntfy.sh/config/#rate-limiting>; title and tags:
//! <https://github.com/binwiederhier/ntfy/releases/tag/v2.28.0>

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Endpoint};
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::render::letter::below_title;
use crate::render::text::cut_by;
use crate::render::{Message, Tone, Words, fit};

/// ntfy's limit for a title, in bytes.
const TITLE: usize = 1024;
/// ntfy's limit for a message, in bytes. A JSON body may have twice as many in all.
const MESSAGE: usize = 4096;
/// What of it is left to labels and line breaks.
const LAYOUT: usize = 500;

/// A receiver of type `ntfy`.
#[derive(Debug)]
pub struct Ntfy {
    endpoint: Endpoint,
    topic: SecretString,
    /// `Authorization`.
    authorization: Option<HeaderValue>,
}

impl Ntfy {
    /// `authorization` is a [`bearer`](crate::deliver::http::bearer) token where the topic needs one.
    pub fn new(endpoint: Endpoint, topic: SecretString, authorization: Option<HeaderValue>) -> Self {
        Self {
            endpoint,
            topic,
            authorization,
        }
    }

    async fn post(&self, attempt: Attempt<'_>) -> Report {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(self.authorization.clone().map(|value| (AUTHORIZATION, value)));
        let body = message(&attempt.message.words, self.topic.expose_secret()).to_string();
        match self.endpoint.post(headers, body.into_bytes(), attempt).await {
            Ok(answer) => answer.report(outcome(&answer)),
            Err(report) => report,
        }
    }
}

impl Receiver for Ntfy {
    fn pace(&self) -> Pace {
        Pace {
            burst: 30,
            ..Pace::one_by_one(Duration::from_secs(5))
        }
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        let measure = |part, text: &str, limit| Measure {
            part,
            size: text.chars().map(json_bytes).sum(),
            limit,
            unit: "bytes",
        };
        let words = &message.words;
        let whole = text(&fit(words, usize::MAX, json_bytes));
        Preview {
            content: format!("{:#}", self::message(words, "…")),
            measures: vec![
                measure("title", &words.title, TITLE),
                measure("message", &whole, MESSAGE),
            ],
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.post(attempt))
    }
}

/// The message as ntfy takes it.
fn message(words: &Words, topic: &str) -> Value {
    // <https://docs.ntfy.sh/publish/#message-priority>: 3 is the default; 5 rings through "do not disturb".
    let (priority, tag) = match words.tone {
        Tone::Good => (3, "white_check_mark"),
        Tone::Neutral => (2, "small_blue_diamond"),
        Tone::Warning => (3, "warning"),
        Tone::Bad => (4, "x"),
    };
    let mut message = json!({
        "topic": topic,
        "title": cut_by(&words.title, TITLE, json_bytes),
        "message": cut_by(&text(&fit(words, MESSAGE - LAYOUT, json_bytes)), MESSAGE, json_bytes),
        "priority": priority,
        "tags": [tag],
    });
    if let Some(link) = &words.link {
        message["click"] = json!(link.url);
    }
    message
}

/// ntfy shows the word `triggered` in place of an empty message.
fn text(words: &Words) -> String {
    let below = below_title(words);
    if below.is_empty() { words.title.clone() } else { below }
}

/// How many bytes a character takes in JSON.
fn json_bytes(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' => 2,
        c if c.is_control() => 6,
        c => c.len_utf8(),
    }
}

/// What ntfy's answer means. Its errors are JSON with a `code` of five digits, of which the first three are HTTP's status.
fn outcome(answer: &Answer) -> Outcome {
    let json = answer.json().unwrap_or_default();
    let code = json["code"].as_u64();
    match (answer.status.as_u16(), code) {
        (200, _) if json["id"].is_string() || !answer.is_whole => Outcome::Accepted,
        (200..=299, _) => answer.failed("ntfy would have answered with the message: check `url`, and the proxy"),
        (401 | 403, _) => answer.failed("it may not publish there: check `topic`, `token` and the topic's access"),
        (413, Some(41_303)) => answer.rejected("the message is too large: please report this as a bug of ccwatch"),
        (429, Some(42_908)) => answer.failed("the day's messages are used up; it will be tried again"),
        // Of the topic, which a person can mend.
        (400, Some(40_009 | 40_010)) => answer.failed("check `topic`; it will be tried again"),
        (400, Some(_)) => answer.rejected("ntfy does not take this message: please report this as a bug of ccwatch"),
        // ntfy refuses with a code. Anything else comes from someone between, and may be gone in a minute.
        _ => match answer.outcome() {
            Outcome::Rejected { .. } => answer.failed("ntfy would have said why: check `url`, and the proxy"),
            outcome => outcome,
        },
    }
}

#[cfg(test)]
#[path = "ntfy_tests.rs"]
mod tests;
