//! What each filter lets through, in which order.

use std::ops::ControlFlow;

use super::super::fixtures::{Scene, at, event, guarded, hook, name};
use super::Filter;
use crate::decide::route::Patterns;
use crate::decide::routing::Routing;
use crate::history::Reader;
use crate::model::HookStatus::{CompleteFailed, CompleteSucceeded};
use crate::model::RequestStatus::{Failed, InProgress, Pending, Success};
use crate::model::rows::{ChangeRow, GapRow, HookRow, InvocationRow};
use crate::model::{AccountId, ErrorCode, Operation, ProgressEvent, Region, RequestKey, RequestStatus, Sighting};

#[allow(clippy::unnecessary_wraps, reason = "it is what a filter has")]
pub(super) fn patterns(given: &[&str]) -> Option<Patterns> {
    Some(Patterns::new(given.iter().copied()))
}

pub(super) fn reader(scene: &Scene) -> Reader {
    Reader::open(&scene.path()).unwrap()
}

pub(super) fn tokens(scene: &Scene, filter: &Filter) -> Vec<String> {
    let rows = reader(scene).requests(filter).unwrap();
    rows.into_iter().map(|row| row.request_token).collect()
}

pub(super) fn hooks(scene: &Scene, filter: &Filter) -> Vec<HookRow> {
    let mut found = Vec::new();
    let each = |row: InvocationRow| {
        found.push(row.hook);
        ControlFlow::Continue(())
    };
    reader(scene).each_hook(filter, each).unwrap();
    found
}

pub(super) fn changes(scene: &Scene, filter: &Filter) -> Vec<ChangeRow> {
    let mut found = Vec::new();
    let each = |row| {
        found.push(row);
        ControlFlow::Continue(())
    };
    reader(scene).each_change(filter, each).unwrap();
    found
}

/// Requests that differ in one thing or another, each started a minute after the one before.
pub(super) fn scene() -> Scene {
    let scene = Scene::new();
    let started = |minute: i64, token: &str, status: RequestStatus, type_name: &str| ProgressEvent {
        event_time: Some(at(minute * 60)),
        type_name: Some(type_name.into()),
        identifier: Some(format!("id-{token}")),
        operation: Some(Operation::Create),
        ..event(token, status)
    };
    let ended = |error: &str, event: ProgressEvent| ProgressEvent {
        error_code: Some(ErrorCode::from(error)),
        ..event
    };
    // In an order that is not the one in which they began, as a list would show them.
    scene.record(&[
        scene.seen(1000, started(3, "aa-3", Success, "AWS::S3::Bucket")),
        scene.seen(
            1001,
            ended("Throttling", started(1, "ab-1", Failed, "AWS::Logs::LogGroup")),
        ),
        scene.seen(1002, started(5, "b-5", InProgress, "AWS::S3::AccessPoint")),
        scene.seen(1003, started(2, "ab-2", Pending, "AWS::S3?::Bucket")),
        scene.seen(
            1004,
            ended("AlreadyExists", started(4, "a-4", Failed, "AWS::S3::Bucket")),
        ),
        scene.got(
            1005,
            ProgressEvent {
                event_time: Some(at(6 * 60)),
                type_name: None,
                identifier: None,
                operation: Some(Operation::Delete),
                ..guarded("c-6", Success)
            },
            vec![
                hook("Acme::Guard::One", CompleteFailed),
                hook("Acme::Guard::Two", CompleteSucceeded),
            ],
        ),
    ]);
    scene
}

#[test]
fn requests_come_newest_first_up_to_the_limit() {
    let scene = scene();
    let all = Filter::default();
    assert_eq!(tokens(&scene, &all), ["c-6", "b-5", "a-4", "aa-3", "ab-2", "ab-1"]);
    let limit = Some(2);
    assert_eq!(tokens(&scene, &Filter { limit, ..all }), ["c-6", "b-5"]);
}

#[test]
fn each_filter_narrows_and_they_add_up() {
    let scene = scene();
    let of = |filter: Filter| tokens(&scene, &filter).join(" ");
    let all = Filter::default;
    assert_eq!(of(Filter { open: true, ..all() }), "b-5 ab-2");
    assert_eq!(of(Filter { failed: true, ..all() }), "a-4 ab-1");
    let status = |given: &[&str]| {
        of(Filter {
            status: patterns(given),
            ..all()
        })
    };
    assert_eq!(status(&["PENDING"]), "ab-2");
    assert_eq!(status(&["FAILED", "PEND*"]), "a-4 ab-2 ab-1");
    assert_eq!(status(&["!SUCCESS", "!FAILED"]), "b-5 ab-2");
    let type_name = |given: &[&str]| {
        of(Filter {
            type_name: patterns(given),
            ..all()
        })
    };
    assert_eq!(type_name(&["AWS::S3::*"]), "b-5 a-4 aa-3");
    assert_eq!(
        type_name(&["!AWS::S3::*"]),
        "c-6 ab-2 ab-1",
        "what has no type is none of those"
    );
    assert_eq!(type_name(&["AWS::S3?::*"]), "ab-2", "the star alone is special");
    assert_eq!(type_name(&["AWS::S[3]::*"]), "");
    let operation = |given: &[&str]| {
        of(Filter {
            operation: patterns(given),
            ..all()
        })
    };
    assert_eq!(operation(&["DELETE"]), "c-6");
    let error_code = |given: &[&str]| {
        of(Filter {
            error_code: patterns(given),
            ..all()
        })
    };
    assert_eq!(error_code(&["Throttling"]), "ab-1");
    assert_eq!(error_code(&["!Throttling"]), "c-6 b-5 a-4 aa-3 ab-2");
    let identifier = |given: &[&str]| {
        of(Filter {
            identifier: patterns(given),
            ..all()
        })
    };
    assert_eq!(identifier(&["id-ab-1"]), "ab-1");
    assert_eq!(identifier(&["id-a*", "!*-3"]), "a-4 ab-2 ab-1");
    assert_eq!(identifier(&["*b-*"]), "b-5 ab-2 ab-1");
    assert_eq!(identifier(&["!id-*"]), "c-6");
    let hooked = |given: &[&str]| {
        of(Filter {
            hook_type_name: patterns(given),
            ..all()
        })
    };
    assert_eq!(hooked(&["Acme::*"]), "c-6");
    assert_eq!(hooked(&["Other::*"]), "");
    let since = Some(at(3 * 60));
    let until = Some(at(5 * 60));
    assert_eq!(of(Filter { since, until, ..all() }), "a-4 aa-3");
    let both = Filter {
        failed: true,
        type_name: patterns(&["AWS::S3::*"]),
        since,
        ..all()
    };
    assert_eq!(of(both), "a-4");
    let never = Filter {
        failed: true,
        status: patterns(&["SUCCESS"]),
        ..all()
    };
    assert_eq!(of(never), "");
}

#[test]
fn a_target_goes_by_its_entrys_name_or_by_its_whole_name_or_by_its_region() {
    let scene = scene();
    let (account, other) = (AccountId("444455556666".into()), Region("us-east-1".into()));
    scene
        .history
        .write(|tx| {
            let play = crate::model::TargetName::new("play", &other);
            let id = tx.register_target(&play, Some(&account), &other, at(0))?.target.id;
            tx.begin_baseline(id, at(0))?;
            let sighting = scene.seen(1, event("p", Pending));
            let key = RequestKey {
                target: id,
                ..sighting.key
            };
            tx.record(&[Sighting { key, ..sighting }], &Routing::default())
        })
        .unwrap();
    let of = |pattern: &str| {
        let target = patterns(&[pattern]);
        tokens(
            &scene,
            &Filter {
                target,
                ..Filter::default()
            },
        )
        .len()
    };
    assert_eq!(
        [of("prod"), of("prod/*"), of(name("prod").as_str()), of("*")],
        [6, 6, 6, 7]
    );
    assert_eq!([of("p*y"), of("us-east-1"), of("!prod")], [1, 0, 1]);
    let region = |pattern: &str| {
        let region = patterns(&[pattern]);
        tokens(
            &scene,
            &Filter {
                region,
                ..Filter::default()
            },
        )
        .len()
    };
    assert_eq!(
        [
            region("us-*"),
            region(&super::super::fixtures::region().0),
            region("ap-*")
        ],
        [1, 6, 0]
    );
}

#[test]
fn hooks_and_changes_are_asked_in_the_same_words() {
    let scene = scene();
    let all = Filter::default;
    let names = |filter: Filter| -> Vec<String> {
        let found = hooks(&scene, &filter).into_iter();
        found.map(|hook| hook.hook_type_name.unwrap()).collect()
    };
    assert_eq!(names(all()), ["Acme::Guard::Two", "Acme::Guard::One"]);
    assert_eq!(names(Filter { failed: true, ..all() }), ["Acme::Guard::One"]);
    assert_eq!(
        names(Filter {
            status: patterns(&["HOOK_*_SUCCEEDED"]),
            ..all()
        }),
        ["Acme::Guard::Two"]
    );
    assert_eq!(
        names(Filter {
            hook_type_name: patterns(&["!*::One"]),
            ..all()
        }),
        ["Acme::Guard::Two"]
    );
    assert_eq!(
        names(Filter {
            operation: patterns(&["DELETE"]),
            limit: Some(1),
            ..all()
        }),
        ["Acme::Guard::Two"]
    );
    assert!(
        names(Filter {
            type_name: patterns(&["AWS::*"]),
            ..all()
        })
        .is_empty()
    );

    let told = |filter: Filter| -> Vec<String> {
        let found = changes(&scene, &filter).into_iter();
        found.map(|change| change.request_token).collect()
    };
    assert_eq!(told(all()), ["aa-3", "ab-1", "b-5", "ab-2", "a-4", "c-6", "c-6", "c-6"]);
    assert_eq!(
        told(Filter {
            limit: Some(4),
            ..all()
        }),
        ["a-4", "c-6", "c-6", "c-6"],
        "the newest, oldest first"
    );
    assert_eq!(told(Filter { failed: true, ..all() }), ["ab-1", "a-4", "c-6"]);
    assert_eq!(
        told(Filter {
            type_name: patterns(&["AWS::S3::*"]),
            ..all()
        }),
        ["aa-3", "b-5", "a-4"]
    );
    assert_eq!(
        told(Filter {
            hook_type_name: patterns(&["*::Two"]),
            ..all()
        }),
        ["c-6"]
    );
    assert_eq!(told(Filter { open: true, ..all() }), ["b-5", "ab-2"]);
    assert_eq!(
        told(Filter {
            since: Some(at(1004)),
            until: Some(at(1005)),
            ..all()
        }),
        ["a-4"]
    );
}

#[test]
fn changes_can_be_followed_whatever_is_asked_for() {
    let scene = scene();
    let reader = reader(&scene);
    let of_all = Filter {
        failed: true,
        ..Filter::default()
    };
    let last = reader.each_change(&of_all, |_| ControlFlow::Continue(()));
    assert_eq!(last.unwrap(), 8, "of all, not of those that were asked for");
    let step = |filter: &Filter, after, limit| {
        let step = reader.changes_after(filter, after, limit).unwrap();
        let ids: Vec<_> = step.changes.iter().map(|change| change.id).collect();
        (ids, step.last, step.is_all)
    };
    let all = Filter::default();
    assert_eq!(step(&all, 2, 2), (vec![3, 4], 4, false));
    assert_eq!(step(&all, 8, 2), (vec![], 8, true));
    let failed = Filter {
        failed: true,
        ..Filter::default()
    };
    assert_eq!(
        step(&failed, 0, 4),
        (vec![2], 4, false),
        "what does not match is passed by"
    );
    assert_eq!(step(&failed, 4, 100), (vec![5, 6], 8, true));
    scene.record(&[scene.seen(2000, event("b-5", Success))]);
    assert_eq!(step(&all, 8, 2), (vec![9], 9, true));
}

#[test]
fn gaps_are_those_that_touch_the_time_newest_first() {
    let scene = Scene::new();
    scene
        .history
        .write(|tx| {
            for (from, to) in [(10, Some(20)), (30, Some(40)), (50, None)] {
                tx.open_gap(scene.target, at(from), "asleep")?;
                if let Some(to) = to {
                    tx.close_gap(scene.target, at(to))?;
                }
            }
            Ok(())
        })
        .unwrap();
    let of = |filter: Filter| -> Vec<i64> {
        let gaps: Vec<GapRow> = reader(&scene).gaps(&filter).unwrap();
        gaps.iter().map(|gap| gap.from_at.as_millis() / 1000).collect()
    };
    let all = Filter::default;
    let zero = at(0).as_millis() / 1000;
    assert_eq!(of(all()), [zero + 50, zero + 30, zero + 10]);
    assert_eq!(
        of(Filter {
            since: Some(at(40)),
            ..all()
        }),
        [zero + 50, zero + 30]
    );
    assert_eq!(
        of(Filter {
            until: Some(at(30)),
            ..all()
        }),
        [zero + 10]
    );
    assert_eq!(of(Filter { open: true, ..all() }), [zero + 50]);
    assert_eq!(
        of(Filter {
            limit: Some(1),
            ..all()
        }),
        [zero + 50]
    );
    assert!(
        of(Filter {
            target: patterns(&["other"]),
            ..all()
        })
        .is_empty()
    );
}
