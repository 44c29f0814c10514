use std::ops::ControlFlow;

use proptest::prelude::*;
use proptest::sample::select;
use rusqlite::types::Value;

use super::super::fixtures::{Scene, at, event, guarded, hook, name};
use super::super::rows::Stored;
use super::filter::Narrowed;
use super::{Filter, choice, leads, listings};
use crate::decide::route::Patterns;
use crate::decide::routing::Routing;
use crate::history::Reader;
use crate::model::HookStatus::{CompleteFailed, CompleteSucceeded};
use crate::model::RequestStatus::{Failed, InProgress, Pending, Success};
use crate::model::rows::{ChangeRow, GapRow, HookRow};
use crate::model::{
    AccountId, ErrorCode, HookProgressEvent, Operation, ProgressEvent, Region, RequestKey, RequestStatus, Sighting,
};

#[allow(clippy::unnecessary_wraps, reason = "it is what a filter has")]
fn patterns(given: &[&str]) -> Option<Patterns> {
    Some(Patterns::new(given.iter().copied()))
}

fn reader(scene: &Scene) -> Reader {
    Reader::open(&scene.path()).unwrap()
}

fn tokens(scene: &Scene, filter: &Filter) -> Vec<String> {
    let rows = reader(scene).requests(filter).unwrap();
    rows.into_iter().map(|row| row.request_token).collect()
}

fn hooks(scene: &Scene, filter: &Filter) -> Vec<HookRow> {
    let mut found = Vec::new();
    let each = |row| {
        found.push(row);
        ControlFlow::Continue(())
    };
    reader(scene).each_hook(filter, each).unwrap();
    found
}

fn changes(scene: &Scene, filter: &Filter) -> Vec<ChangeRow> {
    let mut found = Vec::new();
    let each = |row| {
        found.push(row);
        ControlFlow::Continue(())
    };
    reader(scene).each_change(filter, each).unwrap();
    found
}

/// Requests that differ in one thing or another, each started a minute after the one before.
fn scene() -> Scene {
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

fn plan(scene: &Scene, sql: &str) -> Vec<String> {
    let steps = scene.rows(&format!("EXPLAIN QUERY PLAN {sql}"));
    let steps = steps.as_array().unwrap().iter();
    steps.map(|step| step[3].as_str().unwrap().to_owned()).collect()
}

/// Every filter, alone.
fn every_filter() -> Vec<(&'static str, Filter)> {
    let all = Filter::default;
    vec![
        ("none", all()),
        (
            "status",
            Filter {
                status: patterns(&["FAILED", "PENDING"]),
                ..all()
            },
        ),
        (
            "target",
            Filter {
                target: patterns(&["prod"]),
                ..all()
            },
        ),
        (
            "region",
            Filter {
                region: patterns(&["*"]),
                ..all()
            },
        ),
        (
            "type",
            Filter {
                type_name: patterns(&["AWS::S3::*"]),
                ..all()
            },
        ),
        (
            "absent type",
            Filter {
                type_name: patterns(&["!AWS::S3::*"]),
                ..all()
            },
        ),
        (
            "operation",
            Filter {
                operation: patterns(&["CREATE"]),
                ..all()
            },
        ),
        (
            "error",
            Filter {
                error_code: patterns(&["*"]),
                ..all()
            },
        ),
        (
            "hook",
            Filter {
                hook_type_name: patterns(&["Acme::*"]),
                ..all()
            },
        ),
        (
            "identifier",
            Filter {
                identifier: patterns(&["id-a*"]),
                ..all()
            },
        ),
        (
            "since",
            Filter {
                since: Some(at(60)),
                ..all()
            },
        ),
        (
            "until",
            Filter {
                until: Some(at(600)),
                ..all()
            },
        ),
        ("open", Filter { open: true, ..all() }),
        ("failed", Filter { failed: true, ..all() }),
    ]
}

/// No filter walks a table; what walks an index is what has no value to look for, from the newest on until it has enough.
#[test]
fn every_question_is_answered_through_an_index() {
    let scene = scene();
    let reader = reader(&scene);
    for (name, filter) in every_filter() {
        let filter = Filter {
            limit: Some(50),
            ..filter
        };
        let statements: Vec<(String, Vec<Value>)> = reader
            .read(|connection| {
                let narrowed = Narrowed::new(connection, &filter)?;
                let lead = narrowed.lead(connection)?;
                let shown =
                    |except: Option<&choice::Choice>| narrowed.request(except).and(narrowed.time(super::filter::START));
                let few = narrowed.few_requests(connection)?;
                let mut statements = leads::statements(&lead, shown);
                statements.extend(listings::hook_statements(&narrowed, few.as_deref()));
                statements.extend(listings::hook_statements(&narrowed, None));
                statements.extend(listings::change_statements(&narrowed, few.as_deref()));
                statements.extend(listings::change_statements(&narrowed, None));
                statements.push(listings::following(&narrowed, 0, 9));
                Ok(statements)
            })
            .unwrap();
        assert!(statements.len() >= 5, "{name}");
        for (sql, _) in statements {
            // What belongs to one request is sorted.
            let is_of_one = sql.contains("request_id = ?");
            for step in plan(&scene, &sql) {
                let walks = step.starts_with("SCAN") && !step.contains(" INDEX ");
                assert!(
                    !walks && (is_of_one || !step.contains("TEMP B-TREE")),
                    "{name}: {step}\n{sql}"
                );
            }
            // Which hooks a request or a change has is looked up, not which requests or changes a hook has.
            let asks_for_hooks = sql.contains("EXISTS (SELECT 1 FROM hooks");
            let is_looked_up = |step: &String| {
                step.starts_with("SEARCH h ")
                    && (step.contains("hooks_by_request") || step.contains("INTEGER PRIMARY KEY"))
            };
            assert!(
                !asks_for_hooks || plan(&scene, &sql).iter().any(is_looked_up),
                "{name}: {:?}\n{sql}",
                plan(&scene, &sql)
            );
        }
    }
    for column in [
        choice::STATUS,
        choice::TYPE_NAME,
        choice::OPERATION,
        choice::ERROR_CODE,
        choice::HOOK_TYPE_NAME,
    ] {
        for sql in [column.next, column.absent]
            .into_iter()
            .filter(|sql| *sql != "SELECT 1")
        {
            let steps = plan(&scene, sql);
            assert!(
                steps.len() == 1 && steps[0].contains("SEARCH") && steps[0].contains("COVERING INDEX"),
                "{steps:?}"
            );
        }
    }
    for sql in [
        leads::IDENTIFIED,
        leads::BEGINNING,
        leads::GUARDED_BY,
        listings::LAST_CHANGE,
        listings::NEXT_CHANGES,
    ] {
        for step in plan(&scene, sql) {
            assert!(
                step.starts_with("SEARCH") || step == "USE TEMP B-TREE FOR DISTINCT" || step.contains("(subquery-1)"),
                "{step}\n{sql}"
            );
        }
    }
    let gaps = reader
        .read(|connection| Ok(listings::gaps_where(&Narrowed::new(connection, &Filter::default())?).0))
        .unwrap();
    assert_eq!(plan(&scene, &GapRow::sql(&gaps))[0], "SCAN g USING INDEX gaps_by_time");
}

/// What leads, leads to the same rows.
fn any_filter() -> impl Strategy<Value = Filter> {
    let words = |words: &'static [&'static str]| {
        proptest::option::of(proptest::collection::vec(select(words), 1..3))
            .prop_map(|given| given.and_then(|given| patterns(&given)))
    };
    let of_request = (
        words(&["FAILED", "!SUCCESS", "PENDING", "*"]),
        words(&["prod", "!prod", "*"]),
        words(&["AWS::S3::*", "!AWS::S3::Bucket", "AWS::Logs::LogGroup"]),
        words(&["CREATE", "!CREATE"]),
        words(&["Throttling", "!Throttling", "*"]),
        words(&["Acme::*", "!*::One", "*::Two"]),
        words(&["id-a*", "*-3", "id-b-5", "!id-*"]),
    );
    let rest = (
        proptest::option::of(0_i64..1100),
        any::<bool>(),
        any::<bool>(),
        proptest::option::of(1_usize..4),
    );
    (of_request, rest).prop_map(
        |((status, target, type_name, operation, error_code, hook_type_name, identifier), rest)| {
            let (since, open, failed, limit) = rest;
            Filter {
                status,
                target,
                type_name,
                operation,
                error_code,
                hook_type_name,
                identifier,
                since: since.map(at),
                open,
                failed,
                limit,
                ..Filter::default()
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn an_index_never_hides_a_row(filter in any_filter()) {
        thread_local! {
            static SCENE: Scene = scene();
        }
        SCENE.with(|scene| {
            let everything = tokens(scene, &Filter::default());
            let rows = reader(scene).requests(&Filter::default()).unwrap();
            let guards: Vec<_> = hooks(scene, &Filter::default());
            let is_asked_for = |patterns: &Option<Patterns>, value: Option<&str>| {
                patterns.as_ref().is_none_or(|patterns| patterns.matches(value.as_slice()))
            };
            let expected: Vec<&String> = everything
                .iter()
                .zip(&rows)
                .filter(|(token, row)| {
                    let guarded = filter.hook_type_name.as_ref().is_none_or(|patterns| {
                        guards.iter().any(|hook| {
                            hook.request_token == **token
                                && patterns.matches(hook.hook_type_name.as_deref().as_slice())
                        })
                    });
                    guarded
                        && is_asked_for(&filter.status, row.status.as_deref())
                        && is_asked_for(&filter.target, Some("prod"))
                        && is_asked_for(&filter.type_name, row.type_name.as_deref())
                        && is_asked_for(&filter.operation, row.operation.as_deref())
                        && is_asked_for(&filter.error_code, row.error_code.as_deref())
                        && is_asked_for(&filter.identifier, row.identifier.as_deref())
                        && filter.since.is_none_or(|since| row.started_at.unwrap() >= since)
                        && (!filter.open || row.open)
                        && (!filter.failed || row.status.as_deref() == Some("FAILED"))
                })
                .map(|(token, _)| token)
                .take(filter.limit.unwrap_or(usize::MAX))
                .collect();
            let found = tokens(scene, &filter);
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
            Ok(())
        })?;
    }
}

/// What nothing can match finds no statement to run: no row is looked at.
#[test]
fn what_leaves_nothing_is_answered_at_once() {
    let scene = scene();
    let all = Filter::default;
    let hook = |given: &[&str]| Filter {
        hook_type_name: patterns(given),
        ..all()
    };
    let nothing = [
        hook(&["!Acme::*"]),
        hook(&["!*::One", "!*::Two"]),
        hook(&["Other::*"]),
        Filter {
            type_name: patterns(&["Other::*"]),
            ..all()
        },
        Filter {
            error_code: patterns(&["NotFound"]),
            ..all()
        },
    ];
    let reader = reader(&scene);
    for filter in nothing {
        let few = reader.read(|connection| {
            let narrowed = Narrowed::new(connection, &filter)?;
            let lead = narrowed.lead(connection)?;
            assert!(
                leads::statements(&lead, |except| narrowed.request(except)).is_empty(),
                "{filter:?}"
            );
            Ok(narrowed.few_requests(connection)?)
        });
        assert_eq!(few.unwrap(), Some(Vec::new()), "{filter:?}");
    }

    // A hook without a name is none of those that are left out.
    let nameless = HookProgressEvent {
        hook_type_name: None,
        ..self::hook("", CompleteFailed)
    };
    scene.record(&[scene.got(1010, guarded("d-7", Success), vec![nameless])]);
    let token = |filter| tokens(&scene, &filter);
    assert_eq!(token(hook(&["!Acme::*"])), ["d-7"]);
    assert_eq!(hooks(&scene, &hook(&["!Acme::*"])).len(), 1);
    assert_eq!(changes(&scene, &hook(&["!Acme::*"])).len(), 1);
}
