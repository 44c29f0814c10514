//! News to try things with: templates when they are read, receivers by `ccwatch notify`, and all of it in tests.

use crate::model::rows::{HookRow, RequestRow};
use crate::model::{
    AccountId, Announcement, ChangeKind, Digest, DigestCount, EventId, Incident, IncidentState, News, ReceiverNotice,
    Region, Timestamp,
};

/// 2025-11-22T06:28:00.123Z
pub const NOW: Timestamp = Timestamp::from_millis(1_763_792_880_123);

/// When the sample's request began: 72.481 s before.
const BEGAN: Timestamp = Timestamp::from_millis(1_763_792_807_642);

/// A bucket that could not be created.
pub fn failed_request() -> Announcement {
    Announcement {
        id: EventId("01JD8Z-7".into()),
        kind: ChangeKind::RequestStatus,
        from: Some("IN_PROGRESS".into()),
        to: Some("FAILED".into()),
        at: NOW,
        event_time: None,
        observed_late: false,
        error_code: Some("AlreadyExists".into()),
        message: Some("my-bucket already exists".into()),
        target: "prod/eu-west-1".into(),
        account_id: Some(AccountId("123456789012".into())),
        region: Region("eu-west-1".into()),
        request: RequestRow {
            target: "prod/eu-west-1".into(),
            account_id: Some("123456789012".into()),
            region: "eu-west-1".into(),
            request_token: "73553e7d-token".into(),
            hooks_request_token: None,
            type_name: Some("AWS::S3::Bucket".into()),
            identifier: Some("my-bucket".into()),
            operation: Some("CREATE".into()),
            status: Some("FAILED".into()),
            error_code: Some("AlreadyExists".into()),
            status_message: Some("my-bucket already exists".into()),
            started_at: Some(BEGAN),
            first_seen_at: BEGAN,
            last_seen_at: NOW,
            finished_at: Some(NOW),
            duration_s: Some(72.481),
            open: false,
            hooks_total: 0,
            hooks_failed: 0,
        },
        hook: None,
        turns: 0,
        incident: None,
        replayed: false,
    }
}

/// A database that has been created for too long.
pub fn stuck_request() -> Announcement {
    let mut announcement = failed_request();
    let text = |text: &str| Some(text.to_owned());
    announcement.kind = ChangeKind::RequestStuck;
    announcement.from = text("IN_PROGRESS");
    announcement.to = text("IN_PROGRESS");
    announcement.error_code = None;
    announcement.message = text("open for 2h 5m; 99 of 100 such requests took less than 18m");
    let request = &mut announcement.request;
    request.type_name = text("AWS::RDS::DBInstance");
    request.identifier = text("orders");
    request.status = text("IN_PROGRESS");
    (request.error_code, request.status_message) = (None, None);
    (request.finished_at, request.duration_s, request.open) = (None, None, true);
    announcement
}

/// A hook that found fault with it.
pub fn failed_hook(failure_mode: &str) -> Announcement {
    let request = failed_request();
    Announcement {
        kind: ChangeKind::HookStatus,
        from: Some("HOOK_IN_PROGRESS".into()),
        to: Some("HOOK_COMPLETE_FAILED".into()),
        error_code: None,
        message: Some("bucket is not encrypted".into()),
        hook: Some(HookRow {
            target: "prod/eu-west-1".into(),
            request_token: "73553e7d-token".into(),
            hook_type_name: Some("Acme::S3::Guard".into()),
            hook_type_version_id: Some("00000003".into()),
            hook_type_arn: None,
            invocation_point: Some("PRE_PROVISION".into()),
            failure_mode: Some(failure_mode.into()),
            status: Some("HOOK_COMPLETE_FAILED".into()),
            status_message: Some("bucket is not encrypted".into()),
            event_time: Some(NOW),
            first_seen_at: BEGAN,
            finished_at: Some(NOW),
            invocation: 1,
        }),
        ..request
    }
}

/// The same text wherever a text from outside can stand.
#[cfg(test)]
pub fn hostile(text: &str) -> Announcement {
    let all = || Some(text.to_owned());
    let mut announcement = failed_hook(text);
    announcement.from = all();
    announcement.to = all();
    announcement.error_code = all();
    announcement.message = all();
    announcement.target = text.into();
    announcement.account_id = Some(AccountId(text.into()));
    announcement.region = Region(text.into());
    let request = &mut announcement.request;
    request.target = text.into();
    request.account_id = all();
    request.region = text.into();
    request.request_token = text.into();
    request.hooks_request_token = all();
    request.type_name = all();
    request.identifier = all();
    request.operation = all();
    request.status = all();
    request.error_code = all();
    request.status_message = all();
    if let Some(hook) = &mut announcement.hook {
        hook.target = text.into();
        hook.request_token = text.into();
        hook.hook_type_name = all();
        hook.hook_type_version_id = all();
        hook.hook_type_arn = all();
        hook.invocation_point = all();
        hook.status = all();
        hook.status_message = all();
    }
    announcement
}

/// A digest with both of them.
pub fn digest() -> Digest {
    let count = |kind: ChangeKind, status: &str, failure_mode: Option<&str>, count| DigestCount {
        kind: kind.as_str().to_owned(),
        status: Some(status.to_owned()),
        failure_mode: failure_mode.map(str::to_owned),
        count,
    };
    Digest {
        id: EventId("01JD8Z-7-53".into()),
        from: NOW,
        to: NOW.plus(std::time::Duration::from_secs(40)),
        changes: 47,
        requests: 12,
        replayed: 0,
        counts: vec![
            count(ChangeKind::RequestStatus, "FAILED", None, 2),
            count(ChangeKind::HookStatus, "HOOK_COMPLETE_FAILED", Some("WARN"), 1),
            count(ChangeKind::RequestStatus, "SUCCESS", None, 44),
        ],
        targets: vec![("prod/eu-west-1".into(), 40), ("dev/eu-west-1".into(), 7)],
        types: vec![(Some("AWS::S3::Bucket".into()), 45), (None, 2)],
        worst: vec![failed_request(), failed_hook("WARN")],
    }
}

/// That the receiver `chat` fails, or is well again.
pub fn notice(is_failing: bool) -> ReceiverNotice {
    ReceiverNotice {
        id: EventId("01JD8Z-n1".into()),
        at: NOW.plus(std::time::Duration::from_mins(20)),
        receiver: "chat".into(),
        since: NOW,
        is_failing,
        waiting: 14,
        error: Some("receiver `chat`: hooks.example.com answered 503 Service Unavailable".into()),
    }
}

/// One of each kind of news.
pub fn every_kind() -> Vec<News> {
    let of_kind = |kind: &str| {
        let mut announcement = match kind {
            "hook.status" | "hook.detail" => failed_hook("WARN"),
            "request.stuck" => stuck_request(),
            _ => failed_request(),
        };
        announcement.kind = ChangeKind::from(kind);
        if announcement.kind == ChangeKind::RequestLost {
            (announcement.to, announcement.error_code, announcement.message) = (None, None, None);
        }
        News::Change(Box::new(announcement))
    };
    let mut every: Vec<News> = ChangeKind::KNOWN.iter().map(|kind| of_kind(kind)).collect();
    every.push(News::Digest(Box::new(digest())));
    every.extend([true, false].map(|is_failing| News::Receiver(Box::new(notice(is_failing)))));
    every
}

/// What templates are tried with, each with what it is called: every kind of news but a digest, every kind of change once
/// more with nothing known that may be unknown, and one that has all that a change seldom has.
pub(super) fn for_templates() -> Vec<(String, News)> {
    let mut all: Vec<(String, News)> = every_kind()
        .into_iter()
        .filter(|news| !matches!(news, News::Digest(_)))
        .map(|news| (news.kind().to_owned(), news))
        .collect();
    let changes: Vec<Announcement> = all.iter().filter_map(|(_, news)| news.change().cloned()).collect();
    all.extend(changes.into_iter().map(|change| {
        let name = format!("{} with all unknown that can be", change.kind);
        (name, News::Change(Box::new(bare(change))))
    }));
    let seldom = Announcement {
        event_time: Some(NOW),
        observed_late: true,
        turns: Announcement::FLAPPING,
        incident: Some(Incident {
            key: "01JD8Z-7".into(),
            state: IncidentState::Open,
        }),
        replayed: true,
        ..failed_request()
    };
    let silent = ReceiverNotice {
        error: None,
        ..notice(true)
    };
    all.push((
        "request.status, replayed, with an incident".into(),
        News::Change(Box::new(seldom)),
    ));
    all.push((
        "receiver.failing without an error".into(),
        News::Receiver(Box::new(silent)),
    ));
    all
}

/// The same change with nothing known that may be unknown.
fn bare(change: Announcement) -> Announcement {
    let request = RequestRow {
        account_id: None,
        hooks_request_token: None,
        type_name: None,
        identifier: None,
        operation: None,
        status: None,
        error_code: None,
        status_message: None,
        started_at: None,
        finished_at: None,
        duration_s: None,
        ..change.request
    };
    let hook = change.hook.map(|hook| HookRow {
        hook_type_name: None,
        hook_type_version_id: None,
        hook_type_arn: None,
        invocation_point: None,
        failure_mode: None,
        status: None,
        status_message: None,
        event_time: None,
        finished_at: None,
        ..hook
    });
    Announcement {
        from: None,
        to: None,
        event_time: None,
        error_code: None,
        message: None,
        account_id: None,
        request,
        hook,
        ..change
    }
}
