use std::time::Duration;

use super::*;
use crate::decide::grouping::Grouping;
use crate::decide::mute::MuteWindow;
use crate::decide::route::{Audience, Field, Patterns, Route};
use crate::model::{ChangeKind, EventId};
use crate::render::samples::{failed_hook, failed_request};

/// So many seconds into 2026-11-22T06:00:00Z, a Sunday.
fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_795_327_200_000 + second * 1000)
}

fn change(second: i64, token: &str, to: &str) -> Announcement {
    let mut change = failed_request();
    change.id = EventId(format!("{token}-{second}"));
    change.at = at(second);
    change.to = Some(to.into());
    change.request.request_token = token.into();
    change.request.identifier = Some(format!("bucket-{token}"));
    change
}

fn route(matchers: &[(Field, &str)], to: &str) -> Route {
    Route {
        name: "r".into(),
        matchers: matchers
            .iter()
            .map(|(field, pattern)| (*field, Patterns::new([*pattern])))
            .collect(),
        to: vec![to.into()],
        ..Route::default()
    }
}

fn grouped(route: Route, wait: u64, interval: u64) -> Route {
    Route {
        group: Some(Grouping {
            by: vec![Field::Target],
            wait: Duration::from_secs(wait),
            interval: Duration::from_secs(interval),
        }),
        ..route
    }
}

fn manner(receiver: &str, digest_over: Option<u32>, spacing: u64) -> Manner {
    Manner {
        receiver: receiver.into(),
        digest_over,
        spacing: Duration::from_secs(spacing),
        burst: 1,
    }
}

/// What is sent: the second, and the numbers of the changes, which count from 1.
type SentAt = Vec<(i64, Vec<i64>)>;

fn run(routing: &Routing, manner: Manner, changes: &[Announcement]) -> (SentAt, Tally, Vec<u64>) {
    let mut all = Vec::new();
    let mut note = |sent: Sent<'_>| {
        let second = (sent.at.as_millis() - at(0).as_millis()) / 1000;
        all.push((second, sent.changes.to_vec()));
    };
    let mut backtest = Backtest::new(routing, [manner]);
    for (number, change) in (1..).zip(changes) {
        backtest.change(number, change, &mut note);
    }
    let Outcome { receivers, matched } = backtest.finish(&mut note);
    (all, receivers[0].1, matched)
}

fn burst(size: i64) -> Vec<Announcement> {
    (0..size)
        .map(|number| change(0, &number.to_string(), "FAILED"))
        .collect()
}

#[test]
fn a_machine_gets_each_change_and_people_a_digest_if_it_is_too_much() {
    let routing = vec![route(&[], "ops")].into();
    let (sent, tally, _) = run(&routing, manner("ops", None, 0), &burst(12));
    assert_eq!(
        (sent.len(), tally.messages, tally.digests, tally.changes),
        (12, 12, 0, 12)
    );

    let (sent, tally, _) = run(&routing, manner("ops", Some(10), 1), &burst(12));
    assert_eq!(sent, [(0, (1..=12).collect())]);
    assert_eq!((tally.messages, tally.digests, tally.changes), (1, 1, 12));

    let (sent, tally, _) = run(&routing, manner("ops", Some(10), 1), &burst(10));
    assert_eq!(sent, (0..10).map(|n| (n, vec![n + 1])).collect::<Vec<_>>());
    assert_eq!((tally.messages, tally.longest_wait), (10, Duration::from_secs(9)));
}

#[test]
fn a_few_messages_come_at_once_where_the_receiver_allows_it() {
    let routing = vec![route(&[], "ops")].into();
    let manner = Manner {
        burst: 3,
        ..manner("ops", None, 5)
    };
    let (sent, ..) = run(&routing, manner, &burst(5));
    let seconds: Vec<_> = sent.iter().map(|(second, _)| *second).collect();
    assert_eq!(seconds, [0, 0, 0, 5, 10]);
}

#[test]
fn a_digest_takes_at_most_a_thousand_changes() {
    let routing = vec![route(&[], "ops")].into();
    let (sent, ..) = run(&routing, manner("ops", Some(10), 1), &burst(1011));
    let sizes: Vec<_> = sent.iter().map(|(second, changes)| (*second, changes.len())).collect();
    assert_eq!(sizes, [(0, 1000), (1, 11)]);
}

#[test]
fn a_group_gathers_and_rests() {
    let routing = vec![grouped(route(&[], "ops"), 10, 300)].into();
    let changes = [
        change(0, "a", "FAILED"),
        change(5, "b", "FAILED"),
        change(20, "c", "FAILED"),
        change(1000, "d", "FAILED"),
    ];
    let (sent, ..) = run(&routing, manner("ops", Some(1), 0), &changes);
    assert_eq!(sent, [(10, vec![1, 2]), (310, vec![3]), (1010, vec![4])]);
}

#[test]
fn what_a_mute_window_holds_is_sent_at_its_end() {
    let window = MuteWindow {
        days: Vec::new(),
        from: jiff::civil::time(6, 0, 0, 0),
        to: jiff::civil::time(7, 0, 0, 0),
        zone: jiff::tz::TimeZone::UTC,
    };
    let routing = vec![Route {
        mute: vec![window],
        ..route(&[], "ops")
    }]
    .into();
    let changes = [change(0, "a", "FAILED"), change(10, "b", "FAILED")];
    let (sent, tally, _) = run(&routing, manner("ops", Some(10), 1), &changes);
    assert_eq!(sent, [(3600, vec![1]), (3601, vec![2])]);
    assert_eq!(tally.busiest, Some((at(3600), 2)));
}

#[test]
fn the_changes_of_a_request_stay_in_order_and_what_is_urgent_takes_along_what_waits_before_it() {
    let failures = route(&[(Field::Status, "FAILED")], "ops");
    let routing = vec![failures, grouped(route(&[], "ops"), 600, 600)].into();
    let changes = [
        change(0, "a", "PENDING"),
        change(0, "b", "PENDING"),
        change(1, "a", "IN_PROGRESS"),
        change(2, "a", "FAILED"),
    ];
    let (sent, ..) = run(&routing, manner("ops", Some(10), 1), &changes);
    assert_eq!(sent, [(2, vec![1]), (3, vec![3]), (4, vec![4]), (600, vec![2])]);
}

#[test]
fn the_busiest_hour_is_that_of_the_clock_with_the_most_messages() {
    let routing = vec![route(&[], "ops")].into();
    let changes: Vec<_> = [0, 3599, 3600, 3601, 3602, 9000]
        .iter()
        .map(|second| change(*second, &second.to_string(), "FAILED"))
        .collect();
    let (_, tally, _) = run(&routing, manner("ops", None, 0), &changes);
    assert_eq!(tally.busiest, Some((at(3600), 3)));
}

#[test]
fn routes_are_counted_whoever_they_tell() {
    let routing = vec![
        route(&[(Field::Status, "FAILED")], "ops"),
        route(&[], "ops"),
        route(&[(Field::Region, "us-*")], "ops"),
    ]
    .into();
    let changes = [change(0, "a", "PENDING"), change(1, "a", "FAILED")];
    let (sent, tally, matched) = run(&routing, manner("ops", None, 0), &changes);
    assert_eq!((sent.len(), tally.changes), (2, 2));
    assert_eq!(matched, [1, 2, 0]);
}

#[test]
fn a_receiver_of_incidents_is_told_what_opens_one_and_what_resolves_it() {
    let routes = vec![route(
        &[(Field::Status, "*FAILED"), (Field::Kind, "!*.detail")],
        "pager",
    )];
    let routing = Routing::new(routes, [("pager", Audience::Incidents)]);
    let mut backtest = Backtest::new(&routing, [manner("pager", None, 0)]);
    let about_bucket = |second, token: &str, to: &str| {
        let mut change = change(second, token, to);
        change.request.identifier = Some("bucket".into());
        change
    };
    let mut hook = Announcement {
        at: at(7),
        ..failed_hook("WARN")
    };
    hook.request = about_bucket(7, "d", "").request;
    let told: Vec<Option<IncidentState>> = [
        about_bucket(0, "a", "IN_PROGRESS"),
        about_bucket(1, "a", "FAILED"),
        // The same resource again: the same incident.
        about_bucket(2, "b", "FAILED"),
        // Another resource.
        change(3, "x", "SUCCESS"),
        about_bucket(4, "c", "SUCCESS"),
        about_bucket(5, "c", "SUCCESS"),
        hook,
        // The hook's finding outlives the success of its own request.
        about_bucket(8, "d", "SUCCESS"),
        about_bucket(9, "e", "SUCCESS"),
    ]
    .iter()
    .map(|change| {
        let addressed = backtest.change(0, change, &mut |_| ());
        addressed.first().map(|addressed| addressed.incident.unwrap())
    })
    .collect();
    let (open, resolved) = (Some(IncidentState::Open), Some(IncidentState::Resolved));
    assert_eq!(told, [None, open, open, None, resolved, None, open, None, resolved]);
    assert_eq!(backtest.finish(&mut |_| ()).receivers[0].1.messages, 5);
}

#[test]
fn the_kind_of_a_change_is_that_of_its_announcement() {
    let mut lost = change(0, "a", "FAILED");
    (lost.kind, lost.to) = (ChangeKind::RequestLost, None);
    assert_eq!(bearing(&lost), Some(Bearing::Opens { by_hook: false }));
    assert_eq!(bearing(&failed_hook("WARN")), Some(Bearing::Opens { by_hook: true }));
}
