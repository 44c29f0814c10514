use std::collections::BTreeSet;

use serde_json::json;

use super::super::fixtures::{RECEIVER, Scene, at, attempted, event, guarded, hook, some_to};
use super::*;
use crate::decide::route::Field;
use crate::model::DeliveryId;
use crate::model::HookStatus::{CompleteFailed, InProgress as HookInProgress};
use crate::model::RequestStatus::{Failed, InProgress, Pending, Success};

fn settle(scene: &Scene, id: DeliveryId, verdict: Verdict, second: i64) {
    scene
        .history
        .write(|tx| tx.record_attempts(&[attempted(id, verdict)], at(second)))
        .unwrap();
}

fn told(deliveries: &[Delivery]) -> Vec<(String, Option<String>)> {
    let told = deliveries.iter().map(|delivery| {
        let announcement = delivery.news.change().unwrap();
        (announcement.request.request_token.clone(), announcement.to.clone())
    });
    told.collect()
}

fn pair(token: &str, status: &str) -> (String, Option<String>) {
    (token.into(), Some(status.into()))
}

#[test]
fn only_the_head_of_a_line_is_due_and_the_next_moves_up_when_it_is_sent() {
    let scene = Scene::new();
    scene.record(&[
        scene.seen(1, event("a", Pending)),
        scene.seen(2, event("a", InProgress)),
        scene.seen(3, event("a", Success)),
        scene.seen(4, event("b", Failed)),
    ]);
    let due = scene.due(10);
    assert_eq!(told(&due), [pair("a", "PENDING"), pair("b", "FAILED")]);

    settle(&scene, due[0].ids[0], Verdict::Sent, 11);
    assert_eq!(told(&scene.due(11)), [pair("b", "FAILED"), pair("a", "IN_PROGRESS")]);
}

#[test]
fn what_is_retried_holds_its_line_up_and_no_other() {
    let scene = Scene::new();
    scene.record(&[
        scene.seen(1, event("a", Pending)),
        scene.seen(2, event("a", Success)),
        scene.seen(3, event("b", Pending)),
    ]);
    let head = scene.due(10)[0].ids[0];
    let error = "no route to host".to_owned();
    settle(&scene, head, Verdict::RetryAt { at: at(70), error }, 10);

    assert_eq!(told(&scene.due(69)), [pair("b", "PENDING")]);
    assert_eq!(told(&scene.due(70)), [pair("b", "PENDING"), pair("a", "PENDING")]);
    let again = &scene.due(70)[1];
    assert_eq!((again.ids[0], again.attempts), (head, 1));
}

#[test]
fn a_dead_delivery_lets_the_next_one_pass() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending)), scene.seen(2, event("a", Success))]);
    let head = scene.due(10)[0].ids[0];
    let error = "410 Gone".to_owned();
    settle(&scene, head, Verdict::Dead { error }, 10);
    assert_eq!(told(&scene.due(10)), [pair("a", "SUCCESS")]);
    assert_eq!(
        scene.rows("SELECT state, attempts, next_attempt_at, sent_at, last_error FROM v_deliveries WHERE id = 1"),
        json!([["dead", 1, null, null, "410 Gone"]])
    );
}

#[test]
fn a_verdict_on_what_is_no_longer_pending_changes_nothing() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending)), scene.seen(2, event("a", Success))]);
    let head = scene.due(10)[0].ids[0];
    settle(&scene, head, Verdict::Sent, 10);
    let before = scene.rows("SELECT * FROM deliveries");
    let error = "late".to_owned();
    settle(&scene, head, Verdict::RetryAt { at: at(20), error }, 12);
    settle(&scene, DeliveryId(999), Verdict::Sent, 12);
    assert_eq!(scene.rows("SELECT * FROM deliveries"), before);
}

#[test]
fn what_is_due_is_limited_to_what_is_due_longest_and_the_next_is_the_first_of_it() {
    let scene = Scene::new();
    let ask = |limit| {
        scene
            .history
            .read(|connection| {
                let due = due_deliveries(connection, RECEIVER, at(10), limit, None)?;
                Ok((told(&due), next_attempt_at(connection, RECEIVER)?))
            })
            .unwrap()
    };
    assert_eq!(ask(9), (vec![], None));
    scene.record(&[scene.seen(2, event("b", Pending)), scene.seen(1, event("a", Pending))]);
    assert_eq!(ask(1), (vec![pair("a", "PENDING")], Some(at(1))));
    assert_eq!(ask(9).0, [pair("a", "PENDING"), pair("b", "PENDING")]);
}

#[test]
fn what_was_seen_in_the_future_waits_for_it() {
    let scene = Scene::new();
    scene.record(&[scene.seen(60, event("a", Pending))]);
    assert!(scene.due(59).is_empty());
    assert_eq!(scene.due(60).len(), 1);
}

#[test]
fn a_receiver_that_is_no_longer_configured_is_skipped_with_its_whole_line() {
    let scene = Scene::new();
    let routes = vec![
        some_to("old", Field::Kind, "*"),
        some_to("new", Field::Status, "SUCCESS"),
    ];
    let sightings = [scene.seen(1, event("a", Pending)), scene.seen(2, event("a", Success))];
    let recorded = scene.history.write(|tx| tx.record(&sightings, &routes.into())).unwrap();
    assert_eq!((recorded.changes, recorded.deliveries), (2, 3));

    let known = ["new".to_owned()];
    let skip = || {
        scene
            .history
            .write(|tx| tx.skip_unknown_receivers(&known, &BTreeSet::new()))
            .unwrap()
    };
    assert_eq!(skip(), 2);
    assert_eq!(skip(), 0);
    assert_eq!(
        scene.rows("SELECT receiver, state, next_attempt_at FROM v_deliveries ORDER BY receiver, id"),
        json!([
            ["new", "pending", "2026-11-22T06:28:02.000Z"],
            ["old", "skipped", null],
            ["old", "skipped", null],
        ])
    );
}

#[test]
fn a_long_error_is_cut_between_two_characters() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending))]);
    let error = format!("x{}", "ü".repeat(2000));
    settle(&scene, scene.due(1)[0].ids[0], Verdict::Dead { error }, 2);
    assert_eq!(
        scene.rows("SELECT last_error FROM v_deliveries"),
        json!([[format!("x{}", "ü".repeat(511))]])
    );
}

#[test]
fn an_announcement_carries_the_change_as_it_was_and_the_request_as_it_is() {
    let scene = Scene::new();
    scene.record(&[scene.got(
        1,
        guarded("a", Pending),
        vec![hook("Acme::Encrypt::Check", HookInProgress)],
    )]);
    scene.record(&[scene.got(
        5,
        guarded("a", Failed),
        vec![hook("Acme::Encrypt::Check", CompleteFailed)],
    )]);
    let first = scene.due(10).remove(0).news.change().unwrap().clone();
    assert_eq!(first.kind.as_str(), "hook.status");
    assert_eq!((first.from, first.to), (None, Some("HOOK_IN_PROGRESS".into())));
    assert_eq!(first.at, at(1));
    assert_eq!(first.account_id.unwrap().0, "111122223333");
    assert_eq!(
        (first.request.status.as_deref(), first.request.hooks_failed),
        (Some("FAILED"), 1)
    );
    assert_eq!(first.hook.unwrap().status.as_deref(), Some("HOOK_COMPLETE_FAILED"));
}

#[test]
fn event_ids_differ_between_changes_and_between_histories_but_not_between_receivers() {
    let ids = || {
        let scene = Scene::new();
        let routes = vec![some_to("one", Field::Kind, "*"), some_to("two", Field::Kind, "*")];
        let sightings = [scene.seen(1, event("a", Pending)), scene.seen(1, event("b", Pending))];
        scene.history.write(|tx| tx.record(&sightings, &routes.into())).unwrap();
        let of = |receiver| {
            let due = scene
                .history
                .read(|connection| due_deliveries(connection, receiver, at(9), 9, None));
            due.unwrap()
                .into_iter()
                .map(|due| due.news.id().clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("one"), of("two"));
        of("one")
    };
    let all: BTreeSet<EventId> = ids().into_iter().chain(ids()).collect();
    assert_eq!(all.len(), 4);
    for id in all {
        let (history, change) = id.0.split_once('-').unwrap();
        assert!(
            history.len() == 16 && history.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
        assert!(change.parse::<u32>().is_ok(), "{id}");
    }
}

#[test]
fn the_schema_refuses_two_heads_of_one_line() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending)), scene.seen(2, event("a", Success))]);
    let connection = super::super::locked(&scene.history.shared.writer);
    let refused = connection
        .execute("UPDATE deliveries SET next_attempt_at = 0", [])
        .unwrap_err();
    assert!(refused.to_string().contains("UNIQUE"), "{refused}");
}

#[test]
fn who_asked_to_be_left_alone_is_whatever_else_is_due() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending)), scene.seen(1, event("b", Pending))]);
    let due = scene.due(10);
    let asked = Attempted {
        quiet_until: Some(at(60)),
        ..attempted(
            due[0].ids[0],
            Verdict::RetryAt {
                at: at(60),
                error: "429".into(),
            },
        )
    };
    scene.history.write(|tx| tx.record_attempts(&[asked], at(11))).unwrap();
    let next = || {
        scene
            .history
            .read(|connection| next_attempt_at(connection, RECEIVER))
            .unwrap()
    };
    assert_eq!((scene.due(59), next()), (vec![], Some(at(60))));
    // What had been on the way meanwhile does not break the quiet, whether it was accepted or not.
    settle(&scene, due[1].ids[0], Verdict::Sent, 12);
    assert_eq!((scene.due(59), next()), (vec![], Some(at(60))));
    assert_eq!(scene.due(60).len(), 1);
    settle(&scene, due[0].ids[0], Verdict::Sent, 61);
    assert_eq!(scene.count("SELECT count(*) FROM receivers"), 0);
}

#[test]
fn every_attempt_is_kept_with_what_was_answered() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending))]);
    let id = scene.due(1)[0].ids[0];
    let refused = Attempted {
        answer_status: Some(503),
        answer: Some("é".repeat(LONGEST)),
        ..attempted(
            id,
            Verdict::RetryAt {
                at: at(2),
                error: "try later".into(),
            },
        )
    };
    let accepted = Attempted {
        answer_status: Some(200),
        answer: Some("ok".into()),
        began_at: at(2),
        ..attempted(id, Verdict::Sent)
    };
    scene.history.write(|tx| tx.record_attempts(&[refused], at(1))).unwrap();
    scene
        .history
        .write(|tx| tx.record_attempts(&[accepted], at(2)))
        .unwrap();
    assert_eq!(
        scene.rows(
            "SELECT delivery_id, receiver, number, at, took_ms, outcome, answer_status, length(answer), error, told_with
             FROM v_attempts ORDER BY id"
        ),
        json!([
            [1, RECEIVER, 1, at(0).to_string(), 20, "retry", 503, LONGEST / 2, "try later", 1],
            [1, RECEIVER, 2, at(2).to_string(), 20, "sent", 200, 2, null, 1]
        ])
    );
}

#[test]
fn when_an_outage_is_over_what_failed_in_it_does_not_wait_for_its_pause() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending)), scene.seen(1, event("b", Pending))]);
    let retry = || Verdict::RetryAt {
        at: at(3_600),
        error: "503".into(),
    };
    let heads: Vec<DeliveryId> = scene.due(1).iter().map(|due| due.ids[0]).collect();
    for head in &heads {
        settle(&scene, *head, retry(), 2);
    }
    assert_eq!(scene.due(100), []);
    scene.record(&[scene.seen(100, event("c", Pending))]);
    settle(&scene, scene.due(100)[0].ids[0], Verdict::Sent, 101);
    let due: Vec<DeliveryId> = scene.due(101).iter().map(|due| due.ids[0]).collect();
    assert_eq!(due, heads);
    // A message that alone fails among others that don't keeps its pause.
    settle(&scene, heads[0], retry(), 102);
    settle(&scene, heads[1], Verdict::Sent, 103);
    assert_eq!(scene.due(200), []);
}
