//! Where a request stands now, in words: what its living message shows.

use super::message::{Fact, Words};
use super::words::{self, clean};
use crate::model::{Announcement, RequestStatus};

/// The request's present state, whatever the change was that brought it there.
pub(super) fn words(announcement: &Announcement) -> Words {
    let request = &announcement.request;
    let status = request.status.as_deref().unwrap_or("unknown");
    let mut words = words::words(announcement);
    let verdict = words::request_verdict(RequestStatus::from(status).as_str());
    words.tone = verdict.tone;
    words.title = format!("{} {}", words.about, verdict.does);
    words.hook = None;
    words.status = clean(status);
    words.meaning = verdict.means.map(str::to_owned);
    let reason: Vec<String> = [&request.error_code, &request.status_message]
        .into_iter()
        .flatten()
        .map(|text| clean(text))
        .filter(|text| !text.is_empty())
        .collect();
    words.reason = (!reason.is_empty()).then(|| reason.join(": "));
    words
        .facts
        .retain(|fact| !matches!(fact.label, "Hook" | "Failure mode" | "Error" | "Seen at"));
    for fact in &mut words.facts {
        if fact.label == "Status" {
            fact.value.clone_from(&words.status);
        }
    }
    if request.hooks_total > 0 {
        words.facts.push(Fact {
            label: "Hooks",
            value: format!("{}, {} failed", request.hooks_total, request.hooks_failed),
        });
    }
    words
}
