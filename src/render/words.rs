//! A change in words. Everything here is one line and [`printable`]: the service's own text is hostile until then.

use std::time::Duration;

use super::console;
use super::message::{Fact, Words};
use super::verdict::{Verdict, verdict};
use crate::model::rows::numbered;
use crate::model::{Announcement, printable};

/// Puts an announcement into words.
pub(super) fn words(announcement: &Announcement) -> Words {
    let verdict = verdict(announcement);
    let request = &announcement.request;
    let operation = known(request.operation.as_deref()).unwrap_or_else(|| "request".into());
    let type_name = known(request.type_name.as_deref()).unwrap_or_else(|| "of unknown type".into());
    let what = format!("{operation} {type_name}");
    let hook_name = hook_name(announcement);
    let happened = match &hook_name {
        Some(hook) => format!("Hook {hook} {} on {what}", verdict.does),
        None => format!("{what} {}", verdict.does),
    };
    Words {
        tone: verdict.tone,
        title: if announcement.replayed {
            format!("Replayed: {happened}")
        } else {
            happened
        },
        about: match known(request.identifier.as_deref()) {
            Some(identifier) => format!("{what} {identifier}"),
            None => what,
        },
        hook: hook_name.map(|name| match failure_mode(announcement) {
            Some(mode) => format!("hook {name} ({mode})"),
            None => format!("hook {name}"),
        }),
        status: status(announcement),
        reason: reason(announcement),
        body: None,
        meaning: meaning(announcement, &verdict),
        facts: facts(announcement),
        items: Vec::new(),
        link: console::link(announcement),
    }
}

/// What the verdict says of it, and then what is special about its being told.
fn meaning(announcement: &Announcement, verdict: &Verdict) -> Option<String> {
    let mut sentences: Vec<String> = verdict.means.iter().map(|sentence| (*sentence).to_owned()).collect();
    if announcement.is_flapping() {
        sentences.push(format!(
            "It is flapping: it went between success and failure {} times in {} h.",
            announcement.turns,
            Announcement::TURNS_WITHIN.as_secs() / 3600
        ));
    }
    if announcement.replayed {
        sentences.push("It was told before, and is told again because someone asked for that.".to_owned());
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn status(announcement: &Announcement) -> String {
    let word = |status: &Option<String>| known(status.as_deref());
    match (word(&announcement.from), word(&announcement.to)) {
        (Some(from), Some(to)) if from != to => format!("{from} → {to}"),
        (_, Some(to)) => to,
        (Some(from), None) => format!("{from} → unknown"),
        (None, None) => "unknown".into(),
    }
}

fn reason(announcement: &Announcement) -> Option<String> {
    let parts: Vec<String> = [&announcement.error_code, &announcement.message]
        .into_iter()
        .filter_map(|text| known(text.as_deref()))
        .collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

fn facts(announcement: &Announcement) -> Vec<Fact> {
    let request = &announcement.request;
    let mut facts = Vec::new();
    let mut add = |label, value: Option<String>| {
        facts.extend(value.map(|value| Fact { label, value }));
    };
    add("Status", Some(status(announcement)));
    add("Resource", known(request.identifier.as_deref()));
    add("Error", known(announcement.error_code.as_deref()));
    add("Took", request.duration_s.filter(|_| !request.open).and_then(duration));
    add("Target", known(Some(&announcement.target)));
    let account = announcement.account_id.as_ref();
    add("Account", known(account.map(|account| account.0.as_str())));
    add("Hook", hook_name(announcement));
    add("Failure mode", failure_mode(announcement));
    let late = if announcement.observed_late {
        ", late: it happened while the target was not looked at"
    } else {
        ""
    };
    add("Seen at", Some(format!("{}{late}", announcement.at)));
    add("Request", known(Some(&request.request_token)));
    facts
}

fn hook_name(announcement: &Announcement) -> Option<String> {
    let hook = announcement.hook.as_ref()?;
    let name = known(hook.hook_type_name.as_deref()).or_else(|| known(hook.hook_type_arn.as_deref()));
    let name = name.unwrap_or_else(|| "of unknown type".into());
    Some(numbered(&name, hook.invocation))
}

fn failure_mode(announcement: &Announcement) -> Option<String> {
    known(announcement.hook.as_ref()?.failure_mode.as_deref())
}

/// `1m 12s`; tenths only below ten seconds.
pub(super) fn duration(seconds: f64) -> Option<String> {
    let exact = Duration::try_from_secs_f64(seconds).ok()?;
    let step: u64 = if exact < Duration::from_secs(10) { 100 } else { 1000 };
    let millis = u64::try_from(exact.as_millis()).ok()?;
    Some(humantime::format_duration(Duration::from_millis(millis / step * step)).to_string())
}

/// The text on one printable line, if anything is left of it then.
pub(super) fn known(text: Option<&str>) -> Option<String> {
    let printable = printable(text?);
    let trimmed = printable.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
