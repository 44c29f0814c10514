//! What a template can name.
//!
//! Every name is there for every kind of news, and what is not known is `none`: an undefined name is thus a slip of the pen,
//! and nothing else. The names are public, as those of the JSON that receivers are handed: they are only ever added to.

use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::message::Words;
use crate::model::rows::{HookRow, RequestRow};
use crate::model::{Announcement, Incident, News, ReceiverNotice, Timestamp};

#[derive(Serialize)]
struct Context<'a> {
    id: &'a str,
    kind: &'a str,
    at: Timestamp,
    from: Option<&'a str>,
    to: Option<&'a str>,
    event_time: Option<Timestamp>,
    observed_late: bool,
    error_code: Option<&'a str>,
    message: Option<&'a str>,
    target: Option<&'a str>,
    account_id: Option<&'a str>,
    region: Option<&'a str>,
    request: Option<&'a RequestRow>,
    hook: Option<&'a HookRow>,
    turns: u32,
    flapping: bool,
    incident: Option<&'a Incident>,
    replayed: bool,
    receiver: Option<&'a ReceiverNotice>,
    words: &'a Words,
}

/// Of news with ccwatch's own words for it. `None` for a digest: no template makes any.
pub(super) fn of(news: &News, words: &Words) -> Option<Value> {
    match news {
        News::Change(change) => Some(of_change(change, words)),
        News::Receiver(notice) => Some(of_receiver(news.kind(), notice, words)),
        News::Digest(_) => None,
    }
}

/// Of a change, with ccwatch's own words for it.
pub(super) fn of_change(change: &Announcement, words: &Words) -> Value {
    Value::from(Serde(Context {
        id: &change.id.0,
        kind: change.kind.as_str(),
        at: change.at,
        from: change.from.as_deref(),
        to: change.to.as_deref(),
        event_time: change.event_time,
        observed_late: change.observed_late,
        error_code: change.error_code.as_deref(),
        message: change.message.as_deref(),
        target: Some(&change.target),
        account_id: change.account_id.as_ref().map(|account| account.0.as_str()),
        region: Some(&change.region.0),
        request: Some(&change.request),
        hook: change.hook.as_ref(),
        turns: change.turns,
        flapping: change.is_flapping(),
        incident: change.incident.as_ref(),
        replayed: change.replayed,
        receiver: None,
        words,
    }))
}

fn of_receiver(kind: &str, notice: &ReceiverNotice, words: &Words) -> Value {
    Value::from(Serde(Context {
        id: &notice.id.0,
        kind,
        at: notice.at,
        from: None,
        to: None,
        event_time: None,
        observed_late: false,
        error_code: None,
        message: notice.error.as_deref(),
        target: None,
        account_id: None,
        region: None,
        request: None,
        hook: None,
        turns: 0,
        flapping: false,
        incident: None,
        replayed: false,
        receiver: Some(notice),
        words,
    }))
}
