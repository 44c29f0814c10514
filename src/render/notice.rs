//! How a receiver is doing, in words.

use std::time::Duration;

use super::message::{Fact, Tone, Words};
use super::words::{clean, duration};
use crate::model::ReceiverNotice;

pub(super) fn words(notice: &ReceiverNotice) -> Words {
    let receiver = clean(&notice.receiver);
    let lasted: Duration = notice.at.since(notice.since);
    let lasted = duration(lasted.as_secs_f64()).unwrap_or_default();
    let (tone, does, status) = if notice.is_failing {
        (Tone::Bad, format!("has failed for {lasted}"), "failing")
    } else {
        (Tone::Good, format!("is well again after {lasted}"), "recovered")
    };
    Words {
        tone,
        title: format!("Receiver {receiver} {does}"),
        about: format!("receiver {receiver}"),
        hook: None,
        status: status.to_owned(),
        body: None,
        reason: notice.error.as_deref().map(clean).filter(|error| !error.is_empty()),
        meaning: notice
            .is_failing
            .then(|| "What it should have been told waits, and is tried again until its `give_up_after`.".to_owned()),
        facts: vec![
            Fact {
                label: "Waiting",
                value: notice.waiting.to_string(),
            },
            Fact {
                label: "Failing since",
                value: notice.since.to_string(),
            },
        ],
        items: Vec::new(),
        link: None,
    }
}
