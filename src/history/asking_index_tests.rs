//! By which index each question is answered, and that none hides a row.

use proptest::prelude::*;
use proptest::sample::select;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::super::Failure;
use super::super::fixtures::{Scene, at, event, guarded, hook};
use super::super::rows::Stored;
use super::filter::Narrowed;
use super::of_requests::OfRequests;
use super::tests::{changes, hooks, patterns, reader, scene, tokens};
use super::{Bounds, Filter, choice, leads, listings};
use crate::decide::route::Patterns;
use crate::model::HookStatus::CompleteFailed;
use crate::model::RequestStatus::{CancelComplete, CancelInProgress, Failed, InProgress, Success};
use crate::model::rows::{ChangeRow, GapRow, HookRow, RequestRow};
use crate::model::{ErrorCode, HookProgressEvent, ProgressEvent};

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
        (
            "statuses of failures",
            Filter {
                status: patterns(&["FAILED", "HOOK_FAILED"]),
                ..all()
            },
        ),
        (
            "an end",
            Filter {
                status: patterns(&["SUCCESS"]),
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
                let mut statements = leads::statements(&lead, shown);
                for rows in [OfRequests::hooks(&narrowed), OfRequests::changes(&narrowed)] {
                    statements.push(rows.bound(1));
                    statements.extend(rows.by_time(Some(1)));
                    statements.extend(rows.by_request(&rows.lead(connection)?.0));
                }
                statements.push(listings::following(&narrowed, 0, 9));
                Ok(statements)
            })
            .unwrap();
        assert!(statements.len() >= 5, "{name}");
        for (sql, _) in statements {
            // What is found by its requests is sorted.
            let is_by_request = sql.contains("_by_request ON ");
            for step in plan(&scene, &sql) {
                let walks = step.starts_with("SCAN") && !step.contains(" INDEX ");
                assert!(
                    !walks && (is_by_request || !step.contains("TEMP B-TREE")),
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
        choice::TO_STATUS,
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

/// However few they are, none of the others is walked past.
#[test]
fn changes_to_a_status_are_found_by_it() {
    let scene = scene();
    let steps = |words: &[&str]| {
        let filter = Filter {
            status: patterns(words),
            ..Filter::default()
        };
        let statements = reader(&scene)
            .read(|connection| Ok(OfRequests::changes(&Narrowed::new(connection, &filter)?).by_time(None)))
            .unwrap();
        let steps = statements.iter().flat_map(|(sql, _)| plan(&scene, sql));
        steps.collect::<Vec<_>>()
    };
    for words in [&["SUCC*"][..], &["FAILED", "NEVER"]] {
        let steps = steps(words);
        assert!(
            steps.len() == 1 && steps[0].contains("USING COVERING INDEX changes_by_status (to_status=?)"),
            "{steps:?}"
        );
    }
    assert_eq!(steps(&["NEVER"]), [""; 0], "nothing is looked for that there is not");
    // In one walk: of several, one may never go with what else is asked.
    let steps = steps(&["FAILED", "SUCCESS"]);
    assert!(steps.len() == 1 && steps[0].contains("changes_by_time"), "{steps:?}");
}

/// What leads, leads to the same rows: filters alone, in pairs, and many together.
fn any_filter() -> impl Strategy<Value = Filter> {
    let words = |words: &'static [&'static str]| {
        proptest::option::of(proptest::collection::vec(select(words), 1..3))
            .prop_map(|given| given.and_then(|given| patterns(&given)))
    };
    let of_request = (
        words(&[
            "FAILED",
            "!SUCCESS",
            "PENDING",
            "IN_PROGRESS",
            "*",
            "SUCCESS",
            "CANCEL_COMPLETE",
            "HOOK_COMPLETE_FAILED",
            "HOOK_*",
        ]),
        words(&["prod", "!prod", "*"]),
        words(&["AWS::S3::*", "!AWS::S3::Bucket", "AWS::Logs::LogGroup"]),
        words(&["CREATE", "!CREATE"]),
        words(&["Throttling", "!Throttling", "*"]),
        words(&["Acme::*", "!*::One", "*::Two", "!Acme::*"]),
        words(&["id-a*", "*-3", "id-b-5", "!id-*"]),
    );
    let rest = (
        proptest::option::of(0_i64..1200),
        any::<bool>(),
        any::<bool>(),
        proptest::option::of(1_usize..4),
    );
    // Of ten filters, those that stay; all of them together seldom leave anything.
    let stay = proptest::sample::subsequence((0..10).collect::<Vec<_>>(), 0..=4);
    (of_request, rest, stay).prop_map(|(of_request, (since, open, failed, limit), stay)| {
        let (status, target, type_name, operation, error_code, hook_type_name, identifier) = of_request;
        let stays = |which: usize| stay.contains(&which);
        Filter {
            status: status.filter(|_| stays(0)),
            target: target.filter(|_| stays(1)),
            type_name: type_name.filter(|_| stays(2)),
            operation: operation.filter(|_| stays(3)),
            error_code: error_code.filter(|_| stays(4)),
            hook_type_name: hook_type_name.filter(|_| stays(5)),
            identifier: identifier.filter(|_| stays(6)),
            since: since.filter(|_| stays(7)).map(at),
            open: open && stays(8),
            failed: failed && stays(9),
            limit,
            ..Filter::default()
        }
    })
}

/// So few that each way is gone: by few requests, by the newest rows alone, by requests after these, and by all rows.
fn any_bounds() -> impl Strategy<Value = Bounds> {
    (1_i64..6, 0_i64..30).prop_map(|(few, more)| Bounds { few, many: few + more })
}

/// More of each kind: an end that is neither success nor failure, hooks that failed or go by no name.
fn larger_scene() -> Scene {
    let scene = scene();
    let nameless = HookProgressEvent {
        hook_type_name: None,
        ..hook("", CompleteFailed)
    };
    scene.record(&[
        scene.seen(1010, event("d-7", InProgress)),
        scene.seen(1011, event("d-7", CancelInProgress)),
        scene.seen(1012, event("d-7", CancelComplete)),
        scene.got(
            1013,
            guarded("e-8", InProgress),
            vec![hook("Acme::Guard::One", CompleteFailed), nameless],
        ),
        scene.got(
            1014,
            ProgressEvent {
                error_code: Some(ErrorCode::Throttling),
                ..guarded("e-8", Failed)
            },
            vec![hook("Acme::Guard::One", CompleteFailed)],
        ),
        scene.seen(1015, event("b-5", Success)),
    ]);
    scene
}

fn is_asked_for(patterns: Option<&Patterns>, value: Option<&str>) -> bool {
    patterns.is_none_or(|patterns| patterns.matches(value.as_slice()))
}

/// Whether a filter lets a request through, whatever is shown of it.
fn is_about(filter: &Filter, row: &RequestRow) -> bool {
    is_asked_for(filter.target.as_ref(), Some("prod"))
        && is_asked_for(filter.type_name.as_ref(), row.type_name.as_deref())
        && is_asked_for(filter.operation.as_ref(), row.operation.as_deref())
        && is_asked_for(filter.error_code.as_ref(), row.error_code.as_deref())
        && is_asked_for(filter.identifier.as_ref(), row.identifier.as_deref())
        && (!filter.open || row.open)
}

/// Whether a filter lets a status through. Each word is one of requests or one of hooks.
fn is_status(filter: &Filter, status: Option<&str>) -> bool {
    is_asked_for(filter.status.as_ref(), status)
        && (!filter.failed || status.is_some_and(|status| status.ends_with("FAILED")))
}

/// The ids of the requests, hooks and changes that a filter lets through.
fn found(scene: &Scene, filter: &Filter, bounds: Bounds) -> [Vec<i64>; 3] {
    let found = reader(scene).read(|connection| {
        let narrowed = Narrowed {
            bounds,
            ..Narrowed::new(connection, filter)?
        };
        let requests = narrowed.requests(connection)?.into_iter().map(|id| id.0);
        let hooks = listings::hooks(connection, &narrowed)?.into_iter().map(|id| id.0);
        let changes = listings::changes(connection, &narrowed)?.into_iter().map(|id| id.0);
        Ok([requests.collect(), hooks.collect(), changes.collect()])
    });
    found.unwrap()
}

/// Those ids whose row is shown, up to the limit.
fn of(ids: &[i64], is_shown: impl Iterator<Item = bool>, limit: usize) -> Vec<i64> {
    let shown = ids.iter().zip(is_shown).filter(|(_, is_shown)| *is_shown);
    shown.map(|(id, _)| *id).take(limit).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn an_index_never_hides_a_row(filter in any_filter(), bounds in any_bounds()) {
        thread_local! {
            static SCENE: Scene = larger_scene();
        }
        SCENE.with(|scene| {
            let all = Filter::default();
            let rows = reader(scene).requests(&all).unwrap();
            let guards = hooks(scene, &all);
            let mut told = changes(scene, &all);
            told.reverse();
            let every = found(scene, &all, super::BOUNDS);

            let request = |token: &str| rows.iter().find(|row| row.request_token == token).unwrap();
            let is_since = |time| filter.since.is_none_or(|since| time >= since);
            let is_guard = |name: Option<&str>| is_asked_for(filter.hook_type_name.as_ref(), name);
            let is_guarded = |row: &RequestRow| {
                let mut guards = guards.iter().filter(|hook| hook.request_token == row.request_token);
                filter.hook_type_name.is_none() || guards.any(|hook| is_guard(hook.hook_type_name.as_deref()))
            };
            let is_shown = |row: &RequestRow| {
                is_guarded(row)
                    && is_about(&filter, row)
                    && is_asked_for(filter.status.as_ref(), row.status.as_deref())
                    && is_since(row.started_at.unwrap_or(row.first_seen_at))
                    && (!filter.failed || row.status.as_deref() == Some("FAILED"))
            };
            let is_shown_hook = |hook: &HookRow| {
                is_about(&filter, request(&hook.request_token))
                    && is_guard(hook.hook_type_name.as_deref())
                    && is_status(&filter, hook.status.as_deref())
                    && is_since(hook.first_seen_at)
            };
            let is_shown_change = |change: &ChangeRow| {
                is_about(&filter, request(&change.request_token))
                    && (filter.hook_type_name.is_none() || change.kind.starts_with("hook."))
                    && is_guard(change.hook_type_name.as_deref())
                    && is_status(&filter, change.to_status.as_deref())
                    && is_since(change.at)
            };
            let limit = filter.limit.unwrap_or(usize::MAX);
            let expected = [
                of(&every[0], rows.iter().map(is_shown), limit),
                of(&every[1], guards.iter().map(is_shown_hook), limit),
                of(&every[2], told.iter().map(is_shown_change), limit),
            ];
            prop_assert_eq!(found(scene, &filter, bounds), expected);
            Ok(())
        })?;
    }
}

/// A word of a request's asks for no hook; a pattern may match a word that is not known.
#[test]
fn a_word_of_a_request_leaves_out_hooks() {
    let scene = larger_scene();
    let of_hooks = |status: &str| {
        let filter = Filter {
            status: patterns(&[status]),
            hook_type_name: patterns(&["*"]),
            ..Filter::default()
        };
        (hooks(&scene, &filter).len(), changes(&scene, &filter).len())
    };
    assert_eq!(of_hooks("FAILED"), (0, 0));
    assert_eq!(of_hooks("HOOK_COMPLETE_FAILED"), of_hooks("*FAILED"));
    assert_ne!(of_hooks("*FAILED"), (0, 0));
}

/// How many requests lead to rows, and by how many statements.
fn left(connection: &Connection, rows: &OfRequests<'_>) -> Result<(i64, usize), Failure> {
    let (lead, requests) = rows.lead(connection)?;
    Ok((requests, rows.by_request(&lead).len()))
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
        let left = reader.read(|connection| {
            let narrowed = Narrowed::new(connection, &filter)?;
            let lead = narrowed.lead(connection)?;
            assert!(
                leads::statements(&lead, |except| narrowed.request(except)).is_empty(),
                "{filter:?}"
            );
            left(connection, &OfRequests::changes(&narrowed))
        });
        assert_eq!(left.unwrap(), (0, 0), "{filter:?}");
    }

    // A change to an end that no request has.
    let never = Filter {
        status: patterns(&["CANCEL_COMPLETE"]),
        ..all()
    };
    let left = reader.read(|connection| left(connection, &OfRequests::changes(&Narrowed::new(connection, &never)?)));
    assert_eq!(left.unwrap(), (0, 0));

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
