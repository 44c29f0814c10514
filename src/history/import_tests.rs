use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::super::fixtures::{RECEIVER, Scene, at, attempted, guarded, hook};
use super::super::{BackupError, OpenError, open};
use super::*;
use crate::decide::retry::Verdict;
use crate::model::{HookStatus, ProgressEvent, RequestStatus};

const DAY: i64 = 24 * 3600;
/// When no one sees any of it any more.
const LATER: i64 = 100 * DAY;

fn editor(scene: &Scene) -> Editor {
    Editor::open(&scene.path()).unwrap()
}

fn other(scene: &Scene) -> (TempDir, Other) {
    let folder = tempfile::tempdir().unwrap();
    let other = Other::open(
        &scene.path(),
        &folder.path().join("copy"),
        &CancellationToken::new(),
        |_, _| (),
    )
    .unwrap();
    (folder, other)
}

fn import_at(from: &Scene, into: &Scene, second: i64, rows: usize, is_rehearsal: bool) -> Imported {
    let (_folder, other) = other(from);
    let mut import = Import::new(&other, true, is_rehearsal);
    let mut editor = editor(into);
    while !import
        .step(&mut editor, rows, &Clock::manual(at(second)))
        .unwrap()
        .is_done
    {}
    import.imported().clone()
}

fn import(from: &Scene, into: &Scene) -> Imported {
    import_at(from, into, LATER, 50, false)
}

fn tell_all(scene: &Scene) {
    while let Some(delivery) = scene.due(LATER).first() {
        let attempt = attempted(delivery.ids[0], Verdict::Sent);
        scene.history.write(|tx| tx.record_attempts(&[attempt], at(0))).unwrap();
    }
}

/// All that is in the tables, ids included.
fn everything(scene: &Scene) -> Vec<Value> {
    let tables = [
        "targets",
        "requests",
        "progress_events",
        "hooks",
        "hook_events",
        "changes",
        "deliveries",
        "attempts",
        "gaps",
        "united",
        "resource_models",
    ];
    tables
        .map(|table| scene.rows(&format!("SELECT * FROM {table} ORDER BY 1")))
        .into()
}

/// What it all says, whenever it was seen and in whichever order it came. How far a request was that no one saw end, and
/// the hooks of one, are as this history last saw them.
fn natural(scene: &Scene) -> Vec<Value> {
    [
        "SELECT r.token, t.account_id, r.phase, iif(r.phase = 'finished', r.status, NULL), r.type_name, r.started_at, r.hooks_total
         FROM requests AS r JOIN targets AS t ON t.id = r.target_id ORDER BY 1, 2",
        "SELECT request_token, event_time, status, error_code, status_message, identifier FROM v_progress_events
         ORDER BY 1, 2, 3, 4, 5, 6",
        "SELECT request_token, hook_type_name, iif(finished_at IS NULL, NULL, status) FROM v_hooks ORDER BY 1, 2, 3",
        "SELECT request_token, hook_type_name, event_time, status, status_message FROM v_hook_events ORDER BY 1, 2, 3, 4, 5",
        "SELECT request_token, hook_type_name, kind, from_status, to_status, message FROM v_changes ORDER BY 1, 2, 3, 4, 5, 6",
    ]
    .map(|sql| scene.rows(sql))
    .into()
}

fn assert_well(scene: &Scene) {
    let mut findings = scene.reader().check(false, |_| ());
    findings.retain(|finding| !finding.is_well());
    assert_eq!(findings, []);
    let untold = "SELECT count(*) FROM deliveries WHERE state = 'pending' AND receiver <> 'team'";
    assert_eq!(scene.count(untold), 0);
}

/// A request as it really went, and which of its steps each of two histories saw.
#[derive(Debug, Clone)]
struct Life {
    steps: Vec<RequestStatus>,
    hook: Option<HookStatus>,
    seen: [Vec<bool>; 2],
    second: i64,
}

fn life() -> impl Strategy<Value = Life> {
    use RequestStatus::{CancelComplete, CancelInProgress, Failed, InProgress, Pending, Success};
    let way = select(vec![
        vec![Pending, InProgress, Success],
        vec![InProgress, Failed],
        vec![Pending, CancelInProgress, CancelComplete],
        vec![Success],
    ]);
    let hook = prop::option::of(select(vec![HookStatus::CompleteSucceeded, HookStatus::Failed]));
    let seen = || prop::collection::vec(any::<bool>(), 3);
    (way, hook, seen(), seen(), 0..50i64).prop_map(|(steps, hook, one, two, second)| Life {
        steps,
        hook,
        seen: [one, two],
        second,
    })
}

/// What one of two histories saw of these lives.
fn lived(lives: &[Life], which: usize, tokens: &str) -> Scene {
    let scene = Scene::new();
    for (number, life) in lives.iter().enumerate() {
        for (step, status) in life.steps.iter().enumerate() {
            if !life.seen[which][step] {
                continue;
            }
            let second = life.second + i64::try_from(step).unwrap();
            let event = ProgressEvent {
                event_time: Some(at(second)),
                status_message: Some(format!("step {step}")),
                error_code: (*status == RequestStatus::Failed).then(|| "NotStabilized".into()),
                ..guarded(&format!("{tokens}{number}"), status.clone())
            };
            let hook_status = if step == 0 {
                Some(HookStatus::InProgress)
            } else {
                life.hook.clone()
            };
            let hooks = life
                .hook
                .iter()
                .zip(hook_status)
                .map(|(_, status)| hook("A::B::C", status));
            let later = second + 60 * i64::try_from(which).unwrap();
            scene.record(&[scene.got(later, event, hooks.collect())]);
        }
    }
    tell_all(&scene);
    scene
}

fn cases(number: u32) -> ProptestConfig {
    ProptestConfig {
        cases: number,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

#[test]
fn twice_is_once_however_large_the_steps_are() {
    proptest!(cases(24), |(lives in prop::collection::vec(life(), 1..6), rows in 1..30usize)| {
        let (a, b) = (lived(&lives, 0, "t"), lived(&lives, 1, "t"));
        import_at(&a, &b, LATER, rows, false);
        assert_well(&b);
        let once = everything(&b);
        let again = import(&a, &b);
        prop_assert_eq!((again.whole, again.united, again.gaps, again.rows), (0, 0, 0, 0), "{:?}", again);
        prop_assert_eq!(everything(&b), once);
    });
}

#[test]
fn two_that_have_nothing_in_common_make_their_union() {
    proptest!(cases(16), |(lives in prop::collection::vec(life(), 1..6))| {
        let (a, b) = (lived(&lives, 0, "a"), lived(&lives, 1, "b"));
        let counts = ["requests", "progress_events", "hooks", "hook_events", "changes", "deliveries", "attempts"]
            .map(|table| format!("SELECT count(*) FROM {table}"));
        let sums = counts.clone().map(|sql| a.count(&sql) + b.count(&sql));
        let imported = import(&a, &b);
        prop_assert_eq!(i64::try_from(imported.whole).unwrap(), a.count("SELECT count(*) FROM requests"));
        prop_assert_eq!(counts.map(|sql| b.count(&sql)), sums);
        assert_well(&b);
    });
}

#[test]
fn the_order_of_two_imports_does_not_matter() {
    proptest!(cases(24), |(lives in prop::collection::vec(life(), 1..6), own in any::<Index>())| {
        let (a, b) = (lived(&lives, 0, "t"), lived(&lives, 1, "t"));
        let own = own.index(lives.len());
        let into = || lived(&lives[..own], 0, "t");
        let (one, two) = (into(), into());
        import(&a, &one);
        import(&b, &one);
        import(&b, &two);
        import(&a, &two);
        prop_assert_eq!(natural(&one), natural(&two));
        assert_well(&one);
        assert_well(&two);
    });
}

#[test]
fn what_was_still_to_be_told_there_is_kept_and_never_told() {
    let (a, b) = (Scene::new(), Scene::new());
    for status in [RequestStatus::Pending, RequestStatus::Success] {
        a.record(&[a.seen(1, guarded("t", status))]);
    }
    let attempt = attempted(a.due(LATER)[0].ids[0], Verdict::Sent);
    a.history.write(|tx| tx.record_attempts(&[attempt], at(2))).unwrap();
    import(&a, &b);
    assert_eq!(b.due(LATER), []);
    let told = b.rows("SELECT receiver, state, attempts, last_error FROM v_deliveries ORDER BY id");
    let reason = "imported: it was still to be told by the other history";
    assert_eq!(
        told,
        json!([[RECEIVER, "sent", 1, null], [RECEIVER, "skipped", 0, reason]])
    );
    assert_eq!(b.count("SELECT count(*) FROM attempts"), 1);
}

#[test]
fn what_was_given_up_there_is_not_tried_again_here() {
    let (a, b) = (Scene::new(), Scene::new());
    a.record(&[a.seen(1, guarded("t", RequestStatus::Success))]);
    a.execute("UPDATE deliveries SET state = 'dead', next_attempt_at = NULL, last_error = 'gone (410)'");
    import(&a, &b);
    let told = b.rows("SELECT state, last_error FROM v_deliveries");
    assert_eq!(
        told,
        json!([["skipped", "imported: the other history gave it up: gone (410)"]])
    );
    assert_eq!(editor(&b).retry_dead(None, at(LATER)).unwrap(), []);
    assert_eq!(import(&a, &b).rows, 0, "and it is known again");
}

/// What the other united with a third one is no story that one history saw, here either.
#[test]
fn what_was_united_there_is_united_here_where_it_was_known() {
    let (a, b) = (Scene::new(), Scene::new());
    for scene in [&a, &b] {
        scene.record(&[scene.seen(1, guarded("t", RequestStatus::Success))]);
    }
    a.execute("INSERT INTO united SELECT id FROM requests");
    import(&a, &b);
    assert_eq!(b.count("SELECT count(*) FROM united"), 1);
    assert_well(&b);
}

#[test]
fn what_changed_here_since_it_was_compared_is_compared_again() {
    let (a, b) = (Scene::new(), Scene::new());
    a.record(&[a.seen(1, guarded("t", RequestStatus::Success))]);
    let (_folder, other) = other(&a);
    let theirs = other.requests_after(0, 50, false).unwrap();
    let compare = |connection: &Connection| {
        let all = theirs.into_iter().map(|theirs| Compared::new(connection, theirs));
        all.collect::<Result<Vec<_>, _>>()
    };
    let compared = editor(&b).read(compare).unwrap();
    // Meanwhile another one brings it.
    import(&a, &b);
    let once = everything(&b);
    let bring = |tx: &WriteTx<'_>| tx.bring_requests(compared, Imported::default(), 50, at(LATER));
    let brought = editor(&b).write(bring).unwrap();
    assert_eq!((brought.last, brought.rest.len(), brought.imported.rows), (None, 0, 0));
    assert_eq!(everything(&b), once);
}

#[test]
fn what_a_daemon_still_sees_is_left_to_it_and_its_end_is_told_once() {
    let (a, b) = (Scene::new(), Scene::new());
    for scene in [&a, &b] {
        scene.record(&[scene.seen(1, guarded("t", RequestStatus::InProgress))]);
    }
    a.record(&[a.seen(5, guarded("t", RequestStatus::Success))]);
    a.record(&[a.seen(5, guarded("new", RequestStatus::Success))]);
    b.execute("UPDATE targets SET last_looked_at = 1");
    a.execute("UPDATE requests SET final_looks_left = 0");
    let left = import_at(&a, &b, 10, 50, false).left;
    assert_eq!(left, [(Left::GoesOnHere, 1), (Left::MayBeSeenHere, 1)].into());

    b.record(&[b.seen(11, guarded("t", RequestStatus::Success))]);
    b.execute("UPDATE requests SET final_looks_left = 0");
    import_at(&a, &b, 12, 50, false);
    let told = "SELECT count(*) FROM v_changes WHERE request_token = 't' AND to_status = 'SUCCESS'";
    assert_eq!((b.count(told), b.due(LATER).len()), (1, 1));
    assert_well(&b);
}

#[test]
fn an_end_that_can_no_longer_be_seen_here_is_taken_over_and_not_told() {
    let (a, b) = (Scene::new(), Scene::new());
    for scene in [&a, &b] {
        scene.record(&[scene.seen(1, guarded("t", RequestStatus::InProgress))]);
    }
    a.record(&[a.seen(5, guarded("t", RequestStatus::Failed))]);
    let before = b.due(LATER).len();
    import(&a, &b);
    let request = "SELECT status, open, finished_at IS NULL FROM v_requests";
    assert_eq!(b.rows(request), json!([["FAILED", 0, 0]]));
    assert_eq!(b.due(LATER).len(), before);
    assert_well(&b);
}

#[test]
fn a_request_with_many_rows_goes_over_many_steps() {
    let (a, b) = (Scene::new(), Scene::new());
    a.record(&[a.seen(1, guarded("t", RequestStatus::Success))]);
    a.execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000)
         INSERT INTO progress_events (request_id, observed_at, status, event_time, source)
             SELECT r.id, n, 'IN_PROGRESS', n, 'list' FROM n, requests AS r",
    );
    let (_folder, other) = other(&a);
    let mut import = Import::new(&other, false, false);
    let mut editor = editor(&b);
    let mut steps = 0;
    while !import
        .step(&mut editor, 100, &Clock::manual(at(LATER)))
        .unwrap()
        .is_done
    {
        steps += 1;
        assert_well(&b);
        assert!(b.count("SELECT count(*) FROM progress_events") <= 105 * steps);
    }
    assert!(steps >= 30, "{steps}");
    assert_eq!(b.count("SELECT count(*) FROM progress_events"), 3001);
}

#[test]
fn a_rehearsal_counts_the_same_and_changes_nothing() {
    let lives = [Life {
        steps: vec![RequestStatus::Pending, RequestStatus::Success],
        hook: Some(HookStatus::Failed),
        seen: [vec![true; 3], vec![true, false, false]],
        second: 1,
    }];
    let (a, b) = (lived(&lives, 0, "t"), lived(&lives, 1, "t"));
    a.execute(
        "UPDATE targets SET account_id = '999988887777'; INSERT INTO gaps (target_id, from_at, to_at, reason)
        SELECT id, 1, 2, 'x' FROM targets",
    );
    let before = everything(&b);
    let would = import_at(&a, &b, LATER, 7, true);
    assert_eq!(everything(&b), before);
    assert_eq!(import_at(&a, &b, LATER, 7, false), would);
    assert_eq!((would.whole, would.gaps), (1, 1));
    assert_eq!(would.targets, ["prod/eu-west-1".to_owned()].into());
    assert_eq!(
        b.rows("SELECT name FROM targets ORDER BY id"),
        json!([["prod/eu-west-1"], ["prod/eu-west-1@999988887777"]])
    );
}

#[test]
fn gaps_cover_the_same_time_in_whichever_order_they_come_and_do_not_overlap() {
    let gaps = || prop::collection::vec((0..40i64, 0..15i64), 0..5);
    let with = |gaps: &[(i64, i64)]| {
        let scene = Scene::new();
        for (from, length) in gaps {
            let insert = "INSERT INTO gaps (target_id, from_at, to_at, reason) SELECT id";
            scene.execute(&format!("{insert}, {from}, {}, 'r' FROM targets", from + length));
        }
        scene
    };
    let covered = |scene: &Scene| -> Vec<i64> {
        let rows = scene.rows("SELECT from_at, to_at FROM gaps");
        let within = |moment: i64| {
            let rows = rows.as_array().unwrap();
            rows.iter()
                .filter(|gap| gap[0].as_i64().unwrap() <= moment && moment < gap[1].as_i64().unwrap())
                .count()
        };
        (0..60).filter(|moment| within(*moment) > 0).collect()
    };
    proptest!(cases(16), |(a in gaps(), b in gaps())| {
        let (a, b) = (with(&a), with(&b));
        let (one, two) = (with(&[]), with(&[]));
        import(&a, &one);
        import(&b, &one);
        import(&b, &two);
        import(&a, &two);
        prop_assert_eq!(covered(&one), covered(&two));
        prop_assert_eq!(import(&a, &one).gaps, 0);
        let overlapping = "SELECT count(*) FROM gaps AS a JOIN gaps AS b ON a.id < b.id AND a.from_at < b.to_at AND b.from_at < a.to_at
            AND a.from_at < a.to_at AND b.from_at < b.to_at";
        prop_assert_eq!(one.count(overlapping), 0);
    });
}

#[test]
fn models_come_only_if_asked_for_and_masked_where_ours_are() {
    let a = Scene::new();
    let event = ProgressEvent {
        resource_model: Some(r#"{"Password":"hunter2"}"#.into()),
        ..guarded("t", RequestStatus::Success)
    };
    a.record(&[a.seen(1, event)]);
    for (with_models, masked, expected) in [
        (false, 1, json!([])),
        (true, 0, json!([[r#"{"Password":"hunter2"}"#]])),
        (true, 1, json!([[r#"{"Password":"***"}"#]])),
    ] {
        let b = Scene::new();
        b.execute(&format!("UPDATE meta SET models_masked = {masked}"));
        let (_folder, other) = other(&a);
        let mut import = Import::new(&other, with_models, false);
        while !import
            .step(&mut editor(&b), 50, &Clock::manual(at(LATER)))
            .unwrap()
            .is_done
        {}
        assert_eq!(b.rows("SELECT resource_model FROM resource_models"), expected);
    }
}

#[test]
fn an_older_one_comes_too_and_is_not_written_to() {
    for version in 1..=open::known_version() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        super::super::schema_tests::sample(&path, version);
        let before = std::fs::read(&path).unwrap();
        let opened = Other::open(&path, &folder.path().join("copy"), &CancellationToken::new(), |_, _| ());
        match opened {
            Ok(other) => {
                let into = Scene::new();
                let mut import = Import::new(&other, true, false);
                while !import
                    .step(&mut editor(&into), 50, &Clock::manual(at(LATER)))
                    .unwrap()
                    .is_done
                {}
                assert!(import.imported().whole > 0);
                assert_well(&into);
            }
            // The samples of some versions are rows of every kind, and no story that could have happened.
            Err(error) => assert!(matches!(error, OtherError::NotWell { .. }), "{error}"),
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn what_is_no_history_or_a_newer_or_a_damaged_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let path = folder.path().join("other");
    let refused = |expected: fn(&OtherError) -> bool| {
        let _ = std::fs::remove_file(&copy);
        let error = Other::open(&path, &copy, &CancellationToken::new(), |_, _| ()).unwrap_err();
        assert!(expected(&error), "{error:?}");
    };
    refused(|error| matches!(error, OtherError::Copy(BackupError::Open(OpenError::Missing { .. }))));
    std::fs::write(&path, "text").unwrap();
    refused(|error| matches!(error, OtherError::Copy(BackupError::Open(OpenError::NotSqlite { .. }))));
    let a = Scene::new();
    a.record(&[a.seen(1, guarded("t", RequestStatus::Success))]);
    a.execute("UPDATE requests SET phase = 'open'");
    std::fs::remove_file(&path).unwrap();
    super::super::back_up(&a.path(), &path, &CancellationToken::new(), |_, _| ()).unwrap();
    refused(|error| matches!(error, OtherError::NotWell { law: "finished", .. }));
    rusqlite::Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    refused(|error| matches!(error, OtherError::Copy(BackupError::Open(OpenError::Newer { .. }))));
    let mut bytes = std::fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[length / 2..].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    refused(|_| true);
}
