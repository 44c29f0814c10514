//! News as a CloudEvent 1.0, for machines: what `webhook` posts and what the receivers of AWS hand on.
//!
//! - **Within [`LARGEST`]**, what every intermediary must pass on, and far below what SNS, SQS and EventBridge take.
//! - **Every character is one of XML's.** SQS takes no others; JSON has escapes for them, which mean the same.
//!
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use crate::decide::retry::Outcome;
use crate::deliver::receiver::{Measure, Preview, Report};
use crate::model::{News, Timestamp};
use crate::render::text;

/// Bytes: CloudEvents 1.0, section "Size limits".
pub(super) const LARGEST: usize = 64 * 1024;

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

/// The event's type.
pub(super) fn kind(news: &News) -> String {
    format!("ccwatch.{}", news.kind())
}

fn event(news: &News) -> CloudEvent<'_> {
    CloudEvent {
        specversion: "1.0",
        kind: kind(news),
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

/// The event as JSON, cut if it must be.
pub(super) fn written(news: &News) -> serde_json::Result<String> {
    let event = event(news);
    let whole = json(&event)?;
    if whole.len() <= LARGEST {
        return Ok(whole);
    }
    // Only a service that breaks its own limits gets here. About 50 strings of 128 characters, each at most six bytes
    // long when escaped, fit in any case.
    let mut value = serde_json::to_value(&event)?;
    for longest in [2048, 512, 128] {
        cut_strings(&mut value, longest);
        let cut = json(&value)?;
        if cut.len() <= LARGEST {
            return Ok(cut);
        }
    }
    json(&value)
}

/// That a message cannot be made, however often it is tried.
pub(super) fn unwritten(error: &dyn std::fmt::Display) -> Report {
    Report::from(Outcome::Rejected {
        error: format!("the event cannot be written: {error}"),
    })
}

/// The event as it is, with its size.
pub(super) fn preview(news: &News) -> Preview {
    let event = event(news);
    Preview {
        content: serde_json::to_string_pretty(&event)
            .unwrap_or_else(|error| format!("the event cannot be written: {error}")),
        measures: vec![Measure {
            part: "body",
            size: json(&event).map_or(0, |whole| whole.len()),
            limit: LARGEST,
            unit: "bytes",
        }],
    }
}

/// JSON escapes what XML has no character for, but for these two.
fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(value)?;
    Ok(if json.contains(['\u{fffe}', '\u{ffff}']) {
        json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
    } else {
        json
    })
}

fn cut_strings(value: &mut Value, longest: usize) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(cut) = text::cut(text, longest) {
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
#[path = "cloud_event_tests.rs"]
mod tests;
