//! docs/history.md and config/datasette.yaml say what is: the views are the program's, and each of the twenty questions has an
//! answer in `ccwatch sql` and in the sqlite3 of this machine, which is often years older.
//!
//! What is written from the program is written anew by `CCWATCH_WRITE_DOCS=1`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

#[path = "cookbook/questions.rs"]
mod questions;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ccwatch::history::{History, VIEWS};
use questions::{HISTORY, Question};
use serde_json::Value;
use tempfile::TempDir;

/// What each question is answered with.
const COLUMNS: [(&str, &str); 20] = [
    (
        "Which hooks in WARN mode would have blocked?",
        "hook_type_name, target, would_have_blocked, requests, last_seen_at",
    ),
    (
        "Which types are the slowest?",
        "type_name, operation, requests, p50_s, p99_s",
    ),
    (
        "What failed this week, and why?",
        "started_at, target, operation, type_name, identifier, error_code, status_message, request_token",
    ),
    (
        "Who was told of a request, and when?",
        "at, kind, to_status, receiver, state, sent_at, attempts, last_error",
    ),
    (
        "Which requests overlapped on one resource?",
        "target, type_name, identifier, first, second, second_began_at, first_ended_at, first_status, second_status",
    ),
    (
        "What share of the requests fails, week by week?",
        "week, ended, failed, failed_percent",
    ),
    (
        "How long do hooks take?",
        "hook_type_name, invocation_point, invocations, mean_s, longest_s",
    ),
    (
        "When did ccwatch not look, and what was seen late?",
        "target, from_at, to_at, reason, seen_late_within_an_hour",
    ),
    (
        "What is stuck now?",
        "target, type_name, operation, identifier, request_token, started_at, told, last_told_at",
    ),
    (
        "What has been open for the longest?",
        "target, type_name, operation, identifier, status, started_at, hours, request_token",
    ),
    (
        "Are requests becoming slower, month over month?",
        "type_name, operation, month, requests, mean_s, change_percent",
    ),
    (
        "How long did it take to recover from a failure?",
        "target, type_name, identifier, failures, failed_at, recovered_at, minutes",
    ),
    (
        "What is flapping?",
        "target, type_name, identifier, turns, requests, last_ended_at",
    ),
    ("Which are the busiest hours?", "hour_utc, requests, failed"),
    (
        "What could not be told, and to whom?",
        "receiver, last_error, dead, last_id, last_change_at",
    ),
    ("When does AWS throttle?", "hour_utc, target, throttled, types"),
    (
        "Which versions of a hook judge differently?",
        "hook_type_name, hook_type_version_id, first_seen_at, invocations, failed_percent, points_more",
    ),
    (
        "Which open requests will AWS forget soon?",
        "target, type_name, operation, identifier, status, started_at, hours_left, request_token",
    ),
    (
        "What did a resource look like before an update failed?",
        "target, type_name, identifier, failed_request, error_code, last_success, resource_model",
    ),
    (
        "What is new since I last asked?",
        "id, at, kind, target, request_token, type_name, identifier, hook_type_name, from_status, to_status, message",
    ),
];

fn history() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    drop(History::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(&format!("BEGIN; {HISTORY} COMMIT;")).unwrap();
    folder
}

/// A value for each parameter that a question has.
fn parameters(path: &Path) -> [(&'static str, String); 2] {
    let connection = rusqlite::Connection::open(path).unwrap();
    let token = "SELECT request_token FROM v_requests WHERE status = 'FAILED'";
    let token = connection.query_row(token, [], |row| row.get(0)).unwrap();
    [("request_token", token), ("after", "900".to_owned())]
}

fn rows(output: &Output, question: &Question) -> Vec<Value> {
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {talk}", question.title);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}: {talk}", question.title))
}

#[test]
fn each_question_has_an_answer_with_its_columns() {
    let folder = history();
    let path = folder.path().join("history.db");
    let parameters = parameters(&path);
    let questions = Question::all();
    let titles: Vec<&str> = questions.iter().map(|question| question.title.as_str()).collect();
    assert_eq!(titles, COLUMNS.map(|(title, _)| title));
    for (question, (_, columns)) in questions.iter().zip(COLUMNS) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
        command
            .args(["sql", "--format", "json", "--history"])
            .arg(&path)
            .arg(&question.sql);
        for (name, value) in &parameters {
            if question.sql.contains(&format!(":{name}")) {
                command.arg("--param").arg(format!("{name}={value}"));
            }
        }
        let rows = rows(&command.output().unwrap(), question);
        let first = rows.first().unwrap_or_else(|| panic!("{}: no rows", question.title));
        let mut found: Vec<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected: Vec<&str> = columns.split(", ").collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{}", question.title);
    }
}

#[test]
fn two_invocations_of_one_hook_take_each_its_own_time() {
    let folder = history();
    let questions = Question::all();
    let question = questions
        .iter()
        .find(|question| question.title == "How long do hooks take?")
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ccwatch"))
        .args(["sql", "--format", "json", &question.sql, "--history"])
        .arg(folder.path().join("history.db"))
        .output()
        .unwrap();
    let rows = rows(&output, question);
    let twins = rows.iter().find(|row| row["hook_type_name"] == "Acme::Guard::Twins");
    let expected = serde_json::json!({
        "hook_type_name": "Acme::Guard::Twins",
        "invocation_point": "PRE_PROVISION",
        "invocations": 2,
        "mean_s": 6.0,
        "longest_s": 8.0,
    });
    assert_eq!(twins, Some(&expected));
}

/// What depends on the time of asking is left out: ages, and what is left of a time.
#[test]
fn an_older_sqlite_gives_the_same_answers() {
    if Command::new("sqlite3").arg("--version").output().is_err() {
        eprintln!("skipped: there is no sqlite3 on this machine");
        return;
    }
    let folder = history();
    let path = folder.path().join("history.db");
    let parameters = parameters(&path);
    for question in Question::all() {
        let mut sql = question.sql.clone();
        for (name, value) in &parameters {
            sql = sql.replace(&format!(":{name}"), &format!("'{value}'"));
        }
        // A text is never greater than a number, so a parameter that is one stays one.
        let sql = sql.replace("'900'", "900");
        let ours = Command::new(env!("CARGO_BIN_EXE_ccwatch"))
            .args(["sql", "--format", "json", "--history"])
            .arg(&path)
            .arg(&sql)
            .output()
            .unwrap();
        let theirs = Command::new("sqlite3")
            .args(["-readonly", "-json"])
            .arg(&path)
            .arg(&sql)
            .output()
            .unwrap();
        let timeless = |output| {
            let mut rows = rows(&output, &question);
            for row in &mut rows {
                row.as_object_mut()
                    .unwrap()
                    .retain(|name, _| !name.starts_with("hours"));
            }
            rows
        };
        assert_eq!(timeless(theirs), timeless(ours), "{}", question.title);
    }
}

/// A file that is written from the program, or a part of it.
fn holds(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("CCWATCH_WRITE_DOCS").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(
        found == expected,
        "{} is not what the program says; write it anew with CCWATCH_WRITE_DOCS=1",
        path.display()
    );
}

#[test]
fn the_documentation_describes_the_views_as_the_program_does() {
    const BEGIN: &str = "<!-- views: as `ccwatch sql --schema` has them, which a test holds -->\n";
    const END: &str = "<!-- end of views -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/history.md");
    let text = fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let mut views = String::new();
    for view in VIEWS {
        write!(
            views,
            "\n### {}\n\n{}\n\n| column | what it says |\n|---|---|\n",
            view.name, view.about
        )
        .unwrap();
        for column in view.columns {
            writeln!(views, "| `{}` | {} |", column.name, column.about).unwrap();
        }
    }
    holds("docs/history.md", &format!("{before}{BEGIN}{views}\n{END}{after}"));
}

/// By what a view is sorted, newest first, and what it may be narrowed down by.
const PAGES: [(&str, &str, &str); 12] = [
    (
        "v_requests",
        "started_at",
        "status, type_name, operation, target, error_code",
    ),
    (
        "v_hooks",
        "first_seen_at",
        "hook_type_name, status, failure_mode, target",
    ),
    ("v_changes", "id", "kind, to_status, target, type_name"),
    ("v_progress_events", "id", "status, source"),
    ("v_hook_events", "id", "hook_type_name, status"),
    ("v_deliveries", "id", "receiver, state"),
    ("v_attempts", "id", "receiver, outcome, answer_status"),
    ("v_gaps", "from_at", "target"),
    ("v_incidents", "id", "receiver, type_name"),
    ("v_notices", "id", "receiver"),
    ("v_silences", "id", "created_by"),
    ("v_resource_models", "request_token", ""),
];

#[test]
fn datasette_shows_the_views_and_the_questions() {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/datasette.yaml");
    let text = fs::read_to_string(path).unwrap();
    let (head, _) = text.split_once("    tables:\n").unwrap();
    let mut yaml = format!("{head}    tables:\n");
    for (view, (name, sort, facets)) in VIEWS.iter().zip(PAGES) {
        assert_eq!(view.name, name);
        for column in facets.split(", ").chain([sort]).filter(|column| !column.is_empty()) {
            assert!(view.columns.iter().any(|known| known.name == column), "{name}.{column}");
        }
        write!(
            yaml,
            "      {name}:\n        description: {}\n        sort_desc: {sort}\n",
            quoted(view.about)
        )
        .unwrap();
        if !facets.is_empty() {
            writeln!(yaml, "        facets: [{facets}]").unwrap();
        }
        yaml.push_str("        columns:\n");
        for column in view.columns {
            writeln!(yaml, "          {}: {}", column.name, quoted(column.about)).unwrap();
        }
    }
    // The tables under the views are the program's own.
    let folder = history();
    let connection = rusqlite::Connection::open(folder.path().join("history.db")).unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut tables = connection.prepare(tables).unwrap();
    for table in tables.query_map([], |row| row.get::<_, String>(0)).unwrap() {
        writeln!(yaml, "      {}:\n        hidden: true", table.unwrap()).unwrap();
    }
    yaml.push_str("    queries:\n");
    for question in Question::all() {
        writeln!(
            yaml,
            "      {}:\n        title: {}",
            question.slug(),
            quoted(&question.title)
        )
        .unwrap();
        if let Some(remark) = &question.remark {
            writeln!(yaml, "        description: {}", quoted(remark)).unwrap();
        }
        yaml.push_str("        sql: |-\n");
        for line in question.sql.lines() {
            writeln!(yaml, "          {line}").unwrap();
        }
    }
    holds("config/datasette.yaml", &yaml);
}
