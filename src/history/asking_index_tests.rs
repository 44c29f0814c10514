//! By which index each question is answered, and that none hides a row.

use proptest::prelude::*;
use proptest::sample::select;
use rusqlite::types::Value;

use super::super::fixtures::{Scene, at, guarded, hook};
use super::super::rows::Stored;
use super::filter::Narrowed;
use super::tests::{changes, hooks, patterns, reader, scene, tokens};
use super::{Filter, choice, leads, listings};
use crate::decide::route::Patterns;
use crate::model::HookProgressEvent;
use crate::model::HookStatus::CompleteFailed;
use crate::model::RequestStatus::Success;
use crate::model::rows::GapRow;

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
