//! `ccwatch sql`: what it answers, what it refuses, and that neither changes a byte of the history.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ccwatch::decide::routing::Routing;
use ccwatch::history::History;
use ccwatch::model::{
    ProgressEvent, Region, RequestKey, RequestStatus, RequestToken, Seen, Sighting, Source, TargetId, TargetName,
    Timestamp,
};
use serde_json::Value;
use tempfile::TempDir;

struct Stage {
    folder: TempDir,
    target: TargetId,
}

const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{202e}a\nb,\"c\"";

impl Stage {
    /// A history with one request, whose message is hostile.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.db")).unwrap();
        let region = Region("eu-west-1".into());
        let target = history
            .write(|tx| {
                let name = TargetName::new("prod", &region);
                let target = tx.register_target(&name, None, &region, at(0))?.target.id;
                tx.begin_baseline(target, at(0))?;
                tx.complete_baseline(target, at(0))?;
                Ok(target)
            })
            .unwrap();
        let stage = Self { folder, target };
        stage.record(&history, "hostile", at(1));
        stage
    }

    fn record(&self, history: &History, token: &str, seen_at: Timestamp) {
        let token = RequestToken::new(token);
        let event = ProgressEvent {
            status: Some(RequestStatus::InProgress),
            status_message: Some(HOSTILE.to_owned()),
            ..ProgressEvent::of(token.clone())
        };
        let sighting = Sighting {
            key: RequestKey {
                target: self.target,
                token,
            },
            seen_at,
            source: Source::List,
            seen: Seen::Event(Box::new(event), None),
        };
        history.write(|tx| tx.record(&[sighting], &Routing::default())).unwrap();
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
        command
            .arg("sql")
            .arg("--history")
            .arg(self.path())
            .args(arguments)
            .stdin(Stdio::null())
            .current_dir(self.folder.path());
        command
    }

    fn sql(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn answer(&self, arguments: &[&str]) -> String {
        let output = self.sql(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", talk(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (
                    entry.file_name().into_string().unwrap(),
                    fs::read(entry.path()).unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    }
}

/// So many seconds into 2026-11-22T06:28:00Z.
fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_795_328_880_000 + second * 1000)
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";

#[test]
fn each_format_shows_the_same_and_nothing_hostile_reaches_a_terminal() {
    let stage = Stage::new();
    let sql = "SELECT request_token, status_message AS m, error_code AS m, 9007199254740993 AS big, x'00ff' AS blob, 2.0 AS two \
               FROM v_requests";
    let json: Value = serde_json::from_str(&stage.answer(&[sql, "--format", "json"])).unwrap();
    let row = serde_json::json!({
        "request_token": "hostile", "m": HOSTILE, "m:2": null, "big": 9_007_199_254_740_993_i64, "blob": "00ff", "two": 2.0
    });
    assert_eq!(json, serde_json::json!([row]));
    let lines = stage.answer(&[sql, "--format", "jsonl"]);
    assert_eq!(serde_json::from_str::<Value>(&lines).unwrap(), row);
    assert_eq!(lines.lines().count(), 1);
    assert!(!lines.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{lines}");

    let csv = stage.answer(&[sql, "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(
        reader.headers().unwrap(),
        vec!["request_token", "m", "m:2", "big", "blob", "two"]
    );
    let record = reader.records().next().unwrap().unwrap();
    assert_eq!(record, vec!["hostile", HOSTILE, "", "9007199254740993", "00ff", "2.0"]);

    let table = stage.answer(&[sql]);
    assert!(!table.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{table}");
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(table.lines().all(|line| line.contains("  ")), "{table}");
    assert_eq!(stage.answer(&["SELECT 1 AS \"\u{1b}[31m\""]), "\u{fffd}[31m\n    1\n");
}

/// By util-linux's `script`, which gives it a terminal.
#[test]
fn a_terminal_of_twenty_columns_and_a_wide_one_are_written_to_and_not_acted_upon() {
    let stage = Stage::new();
    for columns in ["1", "20", "120"] {
        let shown = format!(
            "stty cols {columns} && {} sql --history {} 'SELECT request_token, status, status_message, 1 AS one FROM v_requests'",
            env!("CARGO_BIN_EXE_ccwatch"),
            stage.path().display()
        );
        let Ok(output) = Command::new("script")
            .args(["--quiet", "--return", "--command", &shown, "/dev/null"])
            .stdin(Stdio::null())
            .output()
        else {
            eprintln!("skipped: there is no `script` on this machine");
            return;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        assert!(text.contains("one"), "{text}");
        // Colour is ours, a title, a bell and a direction are not.
        assert!(
            !text.contains("\u{1b}]") && !text.contains(['\u{7}', '\u{202e}']),
            "{text}"
        );
        for format in ["csv", "jsonl"] {
            let shown = format!("{shown} --format {format}");
            let output = Command::new("script")
                .args(["--quiet", "--return", "--command", &shown, "/dev/null"])
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.contains("hostile"), "{text}");
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text}");
        }
    }
}

#[test]
fn a_statement_may_come_from_standard_input_and_its_values_from_arguments() {
    let stage = Stage::new();
    let asked = |sql: &[u8]| {
        let mut command = stage.command(&["-", "--format", "csv", "--param", "token=hostile"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(sql).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = asked(b"-- who?\nSELECT status FROM v_requests\nWHERE request_token = :token;\n-- the end\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "status\nIN_PROGRESS\n");
    let output = asked(b"SELECT '\xff'");
    assert_eq!(output.status.code(), Some(2));
    assert!(talk(&output).contains("not UTF-8"));
}

#[test]
fn what_is_refused_exits_with_2_says_why_and_leaves_every_byte_alone() {
    let stage = Stage::new();
    let before = stage.files();
    let target = stage.folder.path().join("copy.db");
    let into = format!("VACUUM INTO '{}'", target.display());
    let attach = format!("ATTACH '{}' AS x", target.display());
    for (sql, says) in [
        ("DELETE FROM requests", "DELETE is refused"),
        ("UPDATE targets SET name = 'x'", "UPDATE is refused"),
        ("INSERT INTO gaps DEFAULT VALUES", "INSERT is refused"),
        ("CREATE TEMP TABLE x AS SELECT 1", "a change of the schema is refused"),
        ("DROP TABLE requests", "a change of the schema is refused"),
        (attach.as_str(), "ATTACH is refused"),
        (into.as_str(), "this statement is refused"),
        ("VACUUM", "this statement is refused"),
        ("BEGIN EXCLUSIVE", "BEGIN is refused"),
        ("PRAGMA query_only = 0", "PRAGMA query_only with a value is refused"),
        (
            "PRAGMA wal_checkpoint(TRUNCATE)",
            "PRAGMA wal_checkpoint with a value is refused",
        ),
        (
            "SELECT load_extension('/tmp/x.so')",
            "the function load_extension is refused",
        ),
        ("SELECT writefile('copy.db', 'x')", "no such function: writefile"),
        ("SELECT readfile('/etc/passwd')", "no such function: readfile"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("", "there is no statement"),
        ("SELECT * FROM v_request", "did you mean v_requests?"),
        ("SELECT * FROM v_requests WHERE", "incomplete input"),
    ] {
        let output = stage.sql(&[sql]);
        assert_eq!(output.status.code(), Some(2), "{sql}: {}", talk(&output));
        assert!(talk(&output).contains(says), "{sql}: {}", talk(&output));
        assert!(output.stdout.is_empty(), "{sql}");
    }
    assert_eq!(stage.files(), before);
    for arguments in [
        &[][..],
        &["--schema", "SELECT 1"],
        &["SELECT 1", "--timeout", "soon"],
        &["SELECT 1", "--param", "x"],
        &["SELECT 1", "--memory", "1"],
    ] {
        assert_eq!(stage.sql(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn what_would_take_the_machine_down_is_stopped_at_a_limit() {
    let stage = Stage::new();
    let before = stage.files();
    let blobs =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, randomblob(100000) AS b FROM n";
    for sql in [
        format!("{blobs} ORDER BY b"),
        format!("SELECT DISTINCT b FROM ({blobs})"),
        format!("SELECT count(*) FROM ({blobs} LIMIT 1000) AS a, ({blobs} LIMIT 1000) AS b GROUP BY a.b"),
        format!("WITH m AS MATERIALIZED ({blobs}) SELECT max(i) FROM m"),
    ] {
        let output = stage.sql(&[&sql, "--memory", "16", "--timeout", "0"]);
        assert_eq!(output.status.code(), Some(1), "{sql}: {}", talk(&output));
        assert!(
            talk(&output).contains("more than 16 MiB of memory"),
            "{}",
            talk(&output)
        );
    }
    let output = stage.sql(&["SELECT zeroblob(1000000000)"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(talk(&output).contains("more than 16 MiB"), "{}", talk(&output));
    assert_eq!(stage.files(), before);
}

#[test]
fn a_table_of_giant_values_shows_their_beginnings() {
    let stage = Stage::new();
    let columns: Vec<String> = (0..30)
        .map(|number| format!("zeroblob(4000000) AS b{number}"))
        .collect();
    let output = stage.sql(&[&format!("SELECT {}", columns.join(", "))]);
    assert!(output.status.success(), "{}", talk(&output));
    assert!(output.stdout.len() < 30 * 2 * 5000, "{}", output.stdout.len());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("00… (4000000 bytes)")
    );
}

#[test]
fn what_has_no_end_is_stopped_wherever_it_is() {
    let stage = Stage::new();
    let counting = format!("SELECT max(i) FROM ({ENDLESS})");
    // One call of one function, in which SQLite looks at nothing else: at each place of 8 MB it compares 400 letters.
    let like = format!("SELECT printf('%.*c', 8000000, 'a') LIKE '%{}b'", "a".repeat(400));
    for sql in [counting.as_str(), like.as_str()] {
        let output = stage.sql(&[sql, "--timeout", "200ms"]);
        assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
        assert_eq!(
            talk(&output),
            "ccwatch: stopped after 200ms: ask for less, or give it more time by --timeout\n"
        );
    }

    // A pipe that no one reads holds it up in a write.
    let mut child = stage
        .command(&[ENDLESS, "--format", "jsonl", "--timeout", "200ms"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("stopped after 200ms"), "{said}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn rows_are_written_as_they_come_and_a_closed_pipe_ends_it_quietly() {
    let stage = Stage::new();
    for format in ["json", "jsonl", "csv"] {
        let mut child = stage
            .command(&[ENDLESS, "--format", format, "--timeout", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut some = vec![0; 1_000_000];
        stdout.read_exact(&mut some).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{format}: {}", talk(&output));
        assert_eq!(talk(&output), "");
    }
}

#[test]
fn a_table_of_what_has_no_end_is_cut_and_says_so() {
    let stage = Stage::new();
    let output = stage.sql(&[ENDLESS]);
    assert!(output.status.success(), "{}", talk(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 10_001);
    assert!(
        talk(&output).contains("more rows than a table takes"),
        "{}",
        talk(&output)
    );
    assert_eq!(stage.answer(&[ENDLESS, "--limit", "2", "--format", "csv"]), "i\n1\n2\n");
    let limited = stage.sql(&[ENDLESS, "--limit", "2"]);
    assert_eq!(talk(&limited), "");
}

#[test]
fn the_schema_is_shown_without_a_history() {
    let stage = Stage::new();
    fs::remove_file(stage.path()).unwrap();
    let text = stage.answer(&["--schema"]);
    assert!(
        text.contains("v_requests: A Cloud Control request as it stands."),
        "{text}"
    );
    assert!(text.contains("\n  duration_s           Seconds from"), "{text}");
    let rows: Value = serde_json::from_str(&stage.answer(&["--schema", "--format", "json"])).unwrap();
    assert_eq!(rows[0]["view"], "v_requests");
    assert_eq!(rows[0]["column"], "target");
}

#[test]
fn a_history_that_can_not_be_read_is_told_plainly() {
    let stage = Stage::new();
    fs::remove_file(stage.path()).unwrap();
    let output = stage.sql(&["SELECT 1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(talk(&output).contains("there is no history at"), "{}", talk(&output));
    fs::write(stage.path(), "no database").unwrap();
    let output = stage.sql(&["SELECT 1"]);
    assert!(talk(&output).contains("is not an SQLite file"), "{}", talk(&output));
    assert_eq!(fs::read(stage.path()).unwrap(), b"no database");
}

/// Says that it is over when it is dropped.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Each answer is one state of the history: a daemon writes whole changes, and never half of one is seen.
#[test]
fn it_answers_while_a_daemon_writes() {
    let stage = Stage::new();
    let history = History::open(&stage.path()).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Also where an answer is wrong: the writer would be waited for.
        let end = End(&is_over);
        let writer = scope.spawn(|| {
            let mut number = 0;
            while !is_over.load(Ordering::Relaxed) {
                number += 1;
                stage.record(&history, &format!("token-{number}"), at(number));
            }
            number
        });
        let mut before = 0;
        for _ in 0..5 {
            let counts = stage.answer(&[
                "SELECT (SELECT count(*) FROM v_requests), (SELECT count(*) FROM v_progress_events), (SELECT max(id) FROM v_changes)",
                "--format",
                "csv",
            ]);
            let counts: Vec<i64> = counts
                .lines()
                .nth(1)
                .unwrap()
                .split(',')
                .map(|count| count.parse().unwrap())
                .collect();
            assert_eq!([counts[1], counts[2]], [counts[0]; 2]);
            assert!(counts[0] >= before);
            before = counts[0];
            std::thread::park_timeout(Duration::from_millis(5));
        }
        drop(end);
        assert!(writer.join().unwrap() > 0);
    });
}
