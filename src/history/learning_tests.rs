use std::time::Duration;

use super::super::fixtures::{Scene, at, event, guarded, hook};
use super::*;
use crate::decide::route::Patterns;
use crate::model::{ErrorCode, FailureMode, HookProgressEvent, Operation, ProgressEvent, RequestStatus};

const DAY: i64 = 24 * 3600;

/// One of each outcome, a minute apart.
fn scene() -> Scene {
    let scene = Scene::new();
    let began = |minute: i64, token: &str, status: RequestStatus| ProgressEvent {
        event_time: Some(at(minute * 60)),
        operation: Some(Operation::Create),
        error_code: (status == RequestStatus::Failed).then_some(ErrorCode::NotFound),
        ..event(token, status)
    };
    scene.record(&[
        scene.seen(10, began(0, "succeeded", RequestStatus::InProgress)),
        scene.seen(70, began(1, "failed", RequestStatus::InProgress)),
        scene.seen(100, began(0, "succeeded", RequestStatus::Success)),
        scene.seen(110, began(1, "failed", RequestStatus::Failed)),
        scene.seen(150, began(2, "cancelled", RequestStatus::CancelComplete)),
        scene.seen(200, began(3, "lost", RequestStatus::Pending)),
        scene.gone(300, "lost"),
        scene.gone(400, "lost"),
        scene.gone(500, "lost"),
        scene.seen(600, began(4, "open", RequestStatus::Pending)),
        scene.seen(700, began(5, "younger", RequestStatus::Pending)),
    ]);
    scene
}

fn reader(scene: &Scene) -> Reader {
    Reader::open(&scene.path()).unwrap()
}

fn between(from: i64, until: i64) -> Filter {
    Filter {
        since: Some(at(from)),
        until: Some(at(until)),
        ..Filter::default()
    }
}

fn outcomes(reader: &Reader, filter: &Filter) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let each = |request: &RequestFacts<'_>| outcomes.push(request.outcome);
    reader.request_facts(filter, each).unwrap();
    outcomes
}

#[test]
fn requests_are_handed_on_oldest_first_with_how_they_ended() {
    let scene = scene();
    scene.execute("UPDATE requests SET phase = 'lost' WHERE token = 'lost'");
    let reader = reader(&scene);
    assert_eq!(
        outcomes(&reader, &between(0, 241)),
        [
            Outcome::Succeeded,
            Outcome::Failed,
            Outcome::Cancelled,
            Outcome::Lost,
            Outcome::Open
        ]
    );
    assert_eq!(outcomes(&reader, &between(60, 120)), [Outcome::Failed]);
    assert_eq!(outcomes(&reader, &between(301, DAY)), []);
    let mut seen = Vec::new();
    reader
        .request_facts(&between(0, 61), |request| {
            seen.push((
                request.at,
                request.target.to_owned(),
                request.region.to_owned(),
                request.type_name.map(str::to_owned),
                request.operation.map(str::to_owned),
                request.error_code.map(str::to_owned),
                request.took,
            ));
        })
        .unwrap();
    let of = |at, error: Option<&str>, seconds| {
        (
            at,
            "prod/eu-west-1".to_owned(),
            "eu-west-1".to_owned(),
            Some("AWS::Logs::LogGroup".to_owned()),
            Some("CREATE".to_owned()),
            error.map(str::to_owned),
            Some(Duration::from_secs(seconds)),
        )
    };
    assert_eq!(seen, [of(at(0), None, 100), of(at(60), Some("NotFound"), 50)]);
    assert_eq!(reader.first_request_at().unwrap(), Some(at(0)));
    let all = Filter::default();
    let longest = reader.longest_open(&all, 1).unwrap();
    assert_eq!(longest[0].request_token, "open");
    assert_eq!(reader.longest_open(&all, 9).unwrap().len(), 2);
    let failed = Filter {
        failed: true,
        ..Filter::default()
    };
    assert_eq!(outcomes(&reader, &failed), [Outcome::Failed]);
    assert_eq!(reader.longest_open(&failed, 9).unwrap(), []);
}

#[test]
fn names_that_the_history_does_not_have_leave_nothing_and_are_no_error() {
    let scene = scene();
    let reader = reader(&scene);
    let all = Filter::default();
    let none = Some(Patterns::new(["no::such::name"]));
    for filter in [
        Filter {
            target: none.clone(),
            ..all.clone()
        },
        Filter {
            region: none.clone(),
            ..all.clone()
        },
        Filter {
            type_name: none.clone(),
            ..all.clone()
        },
        Filter {
            operation: none.clone(),
            ..all.clone()
        },
        Filter {
            error_code: none.clone(),
            ..all.clone()
        },
        Filter {
            hook_type_name: none.clone(),
            ..all.clone()
        },
        Filter {
            status: none.clone(),
            ..all.clone()
        },
    ] {
        assert_eq!(reader.longest_open(&filter, 9).unwrap(), [], "{filter:?}");
        assert_eq!(outcomes(&reader, &filter), [], "{filter:?}");
        reader
            .hook_facts(&filter, |_| panic!("there are no hooks: {filter:?}"))
            .unwrap();
    }
}

#[test]
fn hooks_are_handed_on_with_what_their_failure_meant_and_how_long_they_were_seen() {
    let scene = Scene::new();
    let seen = |name: &str, status: HookStatus, mode: FailureMode| HookProgressEvent {
        failure_mode: Some(mode),
        hook_type_version_id: Some("00000001".into()),
        ..hook(name, status)
    };
    let request = || guarded("a", RequestStatus::InProgress);
    scene.record(&[
        scene.got(
            1,
            request(),
            vec![
                seen("A::B::Passes", HookStatus::InProgress, FailureMode::Fail),
                seen("A::B::Quick", HookStatus::CompleteFailed, FailureMode::Warn),
            ],
        ),
        scene.got(
            5,
            request(),
            vec![
                // By the service's clock, which is another one.
                HookProgressEvent {
                    event_time: Some(at(3600)),
                    ..seen("A::B::Passes", HookStatus::CompleteSucceeded, FailureMode::Fail)
                },
                seen("A::B::Quick", HookStatus::CompleteFailed, FailureMode::Warn),
                seen("A::B::Broken", HookStatus::Failed, FailureMode::Fail),
                seen("A::B::Runs", HookStatus::InProgress, FailureMode::Fail),
            ],
        ),
    ]);
    let reader = reader(&scene);
    let mut hooks = Vec::new();
    reader
        .hook_facts(&Filter::default(), |hook| {
            let name = hook.hook_type_name.unwrap().to_owned();
            hooks.push((name, hook.outcome, hook.is_broken, hook.latency));
        })
        .unwrap();
    hooks.sort();
    let of = |name: &str, outcome, is_broken, seconds: Option<u64>| {
        (
            format!("A::B::{name}"),
            outcome,
            is_broken,
            seconds.map(Duration::from_secs),
        )
    };
    assert_eq!(
        hooks,
        [
            of("Broken", HookOutcome::Blocked, true, None),
            of("Passes", HookOutcome::Passed, false, Some(4)),
            of("Quick", HookOutcome::Warned, false, None),
            of("Runs", HookOutcome::Running, false, None),
        ]
    );
    assert_eq!(reader.first_hook_at().unwrap(), Some(at(1)));
    let mut count = 0;
    reader.hook_facts(&between(2, 5), |_| count += 1).unwrap();
    assert_eq!(count, 0);
    let of_others = Filter {
        type_name: Some(Patterns::new(["!AWS::Logs::*"])),
        ..Filter::default()
    };
    reader.hook_facts(&of_others, |_| count += 1).unwrap();
    assert_eq!(count, 0);
}

#[test]
fn the_size_is_that_of_file_and_log_and_counts_are_exact_while_they_are_small() {
    let scene = scene();
    let size = reader(&scene).size(at(DAY)).unwrap();
    let pages = scene.count("SELECT count(*) FROM pragma_page_count()");
    assert!(size.file_bytes >= 4096 && pages > 0);
    let log = std::fs::metadata(scene.path().with_extension("db-wal")).unwrap();
    assert_eq!((size.wal_bytes, size.requests, size.recent_requests), (log.len(), 6, 6));
    let events = scene.count("SELECT count(*) FROM progress_events");
    assert_eq!((size.events, size.events_estimated), (events.unsigned_abs(), false));
    assert_eq!(size.oldest_at, Some(at(0)));
    let ended = scene.count("SELECT min(last_seen_at) FROM requests WHERE phase <> 'open'");
    assert_eq!(size.oldest_ended_at, Some(Timestamp::from_millis(ended)));
    let later = reader(&scene).size(at(31 * DAY)).unwrap();
    assert_eq!((later.requests, later.recent_requests), (6, 0));

    let empty = reader(&Scene::new()).size(at(0)).unwrap();
    assert_eq!((empty.requests, empty.events, empty.oldest_at), (0, 0, None));
}

#[test]
fn events_are_estimated_by_samples_where_pruning_left_holes() {
    let scene = scene();
    scene.execute(
        "DELETE FROM progress_events;
         WITH RECURSIVE ids (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < 20000)
         INSERT INTO progress_events (id, request_id, observed_at, source)
         SELECT ids.id, (SELECT min(id) FROM requests), 0, 'list' FROM ids WHERE ids.id = 1 OR ids.id > 10000",
    );
    let size = reader(&scene).size(at(0)).unwrap();
    assert!(size.events_estimated);
    assert!((9_900..=10_100).contains(&size.events), "{}", size.events);
}

#[test]
fn events_of_a_restored_history_are_counted_on_both_sides_of_the_leap_in_their_ids() {
    let scene = scene();
    let before = scene.count("SELECT count(*) FROM progress_events");
    scene.execute(
        "INSERT INTO progress_events (id, request_id, observed_at, source)
         SELECT max(id) + 1000000001, (SELECT min(id) FROM requests), 0, 'list' FROM progress_events;
         INSERT INTO progress_events (id, request_id, observed_at, source)
         SELECT max(id) + 1, (SELECT min(id) FROM requests), 0, 'list' FROM progress_events",
    );
    let size = reader(&scene).size(at(0)).unwrap();
    assert_eq!((size.events, size.events_estimated), (before.unsigned_abs() + 2, false));
}

#[test]
fn those_before_a_time_are_counted() {
    let scene = scene();
    let before = |second| reader(&scene).count_before(at(second)).unwrap();
    assert_eq!([before(0), before(1), before(120), before(DAY)], [0, 1, 2, 6]);
}
