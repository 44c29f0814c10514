//! The history under the tools that people read it with, by `tests/readers/read.py`: Python's sqlite3, pandas, DuckDB and
//! datasette, while this process writes as a daemon does.
//!
//! `CCWATCH_PYTHON` names a Python that has them (`pip install datasette pandas duckdb-extension-sqlite-scanner`, which brings
//! the DuckDB that it is for). Without it there is nothing to try, and the test says so.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "cookbook/questions.rs"]
#[allow(dead_code, reason = "remarks are shown by another test")]
mod questions;

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ccwatch::clock::Clock;
use ccwatch::decide::routing::Routing;
use ccwatch::history::History;
use ccwatch::model::{
    ProgressEvent, RequestKey, RequestStatus, RequestToken, Seen, Sighting, Source, TargetId, Timestamp,
};
use questions::{HISTORY, Question};
use serde_json::{Value, json};

/// What a question's parameters are given.
fn parameters(question: &Question, failed: &str) -> Value {
    let mut parameters = serde_json::Map::new();
    for (name, value) in [("request_token", json!(failed)), ("after", json!(900))] {
        if question.sql.contains(&format!(":{name}")) {
            parameters.insert(name.to_owned(), value);
        }
    }
    parameters.into()
}

fn began(number: u32, at: Timestamp) -> Sighting {
    let token = RequestToken::new(format!("new-{number}"));
    let event = ProgressEvent {
        status: Some(RequestStatus::InProgress),
        event_time: Some(at),
        ..ProgressEvent::of(token.clone())
    };
    Sighting {
        // The first target of the questions' history.
        key: RequestKey {
            target: TargetId(1),
            token,
        },
        seen_at: at,
        source: Source::List,
        seen: Seen::Event(Box::new(event), None),
    }
}

#[test]
fn sqlite3_pandas_duckdb_and_datasette_read_what_a_daemon_writes() {
    let Some(python) = std::env::var_os("CCWATCH_PYTHON") else {
        eprintln!("skipped: CCWATCH_PYTHON names no Python with datasette, pandas and duckdb");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let history = History::open(&path).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(&format!("BEGIN; {HISTORY} COMMIT;")).unwrap();
    let failed = "SELECT request_token FROM v_requests WHERE status = 'FAILED'";
    let failed: String = connection.query_row(failed, [], |row| row.get(0)).unwrap();
    let questions: Vec<Value> = Question::all()
        .iter()
        .map(|question| {
            json!({
                "title": question.title, "slug": question.slug(), "sql": question.sql,
                "parameters": parameters(question, &failed),
            })
        })
        .collect();
    let questions = serde_json::to_vec(&questions).unwrap();

    let root = env!("CARGO_MANIFEST_DIR");
    let mut reading = Command::new(python)
        .arg("-B")
        .arg(format!("{root}/tests/readers/read.py"))
        .arg(&path)
        .arg(format!("{root}/config/datasette.yaml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let is_over = AtomicBool::new(false);
    let (asked, driven) = std::thread::scope(|scope| {
        scope.spawn(|| {
            let clock = Clock::system();
            let mut number = 0;
            while !is_over.load(Ordering::Relaxed) {
                number += 1;
                let sightings = [began(number, clock.now())];
                history.write(|tx| tx.record(&sightings, &Routing::default())).unwrap();
                std::thread::park_timeout(Duration::from_millis(20));
            }
        });
        // One that ends at once does not read its questions: what it says tells more than the broken pipe.
        let asked = reading.stdin.take().map(|mut stdin| stdin.write_all(&questions));
        let driven = reading.wait_with_output();
        is_over.store(true, Ordering::Relaxed);
        (asked, driven)
    });
    let driven = driven.unwrap();
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&driven.stdout),
        String::from_utf8_lossy(&driven.stderr)
    );
    assert!(driven.status.success(), "{told}");
    asked.unwrap().unwrap();
    eprint!("{told}");
    let check: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}
