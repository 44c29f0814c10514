//! The public schema is pinned, old files come along, and no query of the program walks a table.

use std::fmt::Write;
use std::path::Path;

use refinery::Target;
use rusqlite::Connection;
use serde::Serialize;
use serde_json::Value;

use super::asking::Narrowed;
use super::fixtures::{Scene, at, event, rows as rows_of};
use super::rows::{self, Stored};
use super::{
    Filter, History, Reader, announcements, attention, board, digests, editor, following, gaps, learning, open, outbox,
    prune, reader, requests, resource_models, silences, targets, telling, told,
};
use crate::decide::route::Patterns;
use crate::model::rows::{
    AttemptRow, ChangeRow, DeliveryRow, GapRow, HookEventRow, HookRow, IncidentRow, InvocationRow, NoticeRow,
    ProgressEventRow, RequestRow, ResourceModelRow, SilenceRow,
};
use crate::model::{DeliveryState, ProgressEvent, RequestStatus, Timestamp};

/// Every migration's sample rows, for the schema as it stands after that migration. They come on top of those before.
const SAMPLES: [(i32, &str); 5] = [
    (1, include_str!("samples/v1.sql")),
    (2, include_str!("samples/v2.sql")),
    (3, include_str!("samples/v3.sql")),
    (4, include_str!("samples/v4.sql")),
    (5, include_str!("samples/v5.sql")),
];

/// A file at that version, as an older ccwatch would have left it, which lived through every version before.
pub(super) fn sample(path: &Path, version: i32) {
    let mut connection = Connection::open(path).unwrap();
    connection
        .pragma_update(None, "application_id", open::APPLICATION_ID)
        .unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    for (version, rows) in SAMPLES.iter().take_while(|(earlier, _)| *earlier <= version) {
        open::migrations::runner()
            .set_target(Target::Version(*version))
            .set_grouped(true)
            .run(&mut connection)
            .unwrap();
        connection.execute_batch(rows).unwrap();
    }
}

/// A view of the public schema: its name, its columns, and what this program reads of the same rows from the tables.
struct View {
    name: &'static str,
    /// The first version of the schema that has it.
    since: i32,
    columns: &'static str,
    order: &'static str,
    read: fn(&Connection) -> Vec<String>,
}

fn json<R: Stored + Serialize>(connection: &Connection, order: &str) -> Vec<String> {
    let rows = R::all(connection, order, []).unwrap();
    rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect()
}

/// The promise, word for word: names and columns may only be added to, at the end.
const VIEWS: [View; 12] = [
    View {
        name: "v_requests",
        since: 1,
        columns: "target, account_id, region, request_token, hooks_request_token, type_name, identifier, operation, \
                  status, error_code, status_message, started_at, first_seen_at, last_seen_at, finished_at, duration_s, \
                  open, hooks_total, hooks_failed",
        order: "target, request_token",
        read: |connection| json::<RequestRow>(connection, "ORDER BY t.name, r.token"),
    },
    View {
        name: "v_progress_events",
        since: 1,
        columns: "id, target, request_token, observed_at, event_time, status, error_code, status_message, identifier, \
                  retry_after, source",
        order: "id",
        read: |connection| json::<ProgressEventRow>(connection, "ORDER BY e.id"),
    },
    View {
        name: "v_hooks",
        since: 1,
        columns: "target, request_token, hook_type_name, hook_type_version_id, hook_type_arn, invocation_point, \
                  failure_mode, status, status_message, event_time, first_seen_at, finished_at, invocation",
        order: "target, request_token, hook_type_name, invocation",
        read: |connection| json::<HookRow>(connection, "ORDER BY t.name, r.token, h.hook_type_name, h.ordinal"),
    },
    View {
        name: "v_hook_events",
        since: 1,
        columns: "id, target, request_token, hook_type_name, hook_type_arn, invocation_point, observed_at, event_time, \
                  status, status_message, failure_mode, hook_type_version_id, invocation",
        order: "id",
        read: |connection| json::<HookEventRow>(connection, "ORDER BY e.id"),
    },
    View {
        name: "v_changes",
        since: 1,
        columns: "id, at, kind, target, request_token, type_name, identifier, operation, hook_type_name, from_status, \
                  to_status, error_code, message, observed_late, invocation",
        order: "id",
        read: |connection| json::<ChangeRow>(connection, "ORDER BY c.id"),
    },
    View {
        name: "v_deliveries",
        since: 1,
        columns: "id, change_id, receiver, state, attempts, next_attempt_at, sent_at, last_error, notice_id, incident_id, \
                  replayed",
        order: "id",
        read: |connection| json::<DeliveryRow>(connection, "ORDER BY d.id"),
    },
    View {
        name: "v_gaps",
        since: 1,
        columns: "target, from_at, to_at, reason",
        order: "target",
        read: |connection| json::<GapRow>(connection, "ORDER BY t.name"),
    },
    View {
        name: "v_attempts",
        since: 2,
        columns: "id, delivery_id, receiver, number, at, took_ms, outcome, answer_status, answer, error, told_with",
        order: "id",
        read: |connection| json::<AttemptRow>(connection, "ORDER BY a.id"),
    },
    View {
        name: "v_incidents",
        since: 2,
        columns: "id, receiver, target, request_token, type_name, identifier, opened_at, resolved_at",
        order: "id",
        read: |connection| json::<IncidentRow>(connection, "ORDER BY i.id"),
    },
    View {
        name: "v_notices",
        since: 2,
        columns: "id, at, receiver, since, failing, waiting, error",
        order: "id",
        read: |connection| json::<NoticeRow>(connection, "ORDER BY n.id"),
    },
    View {
        name: "v_silences",
        since: 2,
        columns: "id, matchers, starts_at, ends_at, created_at, created_by, reason",
        order: "id",
        read: |connection| json::<SilenceRow>(connection, "ORDER BY s.id"),
    },
    View {
        name: "v_resource_models",
        since: 3,
        columns: "target, request_token, resource_model",
        order: "target, request_token",
        read: |connection| json::<ResourceModelRow>(connection, "ORDER BY t.name, r.token"),
    },
];

#[test]
fn the_views_are_those_that_were_promised() {
    let scene = Scene::new();
    let views = scene.rows("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name");
    let mut promised: Vec<Value> = VIEWS.iter().map(|view| [view.name].as_slice().into()).collect();
    promised.sort_by_key(ToString::to_string);
    assert_eq!(views, Value::from(promised));
    for View { name, columns, .. } in &VIEWS {
        let found = scene.rows(&format!(
            "SELECT group_concat(name, ', ') FROM pragma_table_info('{name}')"
        ));
        assert_eq!(found[0][0], *columns, "{name}");
    }
}

#[test]
fn every_version_with_sample_rows_comes_up_to_date_and_its_rows_read_as_the_views_show_them() {
    assert_eq!(SAMPLES.map(|(version, _)| version).last(), Some(&open::known_version()));
    for (version, _) in SAMPLES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        sample(&path, version);
        drop(History::open(&path).unwrap());

        let connection = open::outside_reader(&path).unwrap().connection;
        assert_eq!(rows_of(&connection, "PRAGMA integrity_check")[0][0], "ok");
        assert_eq!(
            rows_of(&connection, "PRAGMA foreign_key_check")
                .as_array()
                .unwrap()
                .len(),
            0
        );
        for view in &VIEWS {
            let shown = rows_of(
                &connection,
                &format!("SELECT {} FROM {} ORDER BY {}", view.columns, view.name, view.order),
            );
            let shown = shown.as_array().unwrap();
            let read = (view.read)(&connection);
            assert!(
                shown.len() > 1 || version < view.since,
                "the sample of version {version} leaves {} poor",
                view.name
            );
            assert_eq!(shown.len(), read.len(), "{}", view.name);
            for (shown, read) in shown.iter().zip(&read) {
                assert_same_row(view, shown, read);
            }
        }
    }
}

/// The serialized row has the view's columns, in their order, with their values.
fn assert_same_row(view: &View, shown: &Value, read: &str) {
    let fields: serde_json::Map<String, Value> = serde_json::from_str(read).unwrap();
    let mut position = 0;
    for (column, shown) in view.columns.split(", ").zip(shown.as_array().unwrap()) {
        let field = match &fields[column] {
            Value::Bool(yes) => Value::from(i64::from(*yes)),
            other => other.clone(),
        };
        assert_eq!(field, *shown, "{}.{column}", view.name);
        let found = read.find(&format!("\"{column}\":")).unwrap();
        assert!(found >= position, "{}.{column} is out of order in {read}", view.name);
        position = found;
    }
    assert_eq!(fields.len(), view.columns.split(", ").count(), "{}", view.name);
}

/// Once released, a migration is never edited: write another one. (Before the first release, it may be.)
#[test]
fn migrations_are_numbered_without_a_gap_and_each_sets_the_schema_version() {
    let runner = open::migrations::runner();
    let mut migrations = runner.get_migrations().clone();
    migrations.sort();
    for (number, migration) in (1..).zip(&migrations) {
        assert_eq!(migration.version(), number);
        let sql = migration.sql().unwrap();
        assert!(sql.contains(&format!("PRAGMA user_version = {number};")), "{migration}");
    }
}

/// As `docs/history.md` has it.
#[test]
fn a_duration_is_known_where_the_end_lies_after_the_start() {
    let scene = Scene::new();
    let timed = |token: &str, status, second: Option<i64>| ProgressEvent {
        event_time: second.map(at),
        ..event(token, status)
    };
    scene.record(&[
        scene.seen(10, timed("seen-begin-and-end", RequestStatus::InProgress, Some(5))),
        scene.seen(20, timed("seen-begin-and-end", RequestStatus::Success, Some(17))),
        scene.seen(10, timed("open", RequestStatus::InProgress, Some(5))),
        // The service gives one time, which is both.
        scene.seen(20, timed("had-ended-when-first-seen", RequestStatus::Success, Some(17))),
        scene.seen(20, timed("without-times", RequestStatus::Success, None)),
    ]);
    assert_eq!(
        scene.rows(
            "SELECT request_token, started_at IS NULL, finished_at IS NULL, started_at = finished_at, duration_s \
             FROM v_requests ORDER BY 1"
        ),
        serde_json::json!([
            ["had-ended-when-first-seen", 0, 0, 1, null],
            ["open", 0, 1, null, null],
            ["seen-begin-and-end", 0, 0, 0, 12.0],
            ["without-times", 1, 0, null, null],
        ])
    );
}

#[test]
fn a_time_is_shown_to_the_very_millisecond() {
    let scene = Scene::new();
    let mut times: Vec<i64> = vec![
        0,
        -1,
        -999,
        -1000,
        -1001,
        999,
        1001,
        1_795_328_880_999,
        -62_167_219_200_000,
        253_402_207_199_999,
        253_402_300_799_999,
    ];
    // A walk through four centuries in steps that meet every millisecond, second, minute and hour.
    times.extend((0..20_000).map(|step| -6_311_433_600_000 + step * 631_151_999));
    times.extend((0..2_000).map(|step| 1_795_328_880_000 + step));
    let mut insert = String::from("BEGIN; DELETE FROM gaps;");
    for (id, time) in times.iter().enumerate() {
        write!(
            insert,
            "INSERT INTO gaps (id, target_id, from_at, to_at, reason) VALUES ({id}, {}, {time}, {time}, '');",
            scene.target.0
        )
        .unwrap();
    }
    scene.execute(&(insert + "COMMIT;"));
    let shown = scene.rows("SELECT from_at, to_at FROM v_gaps ORDER BY from_at");
    times.sort_unstable();
    let mut written: Vec<String> = times
        .iter()
        .map(|time| Timestamp::from_millis(*time).to_string())
        .collect();
    written.sort();
    for (shown, written) in shown.as_array().unwrap().iter().zip(&written) {
        assert_eq!([&shown[0], &shown[1]], [written.as_str(), written.as_str()]);
    }
}

/// The statements of the outbox and of what fills it.
const TELLING: [&str; 36] = [
    outbox::PUT,
    outbox::DUE,
    outbox::NEXT_ATTEMPT,
    outbox::HURRY,
    outbox::QUIET_UNTIL,
    outbox::THREAD,
    outbox::NOTICE,
    outbox::FORGET_HEALTH,
    announcements::CHANGE,
    announcements::ENDS,
    digests::MEMBERS,
    telling::PENDING_FLUSH,
    telling::LAST_FLUSH,
    telling::OPEN_INCIDENTS,
    telling::OPEN_AGAIN,
    telling::RESOLVE,
    telling::NAME_RESOURCE,
    telling::HELD_UNTIL,
    attention::FIRST_NOTICE,
    silences::ACTIVE,
    silences::END,
    attention::OPEN_FOR_LONG,
    attention::DURATIONS,
    attention::TOLD,
    attention::RECEIVER,
    attention::WAITING,
    attention::LAST_NOTICE,
    editor::BY_ID,
    editor::TRIED_AGAIN,
    editor::NOW,
    told::CHANGES_BETWEEN,
    outbox::SETTLE,
    outbox::MOVE_UP,
    outbox::SKIP,
    outbox::OUTAGE_IS_OVER,
    outbox::SKIP_NO_INCIDENTS,
];

/// The statements of forgetting.
const FORGETTING: [&str; 21] = [
    prune::OLDEST,
    prune::MAY_STILL_GO,
    prune::PROGRESS_EVENTS,
    prune::CHANGES,
    prune::DELIVERIES_OF_CHANGE,
    prune::DELIVERIES_OF_NOTICE,
    prune::ATTEMPTS,
    prune::HOOKS,
    prune::HOOK_EVENTS,
    prune::COUNT_HOOKS,
    prune::MODEL_LENGTH,
    prune::BESIDES[0],
    prune::BESIDES[1],
    prune::BESIDES[2],
    prune::OLD_NOTICES,
    prune::IS_OLD_NOTICE,
    prune::OLD_INCIDENTS,
    prune::PRUNE_INCIDENT,
    prune::OLD_SILENCES,
    prune::PRUNE_SILENCE,
    prune::FORGET_GROUPS,
];

#[test]
fn no_query_of_the_program_walks_a_table() {
    let scene = Scene::new();
    let by_token = |sql: String| sql + "\n" + reader::BY_TOKEN;
    let mut statements: Vec<String> = vec![
        targets::TARGET_BY_ACCOUNT.into(),
        targets::TARGET_BY_NAME.into(),
        following::ATTENDANCE.into(),
        following::HOLDER.into(),
        following::RETRY_AFTER.into(),
        requests::STANDING.into(),
        targets::TARGET_BY_ID.into(),
        gaps::CLOSE_GAP.into(),
        requests::REQUEST.into(),
        requests::RESOURCE_MODEL.into(),
        requests::HOOKS.into(),
        requests::STANDINGS.into(),
        requests::SEEN_AGAIN.into(),
        requests::UPDATE_REQUEST.into(),
        requests::OPEN_BUT_UNSEEN.into(),
        requests::UPDATE_HOOK.into(),
        resource_models::NEXT.into(),
        resource_models::MASK.into(),
        RequestRow::sql(rows::REQUEST_BY_ID),
        HookRow::sql(rows::HOOK_BY_ID),
        InvocationRow::sql(rows::HOOK_BY_ID),
        reader::TOKENS.into(),
        by_token(RequestRow::sql("")),
        by_token(ProgressEventRow::sql("")),
        by_token(HookRow::sql("")),
        by_token(HookEventRow::sql("")),
        by_token(ChangeRow::sql("")),
        DeliveryRow::sql(&reader::deliveries_of_request()),
        GapRow::sql(reader::GAPS_OF),
        "SELECT * FROM v_requests WHERE request_token = 'x'".into(),
        "SELECT * FROM v_changes WHERE id > 7".into(),
        "SELECT * FROM v_requests WHERE started_at >= '2026-11-22' ORDER BY started_at DESC".into(),
    ];
    statements.extend(TELLING.map(str::to_owned));
    statements.extend(FORGETTING.map(str::to_owned));
    statements.extend(prune::reading_ahead::READ_AHEAD.iter().cloned());
    statements.push(prune::reading_ahead::HOW_MANY.into());
    for sql in &statements {
        for step in plan(&scene, sql) {
            assert!(!step.starts_with("SCAN"), "{step}\n{sql}");
        }
    }

    // This walks an index that holds nothing but what waits.
    let sql = outbox::PENDING_RECEIVERS;
    assert_eq!(
        plan(&scene, sql),
        ["SCAN deliveries USING COVERING INDEX deliveries_in_line"]
    );
}

#[test]
fn what_was_told_is_found_by_an_index_or_from_the_newest_on() {
    let scene = Scene::new();
    for sql in [
        ChangeRow::sql(told::CHANGE_BY_ID),
        NoticeRow::sql(told::NOTICE_BY_ID),
        DeliveryRow::sql(told::DELIVERY_BY_ID),
        AttemptRow::sql(told::ATTEMPTS_AT),
        SilenceRow::sql(told::SILENCES_LEFT),
    ] {
        for step in plan(&scene, &sql) {
            assert!(!step.starts_with("SCAN"), "{step}\n{sql}");
        }
    }
    let deliveries = |state| {
        let filter = told::DeliveryFilter {
            state,
            receiver: Some("team".into()),
            since: Some(Timestamp::from_millis(0)),
            limit: Some(50),
        };
        DeliveryRow::sql(&told::deliveries_where(&filter).0)
    };
    for (sql, walks) in [
        (SilenceRow::sql(told::EVERY_SILENCE), "SCAN s"),
        (deliveries(None), "SCAN d"),
        (deliveries(Some(DeliveryState::Sent)), "SCAN d"),
        (
            deliveries(Some(DeliveryState::Dead)),
            "SCAN d USING INDEX deliveries_dead",
        ),
        (editor::DEAD.into(), "SCAN deliveries USING INDEX deliveries_dead"),
    ] {
        assert_eq!(plan(&scene, &sql), [walks], "{sql}");
    }
}

fn plan(scene: &Scene, sql: &str) -> Vec<String> {
    let steps = scene.rows(&format!("EXPLAIN QUERY PLAN {sql}"));
    let steps = steps.as_array().unwrap().iter();
    steps.map(|step| step[3].as_str().unwrap().to_owned()).collect()
}

/// What is read again whenever something changed: the whole of what it walks is named here.
#[test]
fn the_board_walks_no_more_than_is_open_and_the_newest_of_each_list() {
    let scene = Scene::new();
    // Neither is a table: the receivers that have something waiting, and what a LIMIT let through.
    let is_of_rows_found = |step: &String| step == "SCAN w" || step.starts_with("SCAN (");
    let walks = |sql: &str| -> Vec<String> {
        let scans = plan(&scene, sql).into_iter().filter(|step| step.starts_with("SCAN"));
        scans.filter(|step| !is_of_rows_found(step)).collect()
    };
    for (sql, scans) in [
        (
            board::OPEN.to_owned(),
            vec!["SCAN r USING INDEX requests_open_by_start"],
        ),
        (InvocationRow::sql(board::RUNNING_HOOKS), vec![]),
        (
            RequestRow::sql(board::FAILURES),
            vec!["SCAN requests USING COVERING INDEX requests_failed_by_end"],
        ),
        (
            InvocationRow::sql(board::WARNINGS),
            vec!["SCAN hooks USING INDEX hooks_warned_by_time"],
        ),
        (
            board::TARGETS.to_owned(),
            vec!["SCAN t USING INDEX sqlite_autoindex_targets_1"],
        ),
        (board::WAITING.to_owned(), vec![]),
        (
            board::BRIEF.to_owned(),
            vec![
                "SCAN CONSTANT ROW",
                "SCAN requests USING COVERING INDEX requests_open_by_start",
                "SCAN deliveries USING COVERING INDEX deliveries_in_line",
            ],
        ),
        (
            board::DEAD.to_owned(),
            vec!["SCAN deliveries USING INDEX deliveries_dead"],
        ),
        (board::FAILING.to_owned(), vec!["SCAN receivers"]),
        // What is usual is read from the index alone.
        (attention::DURATIONS.to_owned(), vec![]),
    ] {
        assert_eq!(walks(&sql), scans, "{:?}\n{sql}", plan(&scene, &sql));
    }
    assert!(plan(&scene, attention::DURATIONS)[0].contains("COVERING INDEX requests_durations"));
    for (sql, order) in [(board::OPEN, "what is open"), (board::DEAD, "what was given up")] {
        let sorts = plan(&scene, sql).iter().any(|step| step.contains("FOR ORDER BY"));
        assert!(!sorts, "{order} is sorted");
    }
}

#[test]
fn statistics_read_what_began_in_a_span_by_the_index_of_its_beginning() {
    let scene = Scene::new();
    let filter = Filter {
        since: Some(Timestamp::from_millis(0)),
        until: Some(Timestamp::from_millis(1)),
        identifier: Some(Patterns::new(["*a*"])),
        target: Some(Patterns::new(["prod"])),
        open: true,
        ..Filter::default()
    };
    let reader = Reader::open(&scene.path()).unwrap();
    let statements = reader.read(|connection| {
        let narrowed = Narrowed::new(connection, &filter)?;
        let (requests, _) = learning::requests_of(&narrowed);
        let (hooks, _) = learning::hooks_of(&narrowed);
        let (open, _) = learning::open_of(&narrowed, 9);
        Ok([requests, hooks, open])
    });
    let [requests, hooks, open] = statements.unwrap();
    for (sql, steps) in [
        (
            requests.as_str(),
            &[
                "SEARCH r USING INDEX requests_by_start (<expr>>? AND <expr><?)",
                "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
            ][..],
        ),
        (
            &hooks,
            &[
                "SEARCH h USING INDEX hooks_by_time (first_seen_at>? AND first_seen_at<?)",
                "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)",
                "CORRELATED SCALAR SUBQUERY 1",
                "SEARCH e USING INDEX hook_events_by_hook (hook_id=?)",
            ],
        ),
        // The open ones alone.
        (&open, &["SCAN r USING INDEX requests_open_by_start"]),
        (
            learning::FIRST_REQUEST,
            &["SCAN requests USING COVERING INDEX requests_by_start"],
        ),
        (learning::FIRST_HOOK, &["SCAN hooks USING COVERING INDEX hooks_by_time"]),
        (
            learning::COUNT_RECENT,
            &["SEARCH requests USING COVERING INDEX requests_by_start (<expr>>?)"],
        ),
        (learning::FIRST_ENDED, &["SCAN requests USING INDEX requests_ended"]),
        (
            learning::COUNT_BEFORE,
            &["SEARCH requests USING COVERING INDEX requests_by_start (<expr><?)"],
        ),
    ] {
        assert_eq!(plan(&scene, sql), steps, "{sql}");
    }
    // The one that walks all, in an index that SQLite chooses by what it guesses of their sizes.
    let counted = plan(&scene, learning::COUNT_REQUESTS);
    assert!(
        counted[0].starts_with("SCAN requests USING COVERING INDEX "),
        "{counted:?}"
    );
    for sql in [learning::FIRST_EVENT, learning::LAST_EVENT, learning::HAS_EVENT] {
        for step in plan(&scene, sql) {
            assert!(
                step.contains("SEARCH progress_events") || step.starts_with("SCA") && !step.contains("progress_events"),
                "{step}\n{sql}"
            );
        }
    }
}
