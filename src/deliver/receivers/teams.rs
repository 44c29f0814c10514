//! Microsoft Teams, by a workflow that starts when it gets a webhook request: an Adaptive Card.
//!
//! - **No markdown is read.** Teams reads it in a `TextBlock` and in a `FactSet`, and no escape for it is documented. So every
//!   text stands in a `TextRun` of a `RichTextBlock`, which is shown as it is: nothing in it can format, link or, without the
//!   card's `msteams.entities`, mention.
//! - **Inside the limit**: about 28 KB for all of a message, markup included. Whether that is counted in UTF-8 or, as Teams does
//!   for bots, in UTF-16 is not said: a card keeps to it either way. Where it does not fit, its texts are cut to a half of their
//!   lengths, and again.
//! - **Version 1.4**, the latest that all of Teams' clients show; a `RichTextBlock` is of 1.2.
//! - **A message of its own for each news**: a workflow answers 202 before anything is posted, and no reference.
//! - **A message a second**: Teams' connector allows a workflow 300 posts in five minutes.
//!
//! <https://learn.microsoft.com/connectors/teams/#known-issues-and-limitations-with-actions>,
//! <https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format>,
//! <https://adaptivecards.io/explorer/TextRun.html>,
//! <https://support.microsoft.com/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498>

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::decide::retry::Outcome;
use crate::deliver::http::{Answer, Endpoint};
use crate::deliver::receiver::{Attempt, Measure, Pace, Preview, Receiver, Report, Sending};
use crate::render::text::{cut, length};
use crate::render::{Message, Tone, Words};

/// Bytes. A little below the 28 KB, which are documented as approximate.
const LARGEST: usize = 28_000;

const TITLE: usize = 300;
const REASON: usize = 4000;
const BODY: usize = 8000;
const FACT: usize = 400;
const ITEM: usize = 500;
const MEANING: usize = 600;
const FALLBACK: usize = 500;
/// Lines of a template's text that are lines in the card. What follows them stands in the last one.
const LINES: usize = 40;
/// A longer link is left out.
const LINK: usize = 1000;

/// A receiver of type `teams`.
#[derive(Debug)]
pub struct Teams {
    endpoint: Endpoint,
}

impl Teams {
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    async fn post(&self, attempt: Attempt<'_>) -> Report {
        let body = fitting(&attempt.message.words);
        match self.endpoint.send_json(Method::POST, None, &body, attempt).await {
            Ok(answer) => answer.report(outcome(&answer)),
            Err(report) => report,
        }
    }
}

impl Receiver for Teams {
    fn pace(&self) -> Pace {
        Pace::one_by_one(Duration::from_secs(1))
    }

    fn preview(&self, message: &Message<'_>) -> Preview {
        Preview {
            content: format!("{:#}", fitting(&message.words)),
            measures: vec![Measure {
                part: "message",
                size: size(&self::message(&message.words, None)),
                limit: LARGEST,
                unit: "bytes",
            }],
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> Sending<'a> {
        Box::pin(self.post(attempt))
    }
}

/// The message, its texts as long as the limit allows.
fn fitting(words: &Words) -> Value {
    let mut share = 1;
    loop {
        let message = message(words, Some(share));
        if size(&message) <= LARGEST || share >= MEANING {
            return message;
        }
        share *= 2;
    }
}

/// In bytes, as UTF-8 or UTF-16, whichever is more.
fn size(message: &Value) -> usize {
    let text = message.to_string();
    text.len().max(2 * length(&text))
}

/// A message whose texts are at most that share (a half, a fourth, …) of their usual lengths; `None`: uncut.
fn message(words: &Words, share: Option<usize>) -> Value {
    let cut = |text: &str, longest: usize| cut(text, share.map_or(usize::MAX, |share| longest / share)).into_owned();
    let title = format!("{} {}", words.tone.mark(), words.title);
    let mut body = vec![line(json!([
        {"type": "TextRun", "text": cut(&title, TITLE), "size": "Medium", "weight": "Bolder", "color": colour(words.tone)},
    ]))];
    let text = |text: &str, longest| line(json!([{"type": "TextRun", "text": cut(text, longest)}]));
    if let Some(template) = &words.body {
        body.extend(lines(&cut(template, BODY)).map(|line| text(line, BODY)));
    } else {
        body.extend(words.reason.iter().map(|reason| text(reason, REASON)));
        let facts = words.facts.iter().filter(|fact| !fact.value.is_empty()).take(10);
        body.extend(facts.map(|fact| {
            line(json!([
                {"type": "TextRun", "text": format!("{}: ", fact.label), "weight": "Bolder"},
                {"type": "TextRun", "text": cut(&fact.value, FACT)},
            ]))
        }));
        body.extend(words.items.iter().take(10).map(|item| text(item, ITEM)));
        body.extend(
            words
                .meaning
                .iter()
                .map(|meaning| line(json!([{"type": "TextRun", "text": cut(meaning, MEANING), "isSubtle": true}]))),
        );
    }
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": cut(&format!("{title} ({})", words.status), FALLBACK),
        "msteams": {"width": "Full"},
        "body": body,
    });
    if let Some(link) = words.link.as_ref().filter(|link| length(&link.url) <= LINK) {
        card["actions"] = json!([{"type": "Action.OpenUrl", "title": link.label, "url": link.url}]);
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
}

/// A template's lines that are not empty.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.splitn(LINES, '\n')
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
}

#[expect(clippy::needless_pass_by_value, reason = "it is made for this")]
fn line(inlines: Value) -> Value {
    json!({"type": "RichTextBlock", "inlines": inlines})
}

/// A colour of Adaptive Cards.
fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "Good",
        Tone::Bad => "Attention",
        Tone::Warning => "Warning",
        Tone::Neutral => "Default",
    }
}

/// What the workflow's answer means: 202, or an error as JSON with a code.
fn outcome(answer: &Answer) -> Outcome {
    let said = answer.json().unwrap_or_default();
    let code = said["error"]["code"].as_str();
    match (answer.status.as_u16(), code) {
        // Switched off, by its owner or since that person left.
        (400, Some("WorkflowTriggerIsNotEnabled")) | (_, Some("WorkflowSuspended")) => {
            answer.failed("the workflow is switched off: turn it on in Teams' Workflows app")
        }
        (401 | 403, Some(_)) => answer.failed("the workflow refuses the address: copy its URL again and set `url`"),
        (404, Some(_)) => {
            answer.failed("there is no such workflow: make a new one in Teams' Workflows app and set `url`")
        }
        (400, Some(_)) => answer.rejected("the workflow does not take this message: see its run history"),
        (413 | 429, _) => answer.outcome(),
        // A workflow refuses with a code. Anything else comes from someone between, and may be gone in a minute.
        (_, None) => match answer.outcome() {
            Outcome::Rejected { .. } => answer.failed("check `url`, and the proxy; it will be tried again"),
            outcome => outcome,
        },
        _ => answer.outcome(),
    }
}

#[cfg(test)]
#[path = "teams_tests.rs"]
mod tests;
