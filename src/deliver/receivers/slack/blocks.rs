//! Words as Slack shows them: Block Kit, with a plain `text` for notifications and screen readers.
//!
//! - **Inside every limit**, counted after escaping: a block that is too long makes Slack refuse the whole message, and
//!   the news would be lost for good.
//! - **Nothing in a message can ping or link** but the one link that is ccwatch's own. `&`, `<` and `>` are escaped, which
//!   is all that Slack asks for; text from outside stands in `plain_text`, or in `mrkdwn` marked `verbatim`, so that a bare
//!   `@here` stays what it is.
//!
//! <https://docs.slack.dev/reference/block-kit/blocks>,
//! <https://docs.slack.dev/messaging/formatting-message-text>

use serde_json::{Map, Value, json};

use crate::deliver::receiver::Measure;
use crate::render::text::{cut_escaped, length};
use crate::render::{Link, Words};

/// Slack's limit for a header block's text.
const HEADER: usize = 150;
/// Slack's limit for a section's text.
const REASON: usize = 3000;
/// Well below Slack's limit of 2000 for a field, so that ten of them, all else at its longest, stay below about 13,200
/// characters in all, beyond which Slack refuses a message (`msg_blocks_too_long`).
const FACT: usize = 500;
const MEANING: usize = 500;
const FALLBACK: usize = 1000;
/// A longer link is left out.
const LINK: usize = 500;

/// A message's `text` and `blocks`.
pub(super) fn content(words: &Words) -> Map<String, Value> {
    let mark = words.tone.mark();
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
    blocks.extend(words.link.as_ref().and_then(link));
    let mut content = Map::new();
    content.insert("text".into(), escape(&fallback(mark, words), FALLBACK).into());
    content.insert("blocks".into(), blocks.into());
    content
}

/// What of the words is limited.
pub(super) fn measures(words: &Words) -> Vec<Measure> {
    let measure = |part, text: &str, limit| Measure {
        part,
        size: length(&escape(text, usize::MAX)),
        limit,
        unit: "characters",
    };
    let title = format!("{} {}", words.tone.mark(), words.title);
    let mut measures = vec![measure("title", &title, HEADER)];
    match &words.body {
        Some(body) => measures.push(measure("body", body, REASON)),
        None => measures.extend(words.reason.as_ref().map(|reason| measure("reason", reason, REASON))),
    }
    measures
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

/// No button: a click on one is told to the app behind the message too, which here does not exist.
fn link(Link { label, url }: &Link) -> Option<Value> {
    let url = escape(url, usize::MAX);
    let fits = length(&url) <= LINK && !url.contains('|');
    let text = format!("<{url}|{}>", escape(label, LINK));
    fits.then(|| json!({"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": true}]}))
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

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
