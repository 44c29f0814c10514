//! Where a request stands now: what its living message shows, whatever the change was that brought it there.

use super::message::{Fact, Words};
use super::verdict::verdict;
use super::words;
use crate::model::{Announcement, ChangeKind};

/// The request's present state, as a change that leads there from nowhere. Templates are given it in place of the change.
pub(super) fn announcement(announcement: &Announcement) -> Announcement {
    let request = announcement.request.clone();
    let (kind, from, to) = if request.is_lost() {
        (ChangeKind::RequestLost, request.status.clone(), None)
    } else {
        (ChangeKind::RequestStatus, None, request.status.clone())
    };
    Announcement {
        kind,
        from,
        to,
        event_time: None,
        observed_late: false,
        error_code: request.error_code.clone(),
        message: request.status_message.clone(),
        hook: None,
        replayed: false,
        request,
        ..announcement.clone()
    }
}

/// The words of what [`announcement`] made.
pub(super) fn words(present: &Announcement) -> Words {
    let mut words = words::words(present);
    words.title = format!("{} {}", words.about, verdict(present).does);
    words.facts.retain(|fact| !matches!(fact.label, "Error" | "Seen at"));
    let request = &present.request;
    if request.hooks_total > 0 {
        words.facts.push(Fact {
            label: "Hooks",
            value: format!("{}, {} failed", request.hooks_total, request.hooks_failed),
        });
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::message::Tone;
    use crate::render::samples::failed_hook;

    fn present(change: &Announcement) -> Words {
        words(&announcement(change))
    }

    fn labels(words: &Words) -> Vec<&str> {
        words.facts.iter().map(|fact| fact.label).collect()
    }

    #[test]
    fn a_hooks_news_shows_where_the_request_stands() {
        let mut hook = failed_hook("WARN");
        hook.replayed = true;
        hook.request.hooks_total = 2;
        hook.request.hooks_failed = 1;
        let words = present(&hook);
        assert_eq!(words.title, "CREATE AWS::S3::Bucket my-bucket failed");
        assert_eq!((words.tone, words.status.as_str()), (Tone::Bad, "FAILED"));
        assert_eq!(words.reason.as_deref(), Some("AlreadyExists: my-bucket already exists"));
        assert!(
            words
                .meaning
                .as_ref()
                .unwrap()
                .starts_with("Such a resource was there before.")
        );
        assert_eq!(words.hook, None);
        let expected = ["Status", "Resource", "Took", "Target", "Account", "Request", "Hooks"];
        assert_eq!(labels(&words), expected);
        assert_eq!(words.facts.last().unwrap().value, "2, 1 failed");
        assert!(words.link.unwrap().url.contains("/cloudtrail/"));
    }

    #[test]
    fn what_went_on_since_the_change_is_shown() {
        let mut change = failed_hook("FAIL");
        change.request.status = Some("IN_PROGRESS".into());
        change.request.error_code = None;
        change.request.status_message = None;
        change.request.open = true;
        let words = present(&change);
        assert_eq!(words.title, "CREATE AWS::S3::Bucket my-bucket is in progress");
        assert_eq!((words.reason, words.meaning), (None, None));
    }

    #[test]
    fn a_request_that_was_lost_is_not_shown_as_under_way() {
        let mut change = failed_hook("FAIL");
        change.request.status = Some("IN_PROGRESS".into());
        change.request.open = false;
        let words = present(&change);
        assert_eq!(words.title, "CREATE AWS::S3::Bucket my-bucket was lost from sight");
        assert_eq!(words.status, "IN_PROGRESS → unknown");
    }
}
