//! What a change amounts to: how it is to be felt, its verb, and what it means.

use super::message::Tone;
use super::remedies;
use super::words::known;
use crate::model::{Announcement, ChangeKind, ErrorCode, FailureMode, HookStatus, RequestStatus};

pub(super) struct Verdict {
    pub(super) tone: Tone,
    /// The title's verb. Never empty.
    pub(super) does: String,
    /// Whole sentences.
    pub(super) means: Vec<&'static str>,
}

impl Verdict {
    fn new(tone: Tone, does: &str) -> Self {
        Self {
            tone,
            does: does.to_owned(),
            means: Vec::new(),
        }
    }

    fn meaning(self, sentence: &'static str) -> Self {
        self.and(Some(sentence))
    }

    fn and(mut self, sentence: Option<&'static str>) -> Self {
        self.means.extend(sentence);
        self
    }

    /// Of a status that this version does not know.
    fn unknown(word: &str) -> Self {
        match known(Some(word)) {
            Some(word) => Self::new(Tone::Neutral, &format!("is {word}")),
            None => Self::new(Tone::Neutral, "has news"),
        }
    }
}

pub(super) fn verdict(announcement: &Announcement) -> Verdict {
    let mut verdict = match (&announcement.kind, announcement.to.as_deref()) {
        (ChangeKind::RequestLost, _) => Verdict::new(Tone::Warning, "was lost from sight").meaning(
            "AWS forgot its token before a final status was seen. How it ended is not known: look at the resource itself.",
        ),
        (ChangeKind::RequestStuck, _) => Verdict::new(Tone::Warning, "takes longer than it should").meaning(
            "It may still end by itself. To cancel it rolls nothing back.",
        ),
        (_, None) => Verdict::new(Tone::Neutral, "has news"),
        (_, Some(word)) => match &announcement.hook {
            Some(hook) => of_hook(&HookStatus::from(word), hook.failure_mode.as_deref()),
            None => of_request(&RequestStatus::from(word), announcement.error_code.as_deref()),
        },
    };
    if matches!(announcement.kind, ChangeKind::RequestDetail | ChangeKind::HookDetail) {
        verdict.does.push_str(" (more is known)");
    }
    verdict
}

fn of_request(status: &RequestStatus, error_code: Option<&str>) -> Verdict {
    match status {
        RequestStatus::Pending => Verdict::new(Tone::Neutral, "is pending"),
        RequestStatus::InProgress => Verdict::new(Tone::Neutral, "is in progress"),
        RequestStatus::Success => Verdict::new(Tone::Good, "succeeded"),
        RequestStatus::Failed => Verdict::new(Tone::Bad, "failed")
            .and(error_code.map(ErrorCode::from).as_ref().and_then(remedies::of_request))
            .meaning("What it had done before it failed is not rolled back."),
        RequestStatus::CancelInProgress => Verdict::new(Tone::Neutral, "is being cancelled"),
        RequestStatus::CancelComplete => Verdict::new(Tone::Warning, "was cancelled")
            .meaning("What it had done before it was cancelled is not rolled back."),
        RequestStatus::Other(word) => Verdict::unknown(word),
    }
}

fn of_hook(status: &HookStatus, mode: Option<&str>) -> Verdict {
    // A hook that only warns stops nothing.
    let failed = if mode.map(FailureMode::from) == Some(FailureMode::Warn) {
        Tone::Warning
    } else {
        Tone::Bad
    };
    let verdict = match status {
        HookStatus::Pending => Verdict::new(Tone::Neutral, "is pending"),
        HookStatus::InProgress => Verdict::new(Tone::Neutral, "is running"),
        HookStatus::CompleteSucceeded => Verdict::new(Tone::Good, "passed"),
        HookStatus::CompleteFailed => Verdict::new(failed, "found fault"),
        HookStatus::Failed => Verdict::new(failed, "could not judge"),
        HookStatus::Other(word) => Verdict::unknown(word),
    };
    verdict.and(remedies::of_hook(status, mode))
}
