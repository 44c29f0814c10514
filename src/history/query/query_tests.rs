use std::fmt::Write;

use rusqlite::hooks::AuthAction;

use super::super::fixtures::{Scene, event};
use super::super::public_schema::VIEWS;
use super::*;
use crate::model::RequestStatus;

const MEMORY: u64 = 512 * 1024 * 1024;

fn scene() -> Scene {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("token", RequestStatus::Pending))]);
    scene
}

fn reader(scene: &Scene) -> SqlReader {
    SqlReader::open(&scene.path(), MEMORY).unwrap()
}

/// Every value as it would be debugged.
fn asked(reader: &SqlReader, sql: &str) -> Result<Vec<String>, SqlError> {
    let mut answer = reader.ask(sql, &[])?;
    let mut all = Vec::new();
    let outcome = answer.each_row(|values| {
        all.push(format!("{values:?}"));
        Ok::<_, ()>(Wanted::More)
    })?;
    outcome.unwrap();
    Ok(all)
}

#[test]
fn what_reads_is_answered() {
    let scene = scene();
    let reader = reader(&scene);
    for sql in [
        "SELECT * FROM v_requests",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3) SELECT i FROM n;",
        "SELECT 1; -- and no more",
        "VALUES (1), (2)",
        "EXPLAIN QUERY PLAN SELECT * FROM v_changes WHERE id > 7",
        "PRAGMA table_info(v_requests)",
        "pragma USER_VERSION",
        "SELECT name FROM pragma_table_info('v_requests')",
        "SELECT value FROM json_each('[1, 2]')",
        "SELECT unixepoch(first_seen_at), row_number() OVER (ORDER BY started_at) FROM v_requests",
    ] {
        assert!(!asked(&reader, sql).unwrap().is_empty(), "{sql}");
    }
    for view in VIEWS {
        asked(&reader, &format!("SELECT * FROM {}", view.name)).unwrap();
    }
}

#[test]
fn what_does_not_only_read_is_refused_by_name() {
    let scene = scene();
    let before = scene.rows("SELECT name, sql FROM sqlite_schema ORDER BY 1");
    let reader = reader(&scene);
    for (sql, refused) in [
        ("DELETE FROM requests", "DELETE"),
        ("UPDATE requests SET status = 'x'", "UPDATE"),
        ("INSERT INTO gaps DEFAULT VALUES RETURNING id", "INSERT"),
        ("WITH x AS (SELECT 1) DELETE FROM requests", "DELETE"),
        ("EXPLAIN DELETE FROM requests", "DELETE"),
        // SQLite finds fault with these before it asks whether they may be.
        ("DELETE FROM v_hooks", "DELETE"),
        ("/* so */ -- it is\n update v_hooks SET status = 'x'", "UPDATE"),
        ("INSERT INTO nothing VALUES (1)", "INSERT"),
        ("CREATE INDEX x ON v_hooks (status)", "a change of the schema"),
        ("ALTER TABLE v_hooks ADD COLUMN x", "a change of the schema"),
        ("WITH x AS (SELECT 1) DELETE FROM v_hooks", "a change of v_hooks"),
        ("EXPLAIN UPDATE v_gaps SET reason = 'x'", "a change of v_gaps"),
        ("DELETE requests", "DELETE"),
        ("CREATE TABLE x (a)", "a change of the schema"),
        ("CREATE TEMP TABLE x (a)", "a change of the schema"),
        ("CREATE VIRTUAL TABLE x USING fts5(a)", "a change of the schema"),
        ("DROP VIEW v_requests", "a change of the schema"),
        ("ALTER TABLE requests ADD COLUMN x", "a change of the schema"),
        ("ATTACH ':memory:' AS x", "ATTACH"),
        ("DETACH main", "DETACH"),
        ("VACUUM", "this statement"),
        ("VACUUM INTO 'copy.db'", "this statement"),
        ("ANALYZE", "ANALYZE"),
        ("REINDEX", "REINDEX"),
        ("BEGIN IMMEDIATE", "BEGIN"),
        ("COMMIT", "COMMIT or ROLLBACK"),
        ("SAVEPOINT x", "SAVEPOINT"),
        ("PRAGMA query_only = 0", "PRAGMA query_only with a value"),
        ("PRAGMA user_version = 9", "PRAGMA user_version with a value"),
        ("PRAGMA writable_schema = 1", "PRAGMA writable_schema with a value"),
        ("PRAGMA journal_mode = delete", "PRAGMA journal_mode with a value"),
        ("PRAGMA hard_heap_limit = 0", "PRAGMA hard_heap_limit with a value"),
        (
            "PRAGMA temp_store_directory = '/tmp'",
            "PRAGMA temp_store_directory with a value",
        ),
        ("PRAGMA wal_checkpoint", "PRAGMA wal_checkpoint"),
        ("PRAGMA optimize", "PRAGMA optimize"),
        ("SELECT load_extension('x')", "the function load_extension"),
        ("SELECT fts3_tokenizer('x')", "the function fts3_tokenizer"),
    ] {
        let error = asked(&reader, sql).unwrap_err();
        assert!(matches!(error, SqlError::Statement { .. }), "{sql}: {error}");
        assert!(
            error.to_string().starts_with(&format!("{refused} is refused")),
            "{sql}: {error}"
        );
    }
    assert_eq!(scene.rows("SELECT name, sql FROM sqlite_schema ORDER BY 1"), before);
    // The refusals of before do not stick to what comes after.
    assert_eq!(asked(&reader, "SELECT 1").unwrap().len(), 1);
    assert!(
        asked(&reader, "SELECT x")
            .unwrap_err()
            .to_string()
            .starts_with("no such column: x")
    );
}

#[test]
fn what_is_not_on_the_list_is_denied() {
    let unknown = AuthAction::Unknown {
        code: 99,
        arg1: None,
        arg2: None,
    };
    assert!(permission::denied(&unknown).is_some());
    let tomorrow = AuthAction::Pragma {
        pragma_name: "of_tomorrow",
        pragma_value: None,
    };
    assert!(permission::denied(&tomorrow).is_some());
}

/// The authorizer is one wall of three.
#[test]
fn without_the_authorizer_nothing_is_written_either() {
    let scene = scene();
    let mut reader = reader(&scene);
    reader
        .connection
        .authorizer(None::<fn(AuthContext<'_>) -> Authorization>)
        .unwrap();
    for sql in ["DELETE FROM requests", "CREATE TABLE x (a)", "VACUUM"] {
        let error = asked(&reader, sql).unwrap_err().to_string();
        assert!(error.starts_with("this statement is refused"), "{error}");
    }
    let written = reader.connection.execute("DELETE FROM requests", []);
    assert_eq!(
        written.unwrap_err().sqlite_error_code(),
        Some(rusqlite::ErrorCode::ReadOnly)
    );
}

#[test]
fn one_statement_is_asked_and_no_more_and_no_less() {
    let scene = scene();
    let reader = reader(&scene);
    for (sql, says) in [
        ("", "there is no statement"),
        (" ; ", "there is no statement"),
        ("-- nothing\n/* to ask */", "there is no statement"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("SELECT 1;; SELECT 2", "more than one statement"),
        ("SELECT 1; DELETE FROM requests", "DELETE is refused"),
        ("SELECT 1\0; DELETE FROM requests", "a NUL character"),
        ("SELECT", "incomplete input"),
    ] {
        let error = asked(&reader, sql).unwrap_err();
        assert!(matches!(error, SqlError::Statement { .. }), "{error:?}");
        assert!(error.to_string().contains(says), "{sql}: {error}");
    }
    let long = format!("SELECT 1 --{}", "x".repeat(LONGEST_STATEMENT));
    assert!(
        asked(&reader, &long)
            .unwrap_err()
            .to_string()
            .contains("longer than 1 MiB")
    );
}

#[test]
fn what_is_absurd_is_refused_before_it_costs_anything() {
    let scene = scene();
    let reader = reader(&scene);
    for sql in [
        "SELECT zeroblob(1000000000)",
        "SELECT randomblob(100000000)",
        "SELECT printf('%.*c', 1000000000, 'x')",
        "SELECT replace(printf('%.*c', 1000000, 'x'), 'x', printf('%.*c', 1000, 'y'))",
    ] {
        let error = asked(&reader, sql).unwrap_err();
        assert!(matches!(error, SqlError::LongValue), "{sql}: {error:?}");
    }
    let mut deep = "1".to_owned();
    let mut wide = "SELECT 1".to_owned();
    for _ in 0..300 {
        deep = format!("({deep} + 1)");
        wide.push_str(" UNION ALL SELECT 1");
    }
    for (sql, says) in [
        (format!("SELECT {deep}"), "Expression tree is too large"),
        (wide, "too many terms in compound SELECT"),
        (
            format!("SELECT 'x' LIKE '{}'", "%a".repeat(1000)),
            "pattern too complex",
        ),
    ] {
        let error = asked(&reader, &sql).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn an_error_says_where_it_is_and_what_was_meant() {
    let scene = scene();
    let reader = reader(&scene);
    let told = |sql: &str| asked(&reader, sql).unwrap_err().to_string();
    assert_eq!(
        told("SELECT statsu FROM v_requests"),
        "no such column: statsu\n  SELECT statsu FROM v_requests\n         ^\ndid you mean status?"
    );
    assert_eq!(
        told("SELECT wonder FROM v_gaps"),
        "no such column: wonder\n  SELECT wonder FROM v_gaps\n         ^\nv_gaps has target, from_at, to_at, reason"
    );
    assert_eq!(
        told("SELECT 'größe',\n  status FRM v_requests"),
        "near \"v_requests\": syntax error\nline 2:   status FRM v_requests\n                     ^"
    );
    assert_eq!(
        told("SELECT * FROM request"),
        "no such table: request\ndid you mean v_requests? `ccwatch sql --schema` lists all"
    );
    assert!(told("SELECT * FROM main.wonderland").contains("the views are v_requests, v_hooks"));
    let mut long = "SELECT 'x'".to_owned();
    for _ in 0..100 {
        write!(long, ", 'x'").unwrap();
    }
    let shown = told(&format!("{long}, wonder\u{1b}[31m, 'x'"));
    assert!(shown.lines().all(|line| line.chars().count() < 140), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn an_error_while_it_runs_is_no_error_of_the_file() {
    let scene = scene();
    let error = asked(&reader(&scene), "SELECT abs(-9223372036854775808)").unwrap_err();
    assert_eq!(error.to_string(), "while the statement ran: integer overflow");
}

#[test]
fn parameters_are_numbers_where_they_are_spelled_as_such() {
    let scene = scene();
    let reader = reader(&scene);
    let given = |sql: &str, parameters: &[(&str, &str)]| {
        let parameters: Vec<_> = parameters
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut answer = reader.ask(sql, &parameters)?;
        let mut shown = String::new();
        answer
            .each_row(|values| {
                shown = format!("{values:?}");
                Ok::<_, ()>(Wanted::NoMore)
            })?
            .unwrap();
        Ok::<_, SqlError>(shown)
    };
    for (value, kind) in [
        ("7", "integer"),
        ("-0.5", "real"),
        ("0012", "text"),
        ("1e5", "text"),
        ("", "text"),
        ("nan", "text"),
    ] {
        let shown = given(
            "SELECT typeof(:a) = :kind AND $kind = @kind",
            &[("a", value), ("kind", kind)],
        )
        .unwrap();
        assert_eq!(shown, "[Integer(1)]", "{value}");
    }
    let error = |sql: &str, parameters: &[(&str, &str)]| given(sql, parameters).unwrap_err().to_string();
    assert_eq!(
        error("SELECT :a", &[]),
        "the statement's parameter :a has no value\ngive it one by --param a=VALUE"
    );
    assert!(error("SELECT ?", &[]).contains("name it, as in :name"));
    assert_eq!(error("SELECT 1", &[("a", "1")]), "the statement has no parameter :a");
    let twice = error("SELECT :a", &[("a", "1"), ("a", "2")]);
    assert_eq!(twice, "the statement's parameter :a has several values");
}

#[test]
fn another_thread_can_stop_it() {
    let scene = scene();
    let reader = reader(&scene);
    let stopper = reader.stopper();
    let mut answer = reader
        .ask(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
            &[],
        )
        .unwrap();
    let mut rows = 0_u32;
    let error = answer
        .each_row(|_| {
            rows += 1;
            if rows == 1000 {
                std::thread::scope(|scope| scope.spawn(|| stopper.stop()).join().unwrap());
            }
            Ok::<_, ()>(Wanted::More)
        })
        .unwrap_err();
    assert!(matches!(error, SqlError::Stopped), "{error:?}");
    drop(answer);
    assert_eq!(asked(&reader, "SELECT 1").unwrap().len(), 1);
}

#[test]
fn the_words_for_people_name_every_view_and_column() {
    let scene = Scene::new();
    let names: Vec<_> = VIEWS.iter().map(|view| view.name).collect();
    let views = scene.rows("SELECT name FROM sqlite_schema WHERE type = 'view'");
    assert_eq!(views.as_array().unwrap().len(), names.len());
    for view in VIEWS {
        let columns: Vec<_> = view.columns.iter().map(|column| vec![column.name]).collect();
        let found = scene.rows(&format!("SELECT name FROM pragma_table_info('{}')", view.name));
        assert_eq!(found, serde_json::json!(columns), "{}", view.name);
        for about in view.columns.iter().map(|column| column.about).chain([view.about]) {
            assert!(about.ends_with('.') || about.ends_with(": the feed."), "{about}");
        }
    }
}
