//! Announcements to try things with.

use crate::model::rows::{HookRow, RequestRow};
use crate::model::{AccountId, Announcement, ChangeKind, Delivery, DeliveryId, EventId, Region, Timestamp};

/// 2025-11-22T06:28:00.123Z
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_763_792_880_123);

/// A bucket that could not be created.
pub(super) fn failed_request() -> Announcement {
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
            started_at: Some(NOW),
            first_seen_at: NOW,
            last_seen_at: NOW,
            finished_at: Some(NOW),
            duration_s: Some(72.481),
            open: false,
            hooks_total: 0,
            hooks_failed: 0,
        },
        hook: None,
    }
}

/// A hook that found fault with it.
pub(super) fn failed_hook(failure_mode: &str) -> Announcement {
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
            first_seen_at: NOW,
            finished_at: Some(NOW),
        }),
        ..request
    }
}

/// The same text wherever a text from outside can stand.
pub(super) fn hostile(text: &str) -> Announcement {
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

/// Change number `step` of request `request`, for a receiver `r`. Its event id is `<request>/<step>`.
pub(super) fn delivery(id: i64, request: &str, step: usize) -> Delivery {
    let mut announcement = failed_request();
    announcement.id = EventId(format!("{request}/{step}"));
    announcement.request.request_token = request.into();
    Delivery {
        id: DeliveryId(id),
        receiver: "r".into(),
        attempts: 0,
        since: NOW,
        announcement,
    }
}

/// A deadline that no test comes near.
pub(super) fn in_a_minute() -> tokio::time::Instant {
    tokio::time::Instant::now() + std::time::Duration::from_mins(1)
}
