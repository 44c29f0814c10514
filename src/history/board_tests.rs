use std::time::Duration;

use super::super::fixtures::{RECEIVER, Scene, at, event, guarded, hook, name};
use super::*;
use crate::model::RequestStatus::{Failed, InProgress, Pending, Success};
use crate::model::{FailureMode, HookProgressEvent, HookStatus, Operation, ProgressEvent, RequestStatus};

fn create(token: &str, status: RequestStatus, second: i64) -> ProgressEvent {
    ProgressEvent {
        operation: Some(Operation::Create),
        event_time: Some(at(second)),
        ..event(token, status)
    }
}

fn board(scene: &Scene) -> Board {
    Reader::open(&scene.path()).unwrap().board().unwrap()
}

#[test]
fn an_empty_history_is_an_empty_board() {
    let scene = Scene::new();
    let board = board(&scene);
    assert_eq!((board.open.len(), board.open_total, board.hooks_pending), (0, 0, 0));
    assert_eq!(board.targets.len(), 1);
    assert_eq!(board.targets[0].name, name("prod"));
    assert_eq!((board.receivers.len(), board.failures.len()), (0, 0));
}

#[test]
fn open_requests_come_oldest_first_with_what_is_usual_for_their_like() {
    let scene = Scene::new();
    // A hundred that took 1 s to 100 s.
    for took in 1..=100 {
        let token = format!("done-{took}");
        scene.record(&[scene.seen(0, create(&token, InProgress, 0))]);
        scene.record(&[scene.seen(took, create(&token, Success, took))]);
    }
    scene.record(&[scene.seen(300, create("younger", InProgress, 300))]);
    scene.record(&[scene.seen(200, create("older", InProgress, 200))]);
    let update = ProgressEvent {
        operation: Some(Operation::Update),
        ..create("update", Pending, 400)
    };
    scene.record(&[scene.seen(400, update)]);
    let board = board(&scene);
    let usual = Some(Usual {
        p50: Duration::from_secs(50),
        p99: Duration::from_secs(99),
        samples: 100,
    });
    let shown: Vec<_> = board
        .open
        .iter()
        .map(|request| (request.token.as_str(), request.started_at, request.usual))
        .collect();
    assert_eq!(
        shown,
        [
            ("older", at(200), usual),
            ("younger", at(300), usual),
            ("update", at(400), None)
        ]
    );
    assert_eq!((board.open_total, board.targets[0].open), (3, 3));
    assert!(board.open.iter().all(|request| request.stuck_told_at.is_none()));
}

#[test]
fn what_was_told_to_be_stuck_says_so() {
    let scene = Scene::new();
    scene.record(&[scene.seen(0, create("a", InProgress, 0))]);
    let told = scene.history.write(|tx| {
        let stuck = super::super::Stuck {
            key: scene.key("a"),
            reason: crate::decide::stuck::Reason::Silent {
                for_so_long: Duration::from_hours(1),
            },
        };
        tx.tell_stuck(&[stuck], &super::super::fixtures::all_to(RECEIVER), at(4000))
    });
    told.unwrap();
    assert_eq!(board(&scene).open[0].stuck_told_at, Some(at(4000)));
}

#[test]
fn hooks_that_run_are_told_from_those_that_ended_and_warnings_from_refusals() {
    let scene = Scene::new();
    let with_mode = |name: &str, status, mode| HookProgressEvent {
        failure_mode: Some(mode),
        ..hook(name, status)
    };
    let hooks = vec![
        with_mode("Acme::Runs", HookStatus::InProgress, FailureMode::Fail),
        with_mode("Acme::Warned", HookStatus::CompleteFailed, FailureMode::Warn),
        with_mode("Acme::Passed", HookStatus::CompleteSucceeded, FailureMode::Fail),
    ];
    scene.record(&[scene.got(1, guarded("a", Pending), hooks)]);
    let refused = vec![with_mode(
        "Acme::Refused",
        HookStatus::CompleteFailed,
        FailureMode::Fail,
    )];
    scene.record(&[scene.got(2, guarded("b", Failed), refused)]);
    let board = board(&scene);
    let names = |hooks: &[InvocationRow]| -> Vec<String> {
        hooks.iter().filter_map(|row| row.hook.hook_type_name.clone()).collect()
    };
    assert_eq!(names(&board.hooks_running), ["Acme::Runs"]);
    assert_eq!(names(&board.warnings), ["Acme::Warned"]);
    assert_eq!(board.hooks_pending, 1);
    let judged = board
        .warnings
        .first()
        .map(|row| (row.type_name.clone(), row.hook.request_token.clone()));
    assert_eq!(judged, Some((Some("AWS::Logs::LogGroup".into()), "a".into())));
}

#[test]
fn failures_come_by_their_end_and_not_by_their_start() {
    let scene = Scene::new();
    scene.record(&[scene.seen(0, create("long", InProgress, 0))]);
    scene.record(&[scene.seen(10, create("short", InProgress, 10))]);
    scene.record(&[scene.seen(20, create("short", Failed, 20))]);
    scene.record(&[scene.seen(500, create("long", Failed, 500))]);
    scene.record(&[scene.seen(600, create("well", Success, 600))]);
    let tokens: Vec<_> = board(&scene)
        .failures
        .into_iter()
        .map(|row| row.request_token)
        .collect();
    assert_eq!(tokens, ["long", "short"]);
}

#[test]
fn targets_say_when_they_were_looked_at_and_why_they_are_not() {
    let scene = Scene::new();
    scene
        .history
        .write(|tx| {
            tx.looked(&[(scene.target, at(30))])?;
            tx.open_gap(scene.target, at(40), "AccessDenied")?;
            tx.close_gap(scene.target, at(50))?;
            tx.open_gap(scene.target, at(60), "no route to host")
        })
        .unwrap();
    let [target] = board(&scene).targets.try_into().unwrap();
    assert_eq!(target.last_looked_at, Some(at(30)));
    assert_eq!(target.gap, Some((at(60), "no route to host".to_owned())));
}

#[test]
fn receivers_say_what_waits_what_was_given_up_and_since_when_they_fail() {
    let scene = Scene::new();
    scene.record(&[scene.seen(0, create("a", Pending, 0))]);
    scene.record(&[scene.seen(1, create("a", InProgress, 1))]);
    let put = |receiver: &str, state: &str, line: i64| {
        scene.execute(&format!(
            "INSERT INTO deliveries (change_id, request_id, receiver, group_key, state, attempts, since, not_before,
                 resolves, replayed)
             SELECT min(id), {line}, '{receiver}', '', '{state}', 1, 0, 0, 0, 0 FROM changes"
        ));
    };
    put("pager", "dead", 1);
    put("zulu", "pending", 2);
    put("zulu", "pending", 3);
    put("idle", "skipped", 4);
    scene.execute("INSERT INTO receivers (name, failing_since, last_error) VALUES ('zulu', 5, 'HTTP 500')");
    scene.execute("INSERT INTO receivers (name, told_at) VALUES ('recovered', 5)");
    let waiting = ReceiverHealth::default();
    assert_eq!(
        board(&scene).receivers,
        [
            ReceiverHealth {
                name: "pager".into(),
                dead: 1,
                ..waiting.clone()
            },
            ReceiverHealth {
                name: RECEIVER.into(),
                waiting: 2,
                ..waiting.clone()
            },
            ReceiverHealth {
                name: "zulu".into(),
                waiting: 2,
                failing_since: Some(Timestamp::from_millis(5)),
                last_error: Some("HTTP 500".into()),
                ..waiting
            },
        ]
    );
}

#[test]
fn beyond_the_limits_open_requests_are_counted() {
    let scene = Scene::new();
    scene.execute(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO requests (target_id, token, phase, first_seen_at, last_seen_at, final_looks_left, gone_looks,
             announced, hooks_total, hooks_failed, hooks_pending)
         SELECT {target}, 't' || i, 'open', i, i, 0, 0, 1, 0, 0, 1 FROM n",
        count = Board::OPEN_LIMIT + 7,
        target = scene.target.0
    ));
    let board = board(&scene);
    assert_eq!(board.open.len(), Board::OPEN_LIMIT);
    assert_eq!(board.open[0].token.as_str(), "t1");
    let all = Board::OPEN_LIMIT + 7;
    assert_eq!(
        (board.open_total, board.targets[0].open, board.hooks_pending),
        (all, all, all)
    );
}

#[test]
fn the_version_moves_with_anothers_commits_and_with_nothing_else() {
    let scene = Scene::new();
    let reader = Reader::open(&scene.path()).unwrap();
    let before = reader.version().unwrap();
    reader.board().unwrap();
    assert_eq!(reader.version().unwrap(), before);
    scene.record(&[scene.seen(0, create("a", Pending, 0))]);
    let after = reader.version().unwrap();
    assert_ne!(after, before);
    assert_eq!(reader.version().unwrap(), after);
    assert_eq!(reader.board().unwrap().open_total, 1);
}
