use serde_json::json;

use super::super::fixtures::{Scene, all_to, at, event, name, region};
use super::*;
use crate::model::RequestStatus::{InProgress, Success};

const ONE: &str = "111122223333";
const TWO: &str = "444455556666";

fn register(scene: &Scene, entry: &str, account: Option<&str>) -> Registered {
    let account = account.map(|account| AccountId(account.into()));
    scene
        .history
        .write(|tx| tx.register_target(&name(entry), account.as_ref(), &region(), at(0)))
        .unwrap()
}

fn names(scene: &Scene) -> serde_json::Value {
    scene.rows("SELECT id, name, account_id FROM targets ORDER BY id")
}

#[test]
fn a_target_is_registered_once() {
    let scene = Scene::new();
    let changes = scene.total_changes();
    let again = register(&scene, "prod", Some(ONE));
    assert_eq!(again.target.id, scene.target);
    assert!(matches!(again.baseline, Some(Baseline::Complete(_))));
    assert_eq!(
        scene.total_changes(),
        changes,
        "what is known already is not written again"
    );
}

#[test]
fn a_renamed_entry_keeps_its_history() {
    let scene = Scene::new();
    let renamed = register(&scene, "production", Some(ONE));
    assert_eq!(renamed.target.id, scene.target);
    assert_eq!(names(&scene), json!([[1, "production/eu-west-1", ONE]]));
}

#[test]
fn another_account_under_the_same_name_is_another_target() {
    let scene = Scene::new();
    let other = register(&scene, "prod", Some(TWO));
    assert_ne!(other.target.id, scene.target);
    assert_eq!(other.baseline, None);
    let old = format!("prod/eu-west-1@{ONE}");
    assert_eq!(names(&scene), json!([[1, old, ONE], [2, "prod/eu-west-1", TWO]]));

    // And back.
    assert_eq!(register(&scene, "prod", Some(ONE)).target.id, scene.target);
    let old = format!("prod/eu-west-1@{TWO}");
    assert_eq!(names(&scene), json!([[1, "prod/eu-west-1", ONE], [2, old, TWO]]));
}

#[test]
fn two_entries_that_swap_their_names_swap_them() {
    let scene = Scene::new();
    let two = register(&scene, "play", Some(TWO)).target.id;
    assert_eq!(register(&scene, "play", Some(ONE)).target.id, scene.target);
    assert_eq!(register(&scene, "prod", Some(TWO)).target.id, two);
    assert_eq!(
        names(&scene),
        json!([[1, "play/eu-west-1", ONE], [2, "prod/eu-west-1", TWO]])
    );
}

#[test]
fn an_account_that_becomes_known_adopts_the_row_of_its_name() {
    let scene = Scene::new();
    let unknown = register(&scene, "play", None).target;
    assert_eq!(unknown.account_id, None);
    let known = register(&scene, "play", Some(TWO)).target;
    assert_eq!(
        (known.id, known.account_id.clone()),
        (unknown.id, Some(AccountId(TWO.into())))
    );
    // Known once, it is not forgotten when it can't be asked for.
    assert_eq!(register(&scene, "play", None).target, known);
}

#[test]
fn a_row_whose_account_was_never_known_makes_way_each_time() {
    let scene = Scene::new();
    for _ in 0..3 {
        register(&scene, "other", Some(ONE));
        register(&scene, "prod", None);
        assert_eq!(register(&scene, "prod", Some(ONE)).target.id, scene.target);
    }
    assert_eq!(
        names(&scene),
        json!([
            [1, "prod/eu-west-1", ONE],
            [2, "prod/eu-west-1@unknown", null],
            [3, "prod/eu-west-1@unknown-2", null],
            [4, "prod/eu-west-1@unknown-3", null],
        ])
    );
}

#[test]
fn a_baseline_keeps_its_begin_and_once_done_stays_done() {
    let scene = Scene::before_baseline();
    let begin = |second| scene.history.write(|tx| tx.begin_baseline(scene.target, at(second)));
    let complete = |second| scene.history.write(|tx| tx.complete_baseline(scene.target, at(second)));
    assert!(matches!(complete(1).unwrap_err().failure, Failure::NoBaseline(_)));
    assert_eq!(begin(2).unwrap(), Baseline::Since(at(2)));
    assert_eq!(
        begin(3).unwrap(),
        Baseline::Since(at(2)),
        "a restart in mid-sweep does not shift it"
    );
    complete(4).unwrap();
    complete(5).unwrap();
    assert_eq!(begin(6).unwrap(), Baseline::Complete(at(2)));
    assert_eq!(
        scene.rows("SELECT baseline_began_at, baseline_completed_at FROM targets"),
        json!([[at(2).as_millis(), at(4).as_millis()]])
    );
}

#[test]
fn nothing_is_recorded_before_the_baseline_has_begun_nor_for_a_stranger() {
    let scene = Scene::before_baseline();
    let record = |target| {
        let mut sighting = scene.seen(1, event("a", Success));
        sighting.key.target = target;
        let outcome = scene
            .history
            .write(|tx| tx.record(&[sighting.clone()], &all_to("team")));
        outcome.unwrap_err().failure
    };
    assert!(matches!(record(scene.target), Failure::NoBaseline(_)));
    assert!(matches!(record(TargetId(99)), Failure::NoSuchTarget(TargetId(99))));
    assert_eq!(scene.count("SELECT count(*) FROM requests"), 0);
}

#[test]
fn what_was_finished_before_the_baseline_is_remembered_and_told_to_no_one() {
    let scene = Scene::before_baseline();
    scene
        .history
        .write(|tx| tx.begin_baseline(scene.target, at(60)))
        .unwrap();
    let recorded = scene.record(&[
        scene.seen(61, event("old", Success)),
        scene.seen(61, event("open", InProgress)),
    ]);
    assert_eq!((recorded.changes, recorded.deliveries), (1, 1));
    assert_eq!(
        scene.rows("SELECT request_token FROM v_requests ORDER BY 1"),
        json!([["old"], ["open"]])
    );
    assert_eq!(scene.rows("SELECT request_token FROM v_changes"), json!([["open"]]));
}

#[test]
fn the_last_look_never_steps_back() {
    let scene = Scene::new();
    let looked = |second| {
        let looked = scene.history.write(|tx| tx.looked(&[(scene.target, at(second))]));
        looked.unwrap();
    };
    for second in [5, 9, 7] {
        looked(second);
    }
    assert_eq!(register(&scene, "prod", Some(ONE)).last_looked_at, Some(at(9)));
}
