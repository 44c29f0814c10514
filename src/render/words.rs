//! A change in words. Everything here is one line and [`printable`]: the service's own text is hostile until then.

use std::time::Duration;

use super::message::{Fact, Tone, Words};
use crate::model::{Announcement, ChangeKind, FailureMode, HookStatus, RequestStatus, printable};

/// Puts an announcement into words.
pub(super) fn words(announcement: &Announcement) -> Words {
    let verdict = verdict(announcement);
    let request = &announcement.request;
    let operation = request.operation.as_deref().unwrap_or("request");
    let type_name = request.type_name.as_deref().unwrap_or("of unknown type");
    let what = clean(&format!("{operation} {type_name}"));
    let hook_name = hook_name(announcement);
    let title = match &hook_name {
        Some(hook) => format!("Hook {hook} {} on {what}", verdict.does),
        None => format!("{what} {}", verdict.does),
    };
    Words {
        tone: verdict.tone,
        title,
        about: match &request.identifier {
            Some(identifier) => format!("{what} {}", clean(identifier)),
            None => what,
        },
        hook: hook_name.map(|name| match failure_mode(announcement) {
            Some(mode) => format!("hook {name} ({})", clean(mode)),
            None => format!("hook {name}"),
        }),
        status: status(announcement),
        reason: reason(announcement),
        body: None,
        meaning: verdict.means.map(str::to_owned),
        facts: facts(announcement),
        items: Vec::new(),
        link: None,
    }
}

/// What a change amounts to.
pub(super) struct Verdict {
    pub(super) tone: Tone,
    /// The title's verb.
    pub(super) does: String,
    pub(super) means: Option<&'static str>,
}

fn verdict(announcement: &Announcement) -> Verdict {
    let to = announcement.to.as_deref();
    let mut verdict = match (&announcement.kind, to) {
        (ChangeKind::RequestLost, _) => Verdict {
            tone: Tone::Warning,
            does: "was lost from sight".into(),
            means: Some(
                "AWS forgot its token before a final status was seen. How it ended is not known: look at the resource \
                 itself.",
            ),
        },
        (ChangeKind::RequestStuck, _) => Verdict {
            tone: Tone::Warning,
            does: "takes longer than it should".into(),
            means: None,
        },
        (_, None) => Verdict {
            tone: Tone::Neutral,
            does: "has news".into(),
            means: None,
        },
        (_, Some(word)) if announcement.hook.is_some() => hook_verdict(word, failure_mode(announcement)),
        (_, Some(word)) => request_verdict(word),
    };
    if matches!(announcement.kind, ChangeKind::RequestDetail | ChangeKind::HookDetail) {
        verdict.does.push_str(" (more is known)");
    }
    verdict
}

pub(super) fn request_verdict(word: &str) -> Verdict {
    let (tone, does, means) = match RequestStatus::from(word) {
        RequestStatus::Pending => (Tone::Neutral, "is pending", None),
        RequestStatus::InProgress => (Tone::Neutral, "is in progress", None),
        RequestStatus::Success => (Tone::Good, "succeeded", None),
        RequestStatus::Failed => (
            Tone::Bad,
            "failed",
            Some("What it had done before it failed is not rolled back."),
        ),
        RequestStatus::CancelInProgress => (Tone::Neutral, "is being cancelled", None),
        RequestStatus::CancelComplete => (
            Tone::Warning,
            "was cancelled",
            Some("What it had done before it was cancelled is not rolled back."),
        ),
        RequestStatus::Other(word) => return unknown(&word),
    };
    let does = does.into();
    Verdict { tone, does, means }
}

fn hook_verdict(word: &str, mode: Option<&str>) -> Verdict {
    let status = HookStatus::from(word);
    let (does, failed) = match &status {
        HookStatus::Pending => ("is pending", false),
        HookStatus::InProgress => ("is running", false),
        HookStatus::CompleteSucceeded => ("passed", false),
        HookStatus::CompleteFailed => ("found fault", true),
        HookStatus::Failed => ("could not judge", true),
        HookStatus::Other(word) => return unknown(word),
    };
    let (tone, means) = match (failed, mode.map(FailureMode::from)) {
        (false, _) if status == HookStatus::CompleteSucceeded => (Tone::Good, None),
        (false, _) => (Tone::Neutral, None),
        (true, Some(FailureMode::Fail)) => (Tone::Bad, Some("Its failure mode is FAIL: the request fails with it.")),
        (true, Some(FailureMode::Warn)) => (
            Tone::Warning,
            Some("Its failure mode is WARN: the request goes on regardless."),
        ),
        (true, _) => (Tone::Bad, None),
    };
    let does = does.into();
    Verdict { tone, does, means }
}

fn unknown(word: &str) -> Verdict {
    Verdict {
        tone: Tone::Neutral,
        does: format!("is {}", clean(word)),
        means: None,
    }
}

fn status(announcement: &Announcement) -> String {
    let word = |status: &Option<String>| status.as_deref().map(clean);
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
        .flatten()
        .map(|text| clean(text))
        .filter(|text| !text.is_empty())
        .collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

fn facts(announcement: &Announcement) -> Vec<Fact> {
    let request = &announcement.request;
    let mut facts = Vec::new();
    let mut add = |label, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            facts.push(Fact { label, value });
        }
    };
    add("Status", Some(status(announcement)));
    add("Resource", request.identifier.as_deref().map(clean));
    add("Error", announcement.error_code.as_deref().map(clean));
    add("Took", request.duration_s.filter(|_| !request.open).and_then(duration));
    add("Target", Some(clean(&announcement.target)));
    add(
        "Account",
        announcement.account_id.as_ref().map(|account| clean(&account.0)),
    );
    add("Hook", hook_name(announcement));
    add("Failure mode", failure_mode(announcement).map(clean));
    let late = if announcement.observed_late {
        ", late: it happened while the target was not looked at"
    } else {
        ""
    };
    add("Seen at", Some(format!("{}{late}", announcement.at)));
    add("Request", Some(clean(&request.request_token)));
    facts
}

fn hook_name(announcement: &Announcement) -> Option<String> {
    let hook = announcement.hook.as_ref()?;
    let name = hook.hook_type_name.as_deref().or(hook.hook_type_arn.as_deref());
    Some(clean(name.unwrap_or("of unknown type")))
}

fn failure_mode(announcement: &Announcement) -> Option<&str> {
    announcement.hook.as_ref()?.failure_mode.as_deref()
}

/// `1m 12s`; tenths only below ten seconds.
pub(super) fn duration(seconds: f64) -> Option<String> {
    let exact = Duration::try_from_secs_f64(seconds).ok()?;
    let step: u64 = if exact < Duration::from_secs(10) { 100 } else { 1000 };
    let millis = u64::try_from(exact.as_millis()).ok()?;
    Some(humantime::format_duration(Duration::from_millis(millis / step * step)).to_string())
}

pub(super) fn clean(text: &str) -> String {
    printable(text).trim().to_owned()
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
