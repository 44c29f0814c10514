#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails should fail loudly, and prints"
)]
//! How long the commands that read take, as whole processes, and the same questions put to the views by `sqlite3`, as one
//! would without them: `cargo build --release && cargo run --release --example time-asking -- --history FILE`.
//!
//! FILE is best made by the example `fill-history`: every value that is asked for is one of its own. The two take turns. Each is run
//! once before it is timed, so that both read from memory. `sqlite3` is asked no more once its answers to a question took ten
//! seconds, and not waited for longer than that.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use rusqlite::{Connection, OpenFlags};

#[derive(Parser)]
struct Arguments {
    #[arg(long, value_name = "FILE")]
    history: PathBuf,
    #[arg(long, default_value_t = 11)]
    runs: usize,
    /// Leave out `sqlite3`, some of whose answers take seconds.
    #[arg(long)]
    alone: bool,
}

/// How long `sqlite3` is asked one question, in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// What `timeout` exits with when it has ended what it ran (coreutils(1)).
const TIMED_OUT: i32 = 124;

/// A question, as this program is asked it and as a user would put it to the views.
struct Question {
    arguments: Vec<String>,
    sql: Option<String>,
}

fn main() {
    let arguments = Arguments::parse();
    println!("{:<58} {:>22} {:>12} {:>8}", "", "ccwatch, ms", "sqlite3, ms", "ratio");
    println!("{:<58} {:>22} {:>12}", "", "least/median/most", "median");
    for question in questions(&arguments.history) {
        let mut own = Vec::new();
        let mut other = Vec::new();
        for run in 0..=arguments.runs {
            let took = time(
                Command::new(program())
                    .args(&question.arguments)
                    .arg("--history")
                    .arg(&arguments.history),
            );
            if run > 0 {
                own.push(took);
            }
            if let Some(sql) = question.sql.as_ref().filter(|_| !arguments.alone)
                && other.iter().sum::<Duration>() < PATIENCE
            {
                let took = time(
                    Command::new("timeout")
                        .arg(PATIENCE.as_secs().to_string())
                        .args(["sqlite3", "-readonly", "-json"])
                        .arg(&arguments.history)
                        .arg(sql),
                );
                if run > 0 || took >= PATIENCE {
                    other.push(took);
                }
            }
        }
        own.sort_unstable();
        other.sort_unstable();
        let median = own[own.len() / 2];
        let (sqlite, ratio) = other.get(other.len() / 2).map_or_else(
            || ("-".to_owned(), "-".to_owned()),
            |other| {
                let over = if *other < PATIENCE { "" } else { ">" };
                (
                    format!("{over}{}", milliseconds(*other)),
                    format!("{over}{:.1}", other.as_secs_f64() / median.as_secs_f64()),
                )
            },
        );
        let spread = [own[0], median, own[own.len() - 1]].map(milliseconds).join("/");
        println!(
            "{:<58} {spread:>22} {sqlite:>12} {ratio:>8}",
            question.arguments.join(" ")
        );
    }
}

/// Each filter of `requests` by itself, and the other commands. The values are common ones, rare ones, and ones that are not there.
fn questions(history: &Path) -> Vec<Question> {
    let connection = Connection::open_with_flags(history, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let one = |sql: &str| -> String { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    // Some in the middle: neither the newest nor the first.
    let token = one("SELECT token FROM requests WHERE id = (SELECT max(id) / 2 FROM requests)");
    let identifier = one(
        "SELECT identifier FROM requests WHERE identifier IS NOT NULL AND id > (SELECT max(id) / 2 FROM requests) LIMIT 1",
    );
    let type_name = one("SELECT type_name FROM requests LIMIT 1");
    let error = one("SELECT error_code FROM requests WHERE error_code IS NOT NULL LIMIT 1");
    let hook = one("SELECT hook_type_name FROM hooks LIMIT 1");
    let listed = |arguments: &[&str], condition: &str| {
        let of = if condition.is_empty() {
            String::new()
        } else {
            format!("WHERE {condition} ")
        };
        Question {
            arguments: ["requests", "--limit", "50", "--format", "json"]
                .iter()
                .chain(arguments)
                .map(ToString::to_string)
                .collect(),
            sql: Some(format!(
                "SELECT * FROM v_requests {of}ORDER BY started_at DESC LIMIT 50"
            )),
        }
    };
    let other = |arguments: &[&str], sql: Option<String>| Question {
        arguments: arguments.iter().map(ToString::to_string).collect(),
        sql,
    };
    vec![
        listed(&[], ""),
        listed(&["--status", "SUCCESS"], "status = 'SUCCESS'"),
        listed(&["--status", "CANCEL_COMPLETE"], "status = 'CANCEL_COMPLETE'"),
        listed(&["--failed"], "status = 'FAILED'"),
        listed(&["--open"], "open"),
        listed(&["--type", &type_name], &format!("type_name = '{type_name}'")),
        listed(&["--type", "AWS::*"], "type_name GLOB 'AWS::*'"),
        listed(&["--type", "Acme::Not::There"], "type_name = 'Acme::Not::There'"),
        listed(&["--target", "prod"], "target GLOB 'prod/*'"),
        listed(&["--region", "eu-*"], "region GLOB 'eu-*'"),
        listed(&["--operation", "DELETE"], "operation = 'DELETE'"),
        listed(&["--error", &error], &format!("error_code = '{error}'")),
        listed(
            &["--hook", &hook],
            &format!(
                "EXISTS (SELECT 1 FROM v_hooks AS h WHERE h.request_token = v_requests.request_token AND \
                 h.hook_type_name = '{hook}')"
            ),
        ),
        listed(&["--identifier", &identifier], &format!("identifier = '{identifier}'")),
        listed(&["--since", "1d"], "started_at >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')"),
        listed(&["--until", "365d"], "started_at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-365 days')"),
        other(
            &["show", &token, "--format", "json"],
            Some(
                ["v_requests", "v_progress_events", "v_hooks", "v_hook_events", "v_changes"]
                    .map(|view| format!("SELECT * FROM {view} WHERE request_token = '{token}'"))
                    .join("; "),
            ),
        ),
        other(&["show", &token[..8]], None),
        other(
            &["events", "--limit", "50", "--format", "json"],
            Some("SELECT * FROM v_changes ORDER BY id DESC LIMIT 50".into()),
        ),
        other(&["events", "--limit", "50", "--failed"], None),
        other(&["hooks", "--limit", "50", "--failed"], None),
        other(&["gaps"], None),
        other(
            &["stats", "--since", "30d"],
            Some(
                "SELECT type_name, count(*), avg(status = 'FAILED'), avg(duration_s), max(duration_s) FROM v_requests WHERE \
                 started_at >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-30 days') GROUP BY 1"
                    .into(),
            ),
        ),
    ]
}

fn time(command: &mut Command) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "time itself is what is measured")]
    let begun = Instant::now();
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output().unwrap();
    let took = begun.elapsed();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() || output.status.code() == Some(TIMED_OUT),
        "{command:?}: {told}"
    );
    took
}

fn milliseconds(time: Duration) -> String {
    format!("{:.0}", time.as_secs_f64() * 1000.0)
}

/// The program that was built beside this example.
fn program() -> PathBuf {
    let example = std::env::current_exe().unwrap();
    example.parent().unwrap().parent().unwrap().join("ccwatch")
}
