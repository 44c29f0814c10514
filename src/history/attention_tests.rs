use serde_json::json;

use super::super::fixtures::{RECEIVER, Scene, all_to, at, attempted, event};
use super::*;
use crate::decide::retry::Verdict;
use crate::model::RequestStatus::{InProgress, Success};
use crate::model::{News, ProgressEvent, ReceiverNotice, RequestStatus};

const HOUR: i64 = 3600;

/// What is found right after each open request was looked at once more.
fn found(scene: &Scene, second: i64, remind_every: Option<Duration>) -> Vec<Stuck> {
    let looked = at(second).as_millis();
    scene.execute(&format!(
        "UPDATE requests SET last_seen_at = {looked} WHERE phase = 'open'"
    ));
    let stuck = |connection: &Connection| stuck(connection, at(second), Patience::default(), remind_every);
    scene.history.read(stuck).unwrap()
}

fn tell(scene: &Scene, second: i64, stuck: &[Stuck]) -> usize {
    scene
        .history
        .write(|tx| tx.tell_stuck(stuck, &all_to(RECEIVER), at(second)))
        .unwrap()
}

fn create(token: &str, status: RequestStatus, event_time: i64) -> ProgressEvent {
    ProgressEvent {
        operation: Some(crate::model::Operation::Create),
        event_time: Some(at(event_time)),
        ..event(token, status)
    }
}

#[test]
fn a_request_that_is_open_for_too_long_is_told_of_once_with_the_reason() {
    let scene = Scene::new();
    scene.record(&[scene.seen(0, create("a", InProgress, 0))]);
    assert_eq!(found(&scene, HOUR, None), []);
    let stuck = found(&scene, HOUR + 1, None);
    assert_eq!(stuck.len(), 1);
    assert_eq!(tell(&scene, HOUR + 1, &stuck), 1);
    assert_eq!(found(&scene, 100 * HOUR, None), [], "no one asked to be reminded");
    assert_eq!(
        scene.rows("SELECT kind, from_status, to_status, message FROM v_changes ORDER BY id DESC LIMIT 1"),
        json!([[
            "request.stuck",
            "IN_PROGRESS",
            "IN_PROGRESS",
            "open for 1h, longer than the configured 1h"
        ]])
    );
}

#[test]
fn who_wants_to_be_reminded_is() {
    let scene = Scene::new();
    scene.record(&[scene.seen(0, create("a", InProgress, 0))]);
    let every = Some(Duration::from_hours(4));
    tell(&scene, 2 * HOUR, &found(&scene, 2 * HOUR, every));
    assert_eq!(found(&scene, 6 * HOUR - 1, every), []);
    assert_eq!(tell(&scene, 6 * HOUR, &found(&scene, 6 * HOUR, every)), 1);
    assert_eq!(found(&scene, 10 * HOUR - 1, every), []);
    assert_eq!(scene.count("SELECT stuck_told FROM requests"), 2);
}

#[test]
fn what_is_usual_is_learnt_from_requests_of_the_same_sort() {
    let scene = Scene::new();
    for number in 0..20 {
        let token = format!("t{number}");
        scene.record(&[
            scene.seen(number, create(&token, InProgress, number)),
            scene.seen(number + 120, create(&token, Success, number + 120)),
        ]);
    }
    scene.record(&[scene.seen(1000, create("slow", InProgress, 1000))]);
    let other = ProgressEvent {
        type_name: Some("AWS::RDS::DBInstance".into()),
        ..create("database", InProgress, 1000)
    };
    scene.record(&[scene.seen(1000, other)]);
    assert_eq!(found(&scene, 1000 + 180, None), []);
    let stuck = found(&scene, 1000 + 181, None);
    assert_eq!(stuck.len(), 1, "of the database's sort too few have ended");
    let reason = stuck[0].reason.to_string();
    assert_eq!(reason, "open for 3m 1s; of 20 such requests 99 % took at most 2m");
}

#[test]
fn what_could_not_be_looked_at_is_not_called_stuck() {
    let scene = Scene::new();
    scene.record(&[scene.seen(0, create("a", InProgress, 0))]);
    let never_again = |connection: &Connection| stuck(connection, at(HOUR + 1), Patience::default(), None);
    assert_eq!(scene.history.read(never_again).unwrap(), []);
}

#[test]
fn what_ended_meanwhile_or_was_old_news_is_not_stuck() {
    let scene = Scene::new();
    scene.record(&[scene.seen(0, create("a", InProgress, 0))]);
    let stuck = found(&scene, 2 * HOUR, None);
    scene.record(&[scene.seen(2 * HOUR, create("a", Success, 2 * HOUR))]);
    assert_eq!(tell(&scene, 2 * HOUR, &stuck), 0);
    assert_eq!(
        scene.count("SELECT count(*) FROM changes WHERE kind = 'request.stuck'"),
        0
    );
}

fn escalate(scene: &Scene, second: i64) -> usize {
    let escalation = Escalation {
        receiver: RECEIVER.into(),
        to: "mail".into(),
        after: Duration::from_mins(15),
    };
    scene
        .history
        .write(|tx| tx.escalate(&[escalation], at(second)))
        .unwrap()
}

fn notices(scene: &Scene) -> Vec<ReceiverNotice> {
    let due =
        |connection: &Connection| super::super::outbox::due_deliveries(connection, "mail", at(99 * HOUR), 100, Some(1));
    let due = scene
        .history
        .read(due)
        .unwrap()
        .into_iter()
        .map(|delivery| match delivery.news {
            News::Receiver(notice) => *notice,
            other => panic!("{other:?}"),
        });
    due.collect()
}

fn fails(scene: &Scene, second: i64) {
    let id = scene.due(99 * HOUR)[0].ids[0];
    let verdict = Verdict::RetryAt {
        at: at(second + 1),
        error: "503".into(),
    };
    scene
        .history
        .write(|tx| tx.record_attempts(&[attempted(id, verdict)], at(second)))
        .unwrap();
}

#[test]
fn a_receiver_that_fails_for_long_is_told_of_through_another_and_so_is_its_recovery() {
    let scene = Scene::new();
    scene.record(&[
        scene.seen(0, create("a", InProgress, 0)),
        scene.seen(0, create("b", InProgress, 0)),
    ]);
    fails(&scene, 0);
    fails(&scene, 600);
    assert_eq!(escalate(&scene, 899), 0);
    assert_eq!(escalate(&scene, 900), 1);
    assert_eq!(escalate(&scene, 901), 0, "once");
    let [failing] = notices(&scene).try_into().unwrap();
    assert!(failing.is_failing);
    assert_eq!(
        (failing.receiver.as_str(), failing.since, failing.waiting),
        (RECEIVER, at(0), 2)
    );
    assert_eq!(failing.error.as_deref(), Some("503"));

    let id = scene.due(99 * HOUR)[0].ids[0];
    scene
        .history
        .write(|tx| tx.record_attempts(&[attempted(id, Verdict::Sent)], at(1000)))
        .unwrap();
    assert_eq!(escalate(&scene, 1001), 1);
    assert_eq!(escalate(&scene, 1002), 0);
    // The first is told, whereupon it is this one's turn.
    let told =
        |connection: &Connection| super::super::outbox::due_deliveries(connection, "mail", at(99 * HOUR), 100, Some(1));
    let first = scene.history.read(told).unwrap()[0].ids[0];
    scene
        .history
        .write(|tx| tx.record_attempts(&[attempted(first, Verdict::Sent)], at(1003)))
        .unwrap();
    let recovered = notices(&scene).pop().unwrap();
    assert!(!recovered.is_failing);
    assert_eq!((recovered.since, recovered.at, recovered.waiting), (at(0), at(1001), 1));
    assert_eq!(
        scene.count("SELECT count(*) FROM receivers"),
        0,
        "one that is well has no row"
    );
}

#[test]
fn that_a_receiver_is_well_again_waits_for_the_word_that_it_was_not() {
    let scene = Scene::new();
    scene.record(&[scene.seen(0, create("a", InProgress, 0))]);
    fails(&scene, 0);
    escalate(&scene, 900);
    let due = |second: i64| {
        let due = |connection: &Connection| {
            super::super::outbox::due_deliveries(connection, "mail", at(second), 100, Some(1))
        };
        scene.history.read(due).unwrap()
    };
    let retry = Verdict::RetryAt {
        at: at(2_000),
        error: "no route to host".into(),
    };
    let failing = due(900)[0].ids[0];
    scene
        .history
        .write(|tx| tx.record_attempts(&[attempted(failing, retry)], at(901)))
        .unwrap();
    let id = scene.due(99 * HOUR)[0].ids[0];
    scene
        .history
        .write(|tx| tx.record_attempts(&[attempted(id, Verdict::Sent)], at(1000)))
        .unwrap();
    assert_eq!(escalate(&scene, 1001), 1);
    assert_eq!(due(1_999), []);
    assert_eq!(due(2_000)[0].ids, [failing]);
}

#[test]
fn one_message_that_is_refused_says_little_of_its_receiver() {
    let scene = Scene::new();
    scene.record(&[scene.seen(0, create("a", InProgress, 0))]);
    let id = scene.due(1)[0].ids[0];
    let dead = Verdict::Dead { error: "413".into() };
    scene
        .history
        .write(|tx| tx.record_attempts(&[attempted(id, dead)], at(1)))
        .unwrap();
    assert_eq!(escalate(&scene, HOUR), 0);
}

#[test]
fn a_receiver_that_is_well_again_before_its_time_is_not_told_of() {
    let scene = Scene::new();
    scene.record(&[
        scene.seen(0, create("a", InProgress, 0)),
        scene.seen(0, create("b", InProgress, 0)),
    ]);
    fails(&scene, 0);
    let id = scene.due(99 * HOUR)[0].ids[0];
    scene
        .history
        .write(|tx| tx.record_attempts(&[attempted(id, Verdict::Sent)], at(10)))
        .unwrap();
    fails(&scene, 800);
    assert_eq!(escalate(&scene, 900), 0, "it fails since 800");
    assert_eq!(escalate(&scene, 1700), 1);
}
