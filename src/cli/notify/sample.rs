//! News that did not happen, to try a receiver with.

use std::time::Duration;

use crate::cli::Failure;
use crate::config::ReceiverSettings;
use crate::config::wording::{listed, suggestion};
use crate::decide::route::Audience;
use crate::model::{Announcement, ChangeKind, EventId, Incident, IncidentState, News, RequestStatus, Timestamp};
use crate::render::samples;

/// What a receiver is tried with, unless a kind is given: a request that failed.
pub(super) const DEFAULT: &str = "request.status";

/// The sample of a kind, for clap.
pub(super) fn of_kind(kind: &str) -> Result<News, String> {
    let every = samples::every_kind();
    if let Some(news) = every.iter().find(|news| news.kind() == kind) {
        return Ok(news.clone());
    }
    let kinds = || every.iter().map(News::kind);
    Err(format!(
        "no kind of news is called so{}; known are {}",
        suggestion(kind, kinds()),
        listed(kinds())
    ))
}

/// The news as the receiver would be handed it, or why it never is.
pub(super) fn fitting(news: News, settings: &ReceiverSettings) -> Result<News, Failure> {
    let name = &settings.name;
    match (news, settings.audience) {
        (News::Digest(_), _) if settings.digest_over.is_none() => Err(Failure::Arguments(format!(
            "receiver `{name}` is told each change for itself, never in a digest; choose another --kind"
        ))),
        (News::Change(change), Audience::Incidents) if !opens_an_incident(&change) => Err(Failure::Arguments(format!(
            "receiver `{name}` keeps incidents, and a {} opens none; choose another --kind, such as {DEFAULT}",
            change.kind
        ))),
        (News::Change(mut change), Audience::Incidents) => {
            change.incident = Some(Incident {
                key: format!("ccwatch-{}-i", change.id),
                state: IncidentState::Open,
            });
            Ok(News::Change(change))
        }
        (news, _) => Ok(news),
    }
}

/// Of the samples; each of them tells of what went wrong, if that is what its kind can tell.
fn opens_an_incident(change: &Announcement) -> bool {
    matches!(
        change.kind,
        ChangeKind::RequestStatus | ChangeKind::RequestLost | ChangeKind::RequestStuck | ChangeKind::HookStatus
    )
}

/// As if it had happened now, and in no other test: tools may throw away what they have seen, or what is old.
pub(super) fn made_now(mut news: News, now: Timestamp) -> News {
    let id = format!("test-{}", now.as_millis());
    match &mut news {
        News::Change(change) => change_now(change, &id, now),
        News::Digest(digest) => {
            digest.id = EventId(id.clone());
            (digest.from, digest.to) = (now.minus(Duration::from_secs(40)), now);
            for change in &mut digest.worst {
                change_now(change, &id, now);
            }
        }
        News::Receiver(notice) => {
            let failing_for = notice.at.since(notice.since);
            notice.id = EventId(id);
            (notice.since, notice.at) = (now.minus(failing_for), now);
        }
    }
    news
}

fn change_now(change: &mut Announcement, id: &str, now: Timestamp) {
    change.id = EventId(id.to_owned());
    let age = now.since(change.at);
    let moved = |time: Timestamp| time.plus(age);
    change.at = now;
    change.event_time = change.event_time.map(moved);
    let request = &mut change.request;
    request.request_token = id.to_owned();
    request.started_at = request.started_at.map(moved);
    request.first_seen_at = moved(request.first_seen_at);
    request.last_seen_at = moved(request.last_seen_at);
    request.finished_at = request.finished_at.map(moved);
    if let Some(hook) = &mut change.hook {
        hook.request_token = id.to_owned();
        hook.event_time = hook.event_time.map(moved);
        hook.first_seen_at = moved(hook.first_seen_at);
        hook.finished_at = hook.finished_at.map(moved);
    }
}

/// The success that resolves the incident which `news` opens, if it opens one.
pub(super) fn resolving(news: &News) -> Option<News> {
    let mut change = news.change()?.clone();
    let success = || Some(RequestStatus::Success.as_str().to_owned());
    change.incident.as_mut()?.state = IncidentState::Resolved;
    change.id = EventId(format!("{}-resolved", change.id));
    change.kind = ChangeKind::RequestStatus;
    change.to = success();
    change.request.status = success();
    change.request.open = false;
    (change.hook, change.error_code, change.message) = (None, None, None);
    (change.request.error_code, change.request.status_message) = (None, None);
    Some(News::Change(Box::new(change)))
}

#[cfg(test)]
#[path = "sample_tests.rs"]
mod tests;
