#![allow(clippy::unwrap_used, reason = "a measurement that fails should fail loudly")]
//! What the decisions, the words and the configuration cost, by themselves: no disk, no network.
//!
//! How a Slack message or a CloudEvent is laid out is each receiver's own affair; what both are made of is public and is
//! measured: the words, and the announcement as JSON.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use ccwatch::config::{Config, Environment};
use ccwatch::decide::cadence::{self, Pace};
use ccwatch::decide::diff::{Baseline, diff};
use ccwatch::decide::plan::{self, Claims, Listing, Looks};
use ccwatch::decide::route::{self, Field, Patterns, Route, Subject};
use ccwatch::decide::timetable::{Discovered, Timetable};
use ccwatch::model::rows::{HookRow, RequestRow};
use ccwatch::model::{
    AccountId, Announcement, ChangeKind, EventId, FailureMode, HookProgressEvent, HookStatus, News, Operation,
    ProgressEvent, Region, RequestKey, RequestStatus, RequestToken, Seen, Sighting, Source, TargetId, Timestamp,
};
use ccwatch::render::Message;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

#[divan::bench(args = ["unchanged", "changed", "new"])]
fn diff_of_a_row_of_a_list(bencher: Bencher<'_, '_>, what: &str) {
    let baseline = Baseline::Complete(at(0));
    let first = sighting(1, Source::List, RequestStatus::InProgress, None);
    let known = diff(None, &first, baseline).unwrap().state;
    let known = (what != "new").then_some(&known);
    let next = match what {
        "changed" => sighting(2, Source::List, RequestStatus::Success, None),
        _ => first,
    };
    bencher.bench(|| diff(black_box(known), black_box(&next), baseline));
}

#[divan::bench(args = ["unchanged", "changed"])]
fn diff_of_a_get_with_three_hooks(bencher: Bencher<'_, '_>, what: &str) {
    let baseline = Baseline::Complete(at(0));
    let look = |second, status| {
        sighting(
            second,
            Source::Get,
            RequestStatus::InProgress,
            Some(three_hooks(&status)),
        )
    };
    let first = look(1, HookStatus::InProgress);
    let known = diff(None, &first, baseline).unwrap().state;
    let next = match what {
        "changed" => look(2, HookStatus::CompleteFailed),
        _ => first,
    };
    bencher.bench(|| diff(black_box(Some(&known)), black_box(&next), baseline));
}

#[divan::bench]
fn plan_of_a_busy_target() -> plan::Next {
    let claims = Claims {
        may_list: true,
        looks: Some(Looks {
            overdue: Duration::from_millis(200),
            due: 70,
            boarding: 60,
        }),
        open: 10_000,
        sweep_overdue: Some(Duration::from_secs(1)),
        ..Claims::default()
    };
    plan::next(&black_box(claims), Duration::from_secs(10), Duration::from_mins(5))
}

#[divan::bench]
fn timetable_after_a_discovery(bencher: Bencher<'_, '_>) {
    let (pace, now) = (Pace::default(), Duration::from_hours(1));
    let found = Discovered {
        listing: Listing::News,
        pages: 12,
        open: 500,
        since_change: Duration::from_secs(3),
    };
    let mut timetable = Timetable::new(now);
    bencher.bench_local(|| {
        timetable.discovered(black_box(&found), &pace, now, 0.5);
        timetable.discovery_at()
    });
}

#[divan::bench]
fn cadence_of_an_open_request(bencher: Bencher<'_, '_>) {
    let first = sighting(1, Source::List, RequestStatus::InProgress, None);
    let state = diff(None, &first, Baseline::Complete(at(0))).unwrap().state;
    let (standing, pace) = (state.standing(first.key), Pace::default());
    bencher.bench(|| cadence::next_look(black_box(&standing), &pace, at(2), Duration::from_secs(1), 0.5));
}

#[divan::bench]
fn receivers_by_ten_routes(bencher: Bencher<'_, '_>) {
    let route = |number| Route {
        name: format!("route {number}"),
        matchers: vec![
            (Field::Status, Patterns::new(["FAILED", "HOOK_*FAILED"])),
            (Field::Target, Patterns::new(["prod", "!prod/us-*"])),
            (Field::TypeName, Patterns::new([format!("AWS::S{number}::*").as_str()])),
        ],
        to: vec![format!("receiver {number}")],
        ..Route::default()
    };
    let routes: Vec<Route> = (0..10).map(route).collect();
    let subject = Subject {
        kind: "request.status",
        status: Some("FAILED"),
        from: Some("IN_PROGRESS"),
        type_name: Some("AWS::S3::Bucket"),
        operation: Some("CREATE"),
        error_code: Some("AlreadyExists"),
        target: "prod/eu-west-1",
        region: "eu-west-1",
        ..Subject::default()
    };
    assert_eq!(route::receivers(&routes, &subject)[0].receiver, "receiver 3");
    bencher.bench(|| route::receivers(black_box(&routes), black_box(&subject)));
}

#[divan::bench]
fn words_of_a_message(bencher: Bencher<'_, '_>) {
    let news = News::Change(Box::new(announcement()));
    bencher.bench(|| Message::new(black_box(&news)).words);
}

#[divan::bench]
fn announcement_as_json(bencher: Bencher<'_, '_>) {
    let announcement = announcement();
    bencher.bench(|| serde_json::to_vec(black_box(&announcement)).unwrap());
}

#[divan::bench]
fn configuration_of_200_accounts_in_4_regions(bencher: Bencher<'_, '_>) {
    let mut text =
        "[[receivers]]\nname = \"log\"\ntype = \"log\"\n\n[[routes]]\nname = \"all\"\nto = \"log\"\n".to_owned();
    for number in 0..200 {
        let _ = write!(
            text,
            "\n[[targets]]\nname = \"team-{number}\"\naccount_id = \"{:012}\"\n\
             regions = [\"eu-west-1\", \"eu-central-1\", \"us-east-1\", \"us-west-2\"]\n\
             role_arn = \"arn:aws:iam::{:012}:role/ccwatch\"\n",
            100_000_000_000_u64 + number,
            100_000_000_000_u64 + number,
        );
    }
    let environment: Environment = [("HOME", "/home/ccwatch")].into_iter().collect();
    let parse = || Config::parse(black_box(&text), Path::new("ccwatch.toml"), &environment).unwrap();
    assert_eq!(parse().targets.len(), 800);
    bencher.bench(parse);
}

/// So many seconds into 2026-11-22T06:28:00Z.
fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_795_328_880_000 + second * 1000)
}

fn sighting(second: i64, source: Source, status: RequestStatus, hooks: Option<Vec<HookProgressEvent>>) -> Sighting {
    let token = RequestToken::new("73553e7d-a9a9-4ccf-b38f-1c1a1e7ae4d6");
    let event = ProgressEvent {
        hooks_request_token: Some("c9e2d3f4-0b1a-4c5d-9e8f-7a6b5c4d3e2f".into()),
        type_name: Some("AWS::S3::Bucket".into()),
        identifier: Some("my-bucket".into()),
        operation: Some(Operation::Create),
        status: Some(status),
        event_time: Some(at(0)),
        retry_after: Some(at(second + 5)),
        ..ProgressEvent::of(token.clone())
    };
    Sighting {
        key: RequestKey {
            target: TargetId(1),
            token,
        },
        seen_at: at(second),
        source,
        seen: Seen::Event(Box::new(event), hooks),
    }
}

fn three_hooks(status: &HookStatus) -> Vec<HookProgressEvent> {
    let hook = |name: &str| HookProgressEvent {
        hook_type_name: Some(name.into()),
        hook_type_version_id: Some("00000003".into()),
        hook_type_arn: Some(format!(
            "arn:aws:cloudformation:eu-west-1:111122223333:type/hook/{name}"
        )),
        invocation_point: Some("PRE_PROVISION".into()),
        status: Some(status.clone()),
        event_time: Some(at(0)),
        status_message: Some("bucket is not encrypted".into()),
        failure_mode: Some(FailureMode::Warn),
    };
    ["Acme-Guard-Encryption", "Acme-Guard-Tags", "Acme-Guard-Names"]
        .map(hook)
        .into()
}

/// A hook that found fault with a bucket.
fn announcement() -> Announcement {
    let text = |text: &str| Some(text.to_owned());
    Announcement {
        id: EventId("8f14e45fceea167a-7".into()),
        kind: ChangeKind::HookStatus,
        from: text("HOOK_IN_PROGRESS"),
        to: text("HOOK_COMPLETE_FAILED"),
        at: at(9),
        event_time: Some(at(8)),
        observed_late: false,
        error_code: None,
        message: text("Template failed validation, the following rule(s) failed: encrypted_at_rest."),
        target: "prod/eu-west-1".into(),
        account_id: Some(AccountId("111122223333".into())),
        region: Region("eu-west-1".into()),
        request: RequestRow {
            target: "prod/eu-west-1".into(),
            account_id: text("111122223333"),
            region: "eu-west-1".into(),
            request_token: "73553e7d-a9a9-4ccf-b38f-1c1a1e7ae4d6".into(),
            hooks_request_token: text("c9e2d3f4-0b1a-4c5d-9e8f-7a6b5c4d3e2f"),
            type_name: text("AWS::S3::Bucket"),
            identifier: text("my-bucket"),
            operation: text("CREATE"),
            status: text("FAILED"),
            error_code: text("GeneralServiceException"),
            status_message: text("The following hook(s) failed: [Acme::Guard::Encryption]"),
            started_at: Some(at(0)),
            first_seen_at: at(1),
            last_seen_at: at(9),
            finished_at: Some(at(9)),
            duration_s: Some(9.0),
            open: false,
            hooks_total: 1,
            hooks_failed: 1,
        },
        hook: Some(HookRow {
            target: "prod/eu-west-1".into(),
            request_token: "73553e7d-a9a9-4ccf-b38f-1c1a1e7ae4d6".into(),
            hook_type_name: text("Acme::Guard::Encryption"),
            hook_type_version_id: text("00000003"),
            hook_type_arn: None,
            invocation_point: text("PRE_PROVISION"),
            failure_mode: text("FAIL"),
            status: text("HOOK_COMPLETE_FAILED"),
            status_message: text("Template failed validation, the following rule(s) failed: encrypted_at_rest."),
            event_time: Some(at(8)),
            first_seen_at: at(1),
            finished_at: Some(at(8)),
            invocation: 1,
        }),
        turns: 0,
        incident: None,
        replayed: false,
    }
}
