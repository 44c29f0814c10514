//! Google Chat, by a webhook of a space: a card, in one thread for each request.
//!
//! - **One thread a request, with nothing to remember**: the thread's key is made of the request, and Google finds the thread
//!   by it or begins one. A webhook can edit no message, so the latest one in the thread shows where the request is.
//! - **Once**: Google takes a `requestId` that it has seen for the same message, and shows none twice after a lost answer.
//! - **Inside the limit**: 32,000 bytes for all of a message. Texts are cut so that it holds whatever they are written in.
//! - **Nothing formats, pings or links.** A card's texts are read as HTML: `&`, `<` and `>` are entities, and an address is
//!   broken. Titles and the fallback, of which no escape is documented, have other brackets in place of `<` and `>`.
//! - **A message a second**: what Google allows all webhooks of a space together.
//!
//! <https://developers.google.com/workspace/chat/quickstart/webhooks>,
//! <https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create>,
//! <https://developers.google.com/workspace/chat/format-messages#card-formatting>,
//! <https://developers.google.com/workspace/chat/limits>

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Endpoint};
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::deliver::receivers::detail::detail;
use crate::deliver::receivers::unlinked::unlinked;
use crate::render::text::{cut, cut_escaped};
use crate::render::{Message, Words};

/// Google's limit, in bytes.
const LARGEST: usize = 32_000;

// A unit of text takes three bytes at the most, six where a template holds control characters: with these lengths, all of it
// and the card's frame stay below the limit.
const TITLE: usize = 200;
const FALLBACK: usize = 400;
const DETAIL: usize = 3500;
const BODY: usize = 4500;
const FACT: usize = 300;
const MEANING: usize = 400;
/// A longer link is left out.
const LINK: usize = 1000;
/// Google's limit is 4000 characters; a request's is far shorter.
const THREAD: usize = 300;

/// A receiver of type `google-chat`.
#[derive(Debug)]
pub struct GoogleChat {
    /// The webhook, with its key and token.
    endpoint: Endpoint,
}

impl GoogleChat {
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    async fn post(&self, attempt: Attempt<'_>) -> Report {
        let query = [
            ("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"),
            ("requestId", attempt.idempotency_key),
        ];
        let endpoint = self.endpoint.at(&[], &query);
        let body = body(attempt.message, true);
        match endpoint.send_json(Method::POST, None, &body, attempt).await {
            Ok(answer) => answer.report(outcome(&answer)),
            Err(report) => report,
        }
    }
}

impl Receiver for GoogleChat {
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::from_secs(1))
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        Preview {
            content: format!("{:#}", body(message, true)),
            measures: vec![Measure {
                part: "message",
                size: body(message, false).to_string().len(),
                limit: LARGEST,
                unit: "bytes",
            }],
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.post(attempt))
    }
}

/// The message, its texts cut or, to be measured, whole.
fn body(message: &Message<'_>, is_cut: bool) -> Value {
    let words = &message.words;
    let at_most = |longest| if is_cut { longest } else { usize::MAX };
    let title = unbracketed(&format!("{} {}", words.tone.mark(), words.title));
    let mut body = json!({
        "fallbackText": cut(&unbracketed(&fallback(words)), at_most(FALLBACK)),
        "cardsV2": [{
            "cardId": "ccwatch",
            "card": {
                "header": {"title": cut(&title, at_most(TITLE))},
                "sections": [{"widgets": widgets(words, at_most)}],
            },
        }],
    });
    if let Some(key) = message.thread_key() {
        body["thread"] = json!({"threadKey": cut(&key, THREAD)});
    }
    body
}

fn fallback(words: &Words) -> String {
    let Words {
        title, status, reason, ..
    } = words;
    let sign = words.tone.mark();
    match reason {
        Some(reason) => format!("{sign} {title} ({status}): {reason}"),
        None => format!("{sign} {title} ({status})"),
    }
}

/// At least one, as Google wants it.
fn widgets(words: &Words, at_most: impl Fn(usize) -> usize) -> Vec<Value> {
    let paragraph = |text: &str, longest| json!({"textParagraph": {"text": escape(text, at_most(longest))}});
    let mut widgets = Vec::new();
    let longest = if words.body.is_some() { BODY } else { DETAIL };
    let detail = detail(words);
    if !detail.trim().is_empty() {
        widgets.push(paragraph(&detail, longest));
    }
    if words.body.is_none() {
        let facts = words.facts.iter().filter(|fact| !fact.value.trim().is_empty()).take(10);
        widgets.extend(facts.map(|fact| {
            let value = escape(&fact.value, at_most(FACT));
            json!({"decoratedText": {"topLabel": fact.label, "text": value, "wrapText": true}})
        }));
        widgets.extend(words.meaning.iter().map(|meaning| paragraph(meaning, MEANING)));
    }
    if let Some(link) = words.link.as_ref().filter(|link| link.url.len() <= LINK) {
        let button = json!({"text": link.label, "onClick": {"openLink": {"url": link.url}}});
        widgets.push(json!({"buttonList": {"buttons": [button]}}));
    }
    if widgets.is_empty() {
        widgets.push(paragraph(&words.title, TITLE));
    }
    widgets
}

fn escape(text: &str, longest: usize) -> String {
    cut_escaped(&unlinked(text), longest, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    })
}

fn unbracketed(text: &str) -> String {
    unlinked(text).replace('<', "‹").replace('>', "›")
}

/// What Google's answer means: an error is JSON with a status in a word.
fn outcome(answer: &Answer) -> Outcome {
    let said = answer.json().unwrap_or_default();
    let error = &said["error"];
    let is_about_the_key = error["details"]
        .as_array()
        .is_some_and(|details| details.iter().any(|detail| detail["reason"] == "API_KEY_INVALID"));
    match (answer.status.as_u16(), error["status"].as_str()) {
        (400, Some(_)) if is_about_the_key => {
            answer.failed("Google does not accept the key: copy the webhook's URL again and set `url`")
        }
        (400, Some("INVALID_ARGUMENT")) => {
            answer.rejected("Google does not understand the message: please report this as a bug of ccwatch")
        }
        (401 | 403, Some(_)) => {
            answer.failed("Google refuses the webhook: copy its URL again and set `url`, or ask the administrator")
        }
        (404, Some(_)) => {
            answer.failed("the space or its webhook is gone: add a webhook in the space's settings and set `url`")
        }
        _ => match answer.outcome() {
            // Google refuses with a word that is known. Anything else may be mended, or comes from someone between.
            Outcome::Rejected { .. } => answer.failed("check `url`, and the proxy; it will be tried again"),
            outcome => outcome,
        },
    }
}

#[cfg(test)]
#[path = "google_chat_tests.rs"]
mod tests;
