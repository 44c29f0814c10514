use serde_json::json;

use super::super::fixtures::{RECEIVER, Scene, at, attempted, event};
use super::*;
use crate::decide::retry::Verdict;
use crate::model::RequestStatus::{Failed, InProgress, Pending};

fn settle(scene: &Scene, verdict: Verdict) {
    let id = scene.due(100)[0].ids[0];
    scene
        .history
        .write(|tx| tx.record_attempts(&[attempted(id, verdict)], at(50)))
        .unwrap();
}

fn dead() -> Verdict {
    Verdict::Dead { error: "410".into() }
}

#[test]
fn it_writes_beside_a_daemon_that_holds_the_history() {
    let scene = Scene::new();
    let mut editor = Editor::open(&scene.path()).unwrap();
    let matchers = crate::decide::silence::parse_matchers(&["status=FAILED"]).unwrap();
    let id = editor
        .add_silence(&matchers, (at(0), at(60)), ("ada", "deploy"), at(0))
        .unwrap();
    scene.record(&[scene.seen(1, event("a", Failed))]);
    assert_eq!(scene.rows("SELECT state FROM v_deliveries"), json!([["skipped"]]));
    assert!(editor.end_silence(id, at(2)).unwrap());
    assert!(!editor.end_silence(99, at(2)).unwrap());
}

#[test]
fn it_makes_no_history() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    assert!(matches!(Editor::open(&path), Err(OpenError::Missing { .. })));
    assert!(!path.exists());
}

#[test]
fn what_was_given_up_is_tried_again_behind_what_came_meanwhile() {
    let scene = Scene::new();
    scene.record(&[
        scene.seen(1, event("a", Pending)),
        scene.seen(2, event("a", InProgress)),
    ]);
    settle(&scene, dead());
    let mut editor = Editor::open(&scene.path()).unwrap();
    assert_eq!(editor.retry(DeliveryId(1), at(60)).unwrap(), Retried::As(DeliveryId(3)));
    assert_eq!(editor.retry(DeliveryId(1), at(60)).unwrap(), Retried::Settled);
    assert_eq!(editor.retry(DeliveryId(2), at(60)).unwrap(), Retried::Sooner);
    assert_eq!(editor.retry(DeliveryId(3), at(60)).unwrap(), Retried::InLine);
    assert_eq!(editor.retry(DeliveryId(9), at(60)).unwrap(), Retried::Unknown);
    assert_eq!(
        scene.rows("SELECT id, state, last_error FROM v_deliveries"),
        json!([
            [1, "skipped", "tried again as delivery 3"],
            [2, "pending", null],
            [3, "pending", null]
        ])
    );
    assert_eq!(scene.due(100)[0].ids, [DeliveryId(2)]);
    settle(&scene, Verdict::Sent);
    assert_eq!(scene.due(100)[0].ids, [DeliveryId(3)]);
}

#[test]
fn a_delivery_that_waits_for_its_next_attempt_can_be_hurried() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending))]);
    settle(
        &scene,
        Verdict::RetryAt {
            at: at(3_600),
            error: "503".into(),
        },
    );
    assert_eq!(scene.due(100), []);
    Editor::open(&scene.path())
        .unwrap()
        .retry(DeliveryId(1), at(60))
        .unwrap();
    assert_eq!(scene.due(60).len(), 1);
}

#[test]
fn all_that_was_given_up_can_be_tried_again() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending)), scene.seen(1, event("b", Pending))]);
    settle(&scene, dead());
    settle(&scene, dead());
    let mut editor = Editor::open(&scene.path()).unwrap();
    assert_eq!(editor.retry_dead(Some("other"), at(60)).unwrap(), []);
    let tried: Vec<_> = editor
        .retry_dead(Some(RECEIVER), at(60))
        .unwrap()
        .iter()
        .map(|(old, new)| (old.0, new.0))
        .collect();
    assert_eq!(tried, [(1, 3), (2, 4)]);
    assert_eq!(editor.retry_dead(None, at(60)).unwrap(), []);
    assert_eq!(scene.due(60).len(), 2);
}

#[test]
fn an_incident_that_is_resolved_is_not_opened_again() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Failed))]);
    settle(&scene, dead());
    scene.execute(
        "INSERT INTO incidents (id, receiver, target_id, line, by_hook, opened_at, resolved_at)
             SELECT 1, 'team', id, 1, 0, 1, 2 FROM targets;
         UPDATE deliveries SET incident_id = 1",
    );
    let mut editor = Editor::open(&scene.path()).unwrap();
    assert_eq!(editor.retry(DeliveryId(1), at(60)).unwrap(), Retried::Settled);
    assert_eq!(editor.retry_dead(None, at(60)).unwrap(), []);
}

#[test]
fn a_replay_is_marked_as_one_and_keeps_the_events_id() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending)), scene.seen(2, event("a", Failed))]);
    let first = scene.due(10)[0].news.id().clone();
    settle(&scene, Verdict::Sent);
    settle(&scene, Verdict::Sent);
    let mut editor = Editor::open(&scene.path()).unwrap();
    assert_eq!(editor.replay(&[1, 2, 77], RECEIVER, at(60)).unwrap(), 2);
    let due = scene.due(60);
    assert_eq!(due.len(), 1, "in order");
    let change = due[0].news.change().unwrap();
    assert!(change.replayed);
    assert_eq!(change.id, first);
}
