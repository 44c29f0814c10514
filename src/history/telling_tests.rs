use std::time::Duration;

use serde_json::json;

use super::super::fixtures::{RECEIVER, Scene, at, attempted, event, guarded, hook, some_to};
use super::*;
use crate::decide::mute::MuteWindow;
use crate::decide::retry::Verdict;
use crate::decide::route::{Audience, Field, Route};
use crate::model::HookStatus::CompleteFailed;
use crate::model::RequestStatus::{CancelComplete, Failed, InProgress, Success};
use crate::model::{IncidentState, News, ProgressEvent, RequestStatus, Sighting};

const PAGER: &str = "pager";

/// Failures go to a receiver that keeps incidents.
fn to_pager() -> Routing {
    let failures = some_to(PAGER, Field::Status, "*FAILED");
    Routing::new(
        vec![failures],
        [(PAGER, Audience::Incidents), (RECEIVER, Audience::People)],
    )
}

fn on(resource: &str, token: &str, status: RequestStatus) -> ProgressEvent {
    ProgressEvent {
        identifier: Some(resource.into()),
        ..event(token, status)
    }
}

fn record(scene: &Scene, routing: &Routing, sightings: &[Sighting]) {
    scene.history.write(|tx| tx.record(sightings, routing)).unwrap();
}

/// What the pager is told at a time, all of it accepted: the request, the incident's number within the history, its state.
fn told(scene: &Scene, second: i64) -> Vec<(String, String, IncidentState)> {
    let mut told = Vec::new();
    loop {
        let due = |connection: &rusqlite::Connection| {
            super::super::outbox::due_deliveries(connection, PAGER, at(second), 1, None)
        };
        let due = scene.history.read(due).unwrap();
        let Some(delivery) = due.first() else { return told };
        let News::Change(change) = &delivery.news else {
            panic!("{delivery:?}")
        };
        let incident = change.incident.clone().unwrap();
        let number = incident.key.rsplit_once("-i").unwrap().1.to_owned();
        told.push((change.request.request_token.clone(), number, incident.state));
        let attempt = attempted(delivery.ids[0], Verdict::Sent);
        scene
            .history
            .write(|tx| tx.record_attempts(&[attempt], at(second)))
            .unwrap();
    }
}

fn is(token: &str, incident: &str, state: IncidentState) -> (String, String, IncidentState) {
    (token.into(), incident.into(), state)
}

#[test]
fn a_later_success_of_the_same_resource_resolves_what_a_failure_opened() {
    let scene = Scene::new();
    let routing = to_pager();
    record(&scene, &routing, &[scene.seen(1, on("db", "a", Failed))]);
    assert_eq!(told(&scene, 1), [is("a", "1", IncidentState::Open)]);
    // Another resource's success is nothing to it, and what is no incident is not told at all.
    record(
        &scene,
        &routing,
        &[
            scene.seen(2, on("other", "b", Success)),
            scene.seen(3, on("db", "c", InProgress)),
        ],
    );
    assert_eq!(told(&scene, 3), []);
    // A second failure belongs to the same incident.
    record(&scene, &routing, &[scene.seen(4, on("db", "c", Failed))]);
    assert_eq!(told(&scene, 4), [is("c", "1", IncidentState::Open)]);
    record(&scene, &routing, &[scene.seen(5, on("db", "d", Success))]);
    assert_eq!(told(&scene, 5), [is("d", "1", IncidentState::Resolved)]);
    assert_eq!(
        scene.rows("SELECT receiver, identifier, request_token, resolved_at FROM v_incidents"),
        json!([[PAGER, "db", "c", at(5).to_string()]])
    );
    // What fails after that is a new one.
    record(&scene, &routing, &[scene.seen(6, on("db", "e", Failed))]);
    assert_eq!(told(&scene, 6), [is("e", "2", IncidentState::Open)]);
}

#[test]
fn what_resolves_an_incident_waits_for_what_opened_it() {
    let scene = Scene::new();
    let routing = to_pager();
    record(&scene, &routing, &[scene.seen(1, on("db", "a", Failed))]);
    let due = |second: i64| {
        let due = |connection: &rusqlite::Connection| {
            super::super::outbox::due_deliveries(connection, PAGER, at(second), 9, None)
        };
        scene.history.read(due).unwrap()
    };
    let retry = Verdict::RetryAt {
        at: at(100),
        error: "503".into(),
    };
    let failed = attempted(due(1)[0].ids[0], retry);
    scene.history.write(|tx| tx.record_attempts(&[failed], at(2))).unwrap();
    record(
        &scene,
        &routing,
        &[
            scene.seen(3, on("db", "b", Failed)),
            scene.seen(4, on("db", "c", Success)),
        ],
    );
    assert_eq!(due(99), []);
    assert_eq!(
        told(&scene, 100),
        [
            is("a", "1", IncidentState::Open),
            is("b", "1", IncidentState::Open),
            is("c", "1", IncidentState::Resolved)
        ]
    );
}

#[test]
fn a_hooks_incident_on_a_new_resource_is_resolved_once_the_resource_has_a_name() {
    let scene = Scene::new();
    let routing = to_pager();
    record(
        &scene,
        &routing,
        &[scene.got(1, guarded("a", InProgress), vec![hook("A::B::C", CompleteFailed)])],
    );
    record(
        &scene,
        &routing,
        &[
            scene.seen(2, on("db", "a", Success)),
            scene.seen(3, on("db", "b", Success)),
        ],
    );
    assert_eq!(
        told(&scene, 3),
        [is("a", "1", IncidentState::Open), is("b", "1", IncidentState::Resolved)]
    );
}

#[test]
fn that_a_later_request_is_stuck_does_not_change_what_resolves_an_incident() {
    let scene = Scene::new();
    let routing = to_pager();
    record(
        &scene,
        &routing,
        &[
            scene.seen(1, on("db", "a", Failed)),
            scene.seen(2, on("db", "b", InProgress)),
        ],
    );
    let stuck = super::super::attention::Stuck {
        key: scene.key("b"),
        reason: crate::decide::stuck::Reason::Old {
            age: Duration::from_hours(2),
            stuck_after: Duration::from_hours(1),
        },
    };
    scene
        .history
        .write(|tx| tx.tell_stuck(std::slice::from_ref(&stuck), &routing, at(3)))
        .unwrap();
    record(&scene, &routing, &[scene.seen(4, on("db", "b", CancelComplete))]);
    assert_eq!(
        scene.count("SELECT count(*) FROM incidents WHERE resolved_at IS NULL"),
        1
    );
    record(&scene, &routing, &[scene.seen(5, on("db", "c", Success))]);
    assert_eq!(
        scene.count("SELECT count(*) FROM incidents WHERE resolved_at IS NULL"),
        0
    );
}

#[test]
fn what_is_mended_in_the_night_wakes_no_one() {
    let scene = Scene::new();
    let mut routing = to_pager();
    // It is 06:28:00 at second 0.
    routing.routes[0].mute = muted("night", "*", (22, 0), (7, 0)).mute;
    record(
        &scene,
        &routing,
        &[
            scene.seen(1, on("db", "a", Failed)),
            scene.seen(2, on("db", "b", Success)),
        ],
    );
    assert_eq!(told(&scene, 32 * 60 - 1), []);
    assert_eq!(
        told(&scene, 32 * 60),
        [is("a", "1", IncidentState::Open), is("b", "1", IncidentState::Resolved)]
    );
}

#[test]
fn what_a_hook_opened_outlives_the_success_of_its_own_request() {
    let scene = Scene::new();
    let routing = to_pager();
    let guarded = |token: &str, status| ProgressEvent {
        identifier: Some("db".into()),
        ..guarded(token, status)
    };
    record(
        &scene,
        &routing,
        &[
            scene.got(1, guarded("a", InProgress), vec![hook("A::B::C", CompleteFailed)]),
            scene.seen(2, guarded("a", Success)),
        ],
    );
    assert_eq!(told(&scene, 2), [is("a", "1", IncidentState::Open)]);
    record(&scene, &routing, &[scene.seen(3, guarded("b", Success))]);
    assert_eq!(told(&scene, 3), [is("b", "1", IncidentState::Resolved)]);
}

#[test]
fn a_failure_without_an_identifier_is_an_incident_of_its_own() {
    let scene = Scene::new();
    let routing = to_pager();
    record(
        &scene,
        &routing,
        &[scene.seen(1, event("a", Failed)), scene.seen(2, event("b", Failed))],
    );
    assert_eq!(
        told(&scene, 2),
        [is("a", "1", IncidentState::Open), is("b", "2", IncidentState::Open)]
    );
    record(
        &scene,
        &routing,
        &[
            scene.seen(3, event("c", Success)),
            scene.seen(4, event("d", CancelComplete)),
        ],
    );
    assert_eq!(told(&scene, 4), []);
}

fn silence(scene: &Scene, matcher: &str, from: i64, to: i64) -> i64 {
    let matchers = silence::parse_matchers(&[matcher]).unwrap();
    let add = |tx: &WriteTx<'_>| tx.add_silence(&matchers, (at(from), at(to)), ("ada", "maintenance"), at(0));
    scene.history.write(add).unwrap()
}

#[test]
fn what_is_silenced_is_kept_as_skipped_with_who_and_why() {
    let scene = Scene::new();
    silence(&scene, "type_name=AWS::Logs::*", 10, 20);
    scene.record(&[
        scene.seen(9, event("a", Failed)),
        scene.seen(10, event("b", Failed)),
        scene.seen(20, event("c", Failed)),
    ]);
    let until = at(20);
    assert_eq!(
        scene.rows("SELECT state, last_error FROM v_deliveries ORDER BY id"),
        json!([
            ["pending", null],
            ["skipped", format!("silence 1 until {until} by ada: maintenance")],
            ["pending", null]
        ])
    );
}

#[test]
fn a_silence_that_was_ended_has_no_effect_and_one_that_cannot_be_read_neither() {
    let scene = Scene::new();
    let id = silence(&scene, "status=FAILED", 0, 1_000);
    assert!(scene.history.write(|tx| tx.end_silence(id, at(5))).unwrap());
    assert!(!scene.history.write(|tx| tx.end_silence(id, at(6))).unwrap(), "once");
    scene.execute(&format!(
        "INSERT INTO silences (matchers, starts_at, ends_at, created_at, created_by, reason)
         VALUES ('what is this', 0, {}, 0, 'x', 'y')",
        at(9_999).as_millis()
    ));
    scene.record(&[scene.seen(6, event("a", Failed))]);
    assert_eq!(scene.rows("SELECT state FROM v_deliveries"), json!([["pending"]]));
}

#[test]
fn a_silence_opens_no_incident_but_lets_one_be_resolved() {
    let scene = Scene::new();
    let routing = to_pager();
    record(&scene, &routing, &[scene.seen(1, on("db", "a", Failed))]);
    silence(&scene, "target=prod", 2, 100);
    record(
        &scene,
        &routing,
        &[
            scene.seen(3, on("cache", "b", Failed)),
            scene.seen(4, on("db", "c", Success)),
        ],
    );
    assert_eq!(
        told(&scene, 4),
        [is("a", "1", IncidentState::Open), is("c", "1", IncidentState::Resolved)]
    );
    assert_eq!(scene.count("SELECT count(*) FROM incidents"), 1);
}

fn muted(name: &str, pattern: &str, from: (i8, i8), to: (i8, i8)) -> Route {
    Route {
        name: name.into(),
        mute: vec![MuteWindow {
            days: Vec::new(),
            from: jiff::civil::time(from.0, from.1, 0, 0),
            to: jiff::civil::time(to.0, to.1, 0, 0),
            zone: jiff::tz::TimeZone::UTC,
        }],
        ..some_to(RECEIVER, Field::Status, pattern)
    }
}

#[test]
fn what_a_mute_window_holds_is_told_at_its_end() {
    let scene = Scene::new();
    // It is 06:28:00 at second 0.
    let routing = Routing::from(vec![muted("night", "*", (22, 0), (7, 0))]);
    record(&scene, &routing, &[scene.seen(1, event("a", Failed))]);
    assert_eq!(scene.due(32 * 60 - 1), []);
    assert_eq!(scene.due(32 * 60).len(), 1);
}

#[test]
fn what_is_urgent_takes_along_what_is_held_before_it_in_its_line() {
    let scene = Scene::new();
    let urgent = some_to(RECEIVER, Field::Status, "FAILED");
    let routing = Routing::from(vec![muted("night", "IN_PROGRESS", (22, 0), (7, 0)), urgent]);
    record(
        &scene,
        &routing,
        &[
            scene.seen(1, event("a", InProgress)),
            scene.seen(2, event("b", InProgress)),
        ],
    );
    assert_eq!(scene.due(3), []);
    record(&scene, &routing, &[scene.seen(4, event("a", Failed))]);
    let due = scene.due(4);
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].news.change().unwrap().to.as_deref(), Some("IN_PROGRESS"));
    scene
        .history
        .write(|tx| tx.record_attempts(&[attempted(due[0].ids[0], Verdict::Sent)], at(5)))
        .unwrap();
    assert_eq!(scene.due(5)[0].news.change().unwrap().to.as_deref(), Some("FAILED"));
}

#[test]
fn a_group_gathers_from_its_first_change_on() {
    let scene = Scene::new();
    let grouped = Route {
        group: Some(crate::decide::grouping::Grouping {
            by: vec![Field::Target],
            wait: Duration::from_secs(10),
            interval: Duration::from_mins(1),
        }),
        ..some_to(RECEIVER, Field::Status, "*")
    };
    let routing = Routing::from(vec![grouped]);
    record(
        &scene,
        &routing,
        &[scene.seen(1, event("a", Failed)), scene.seen(8, event("b", Failed))],
    );
    assert_eq!(scene.due(10), []);
    let due = scene.due(11);
    assert_eq!(due.len(), 2, "the second joins the first");
    for delivery in &due {
        let sent = attempted(delivery.ids[0], Verdict::Sent);
        scene.history.write(|tx| tx.record_attempts(&[sent], at(12))).unwrap();
    }
    record(&scene, &routing, &[scene.seen(20, event("c", Failed))]);
    assert_eq!(scene.due(71), []);
    assert_eq!(scene.due(72).len(), 1, "an interval after it was told");
}

#[test]
fn flapping_is_counted_by_the_ends_of_a_resources_requests() {
    let scene = Scene::new();
    for (second, status) in (1..).zip([Success, Failed, Success, Failed]) {
        let event = ProgressEvent {
            event_time: Some(at(second)),
            ..on("db", &format!("t{second}"), status)
        };
        scene.record(&[scene.seen(second, event)]);
    }
    let due = scene.due(10);
    let turns: Vec<u32> = due
        .iter()
        .map(|delivery| delivery.news.change().unwrap().turns)
        .collect();
    assert_eq!(turns, [0, 1, 2, 3]);
}
