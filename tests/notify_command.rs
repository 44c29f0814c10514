//! `ccwatch notify`, `silence` and `backtest`: what they print, what they write, and how they exit.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use ccwatch::clock::Clock;
use ccwatch::decide::retry::{Attempted, Verdict};
use ccwatch::decide::route::Route;
use ccwatch::decide::routing::Routing;
use ccwatch::history::History;
use ccwatch::model::{
    AccountId, DeliveryId, ErrorCode, Operation, ProgressEvent, Region, RequestKey, RequestStatus, RequestToken, Seen,
    Sighting, Source, TargetName, Timestamp,
};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a configuration and a history, of which all happened ten minutes ago and everything is pending for
/// `chat`.
struct Stage {
    folder: TempDir,
    began: Timestamp,
}

const CONFIG: &str = r#"
[history]
path = "history.db"

[[targets]]
name = "prod"
regions = "eu-west-1"

[[receivers]]
name = "chat"
type = "slack"
url = "URL"

[[receivers]]
name = "far"
type = "webhook"
url = { env = "CCWATCH_TEST_NOT_SET" }
secret = { file = "not-there" }

[[routes]]
name = "failures"
status = "FAILED"
to = ["chat", "far"]

[[routes]]
name = "elsewhere"
operation = "UPDATE"
to = "far"
"#;

impl Stage {
    /// `url` is where `chat` is.
    fn new(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ccwatch.toml"), CONFIG.replace("URL", url)).unwrap();
        let began = Clock::system().now().minus(Duration::from_mins(10));
        let stage = Self { folder, began };
        let history = History::open(&stage.path("history.db")).unwrap();
        let region = Region("eu-west-1".into());
        let target = history
            .write(|tx| {
                let name = TargetName::new("prod", &region);
                let account = AccountId("111122223333".into());
                let target = tx.register_target(&name, Some(&account), &region, began)?.target.id;
                tx.begin_baseline(target, began)?;
                tx.complete_baseline(target, began)?;
                Ok(target)
            })
            .unwrap();
        let routing = Routing::from(vec![Route {
            name: "all".into(),
            to: vec!["chat".into()],
            ..Route::default()
        }]);
        for (second, token, status, message) in [
            (1, "a", RequestStatus::InProgress, String::new()),
            (2, "b", RequestStatus::InProgress, String::new()),
            (3, "a", RequestStatus::Failed, "no \u{1b}[31mroom".to_owned()),
            (4, "b", RequestStatus::Failed, "x".repeat(4000)),
        ] {
            let event = ProgressEvent {
                type_name: Some("AWS::S3::Bucket".into()),
                identifier: Some(format!("bucket-{token}")),
                operation: Some(Operation::Create),
                error_code: (status == RequestStatus::Failed).then_some(ErrorCode::from("AlreadyExists")),
                status: Some(status),
                status_message: (!message.is_empty()).then_some(message),
                event_time: Some(began),
                ..ProgressEvent::of(RequestToken::new(token))
            };
            let sighting = Sighting {
                key: RequestKey {
                    target,
                    token: RequestToken::new(token),
                },
                seen_at: began.plus(Duration::from_secs(second)),
                source: Source::List,
                seen: Seen::Event(Box::new(event), None),
            };
            history.write(|tx| tx.record(&[sighting], &routing)).unwrap();
        }
        stage
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// A command of ccwatch with the configuration of this folder.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
        command
            .args(arguments)
            .env_remove("CCWATCH_HISTORY")
            .env_remove("CCWATCH_TEST_NOT_SET")
            .env_remove("SUDO_USER")
            .env("USER", "ada")
            .env("CCWATCH_CONFIG", self.path("ccwatch.toml"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints, where it is to succeed.
    fn out(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", err(&output));
        out(&output)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.out(&[arguments, &["--format", "json"]].concat());
        serde_json::from_str(&text).unwrap()
    }

    /// That it exits so, and that standard error says so.
    fn refused(&self, arguments: &[&str], code: i32, words: &str) {
        let output = self.run(arguments);
        let told = err(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(words), "{arguments:?}: {told}");
    }

    fn count(&self, sql: &str) -> i64 {
        let connection = Connection::open(self.path("history.db")).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Has an attempt at a delivery end so.
    fn settle(&self, id: i64, verdict: Verdict) {
        let history = History::open(&self.path("history.db")).unwrap();
        let attempt = Attempted {
            ids: vec![DeliveryId(id)],
            number: 1,
            began_at: self.began,
            took: Duration::from_millis(20),
            verdict,
            answer_status: Some(410),
            answer: Some("no_team".into()),
            quiet_until: None,
            thread: None,
        };
        history.write(|tx| tx.record_attempts(&[attempt], self.began)).unwrap();
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:9/T0SECRETmarker";

/// A server that gives one answer, and then the body that it got.
fn answering(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/T0SECRETmarker", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(body).unwrap()
    });
    (url, served)
}

#[test]
fn a_test_is_sent_says_that_it_is_one_and_shows_the_answer() {
    let (url, served) = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    let stage = Stage::new(&url);
    let output = stage.run(&["notify", "test", "chat"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let body = served.join().unwrap();
    assert!(body.contains("Test: CREATE AWS::S3::Bucket"), "{body}");
    let told = out(&output);
    assert!(told.contains("chat: request.status: accepted in "), "{told}");
    assert!(told.contains("it answered 200: ok"), "{told}");
    // Not a word of the other receiver, whose secrets are not here, and no history was needed.
    assert_eq!(err(&output), "");
}

#[test]
fn a_test_that_is_not_accepted_exits_with_1_and_shows_why() {
    let (url, served) =
        answering("HTTP/1.1 404 Not Found\r\ncontent-length: 10\r\nconnection: close\r\n\r\nno_service");
    let stage = Stage::new(&url);
    let output = stage.run(&["notify", "test", "chat"]);
    served.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("it answered 404: no_service"), "{}", out(&output));
    assert!(err(&output).contains("ccwatch would not try again"), "{}", err(&output));
    assert!(!format!("{}{}", out(&output), err(&output)).contains("T0SECRETmarker"));

    let stage = Stage::new(NOWHERE);
    stage.refused(&["notify", "test", "chat"], 1, "ccwatch would try again");
    stage.refused(&["notify", "test", "far"], 78, "CCWATCH_TEST_NOT_SET");
}

#[test]
fn a_receiver_or_a_kind_that_is_not_there_is_answered_with_those_that_are() {
    let stage = Stage::new(NOWHERE);
    for command in [&["test", "chatt"][..], &["preview", "chatt"]] {
        stage.refused(
            &[&["notify"], command].concat(),
            2,
            "no receiver is named \"chatt\" (did you mean \"chat\"?); known are chat, far",
        );
    }
    stage.refused(
        &["notify", "replay", "--receiver", "chatt", "--since", "1h"],
        2,
        "did you mean \"chat\"?",
    );
    stage.refused(
        &["notify", "test", "chat", "--kind", "request.staus"],
        2,
        "did you mean \"request.status\"?",
    );
    // A machine is never told in digests.
    stage.refused(
        &["notify", "preview", "far", "--kind", "digest"],
        2,
        "never in a digest",
    );
    stage.refused(
        &["notify", "preview", "chat", "--config", "/nowhere.toml"],
        78,
        "/nowhere.toml",
    );
}

#[test]
fn a_preview_shows_what_would_be_sent_against_its_limits_and_needs_no_secret() {
    let stage = Stage::new(NOWHERE);
    let table = stage.out(&["notify", "preview", "chat"]);
    assert!(
        table.contains("CREATE AWS::S3::Bucket") && table.contains("fits"),
        "{table}"
    );

    let output = stage.run(&["notify", "preview", "far"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("\"specversion\""));
    assert!(
        err(&output).contains("a placeholder stands in for it"),
        "{}",
        err(&output)
    );

    let long = stage.json(&["notify", "preview", "chat", "--change", "4"]);
    let measures = long["measures"].as_array().unwrap();
    assert!(
        measures
            .iter()
            .any(|measure| measure["cut"] == true && measure["size"].as_u64() > Some(4000))
    );
    stage.refused(
        &["notify", "preview", "chat", "--change", "99"],
        1,
        "no change in the history has the id 99",
    );
}

#[test]
fn deliveries_are_listed_with_their_attempts_and_tried_again() {
    let stage = Stage::new(NOWHERE);
    stage.settle(
        1,
        Verdict::Dead {
            error: "410 \u{1b}[31mGone".into(),
        },
    );
    let table = stage.out(&["notify", "list"]);
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.len(), 5, "{table}");
    assert!(
        rows[1].starts_with('4') && rows[1].contains("pending, in line"),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'));

    let dead = stage.json(&["notify", "list", "--state", "dead", "--since", "1h"]);
    assert_eq!(dead.as_array().unwrap().len(), 1);
    assert_eq!(
        (&dead[0]["id"], &dead[0]["change"]["request_token"]),
        (&1.into(), &"a".into())
    );
    let none = stage.run(&["notify", "list", "--receiver", "far"]);
    assert_eq!(
        (out(&none), err(&none)),
        (
            String::new(),
            format!("no deliveries match in {}\n", stage.path("history.db").display())
        )
    );

    let attempts = stage.out(&["notify", "list", "--attempts", "1"]);
    assert!(
        attempts.contains("dead") && attempts.contains("410") && attempts.contains("no_team"),
        "{attempts}"
    );
    stage.refused(
        &["notify", "list", "--attempts", "99"],
        1,
        "no delivery in the history has the id 99",
    );

    let told = stage.out(&["notify", "retry", "1", "2"]);
    assert!(told.contains("1: is tried again as delivery 5; a running ccwatch finds it within half a minute"));
    assert!(told.contains("2: its next attempt is due now"), "{told}");
    stage.refused(&["notify", "retry", "1", "77"], 1, "2 of 2 could not be tried again");
    stage.refused(&["notify", "retry"], 2, "--help");

    stage.settle(2, Verdict::Dead { error: "410".into() });
    assert_eq!(
        stage.out(&["notify", "retry", "--dead", "--receiver", "far"]),
        "nothing was given up\n"
    );
    assert!(
        stage
            .out(&["notify", "retry", "--dead"])
            .starts_with("1 delivery is tried again")
    );
}

#[test]
fn what_the_routes_choose_for_a_receiver_is_told_again_in_order() {
    let stage = Stage::new(NOWHERE);
    let replay = ["notify", "replay", "--receiver", "far", "--since", "1h"];
    let with = |more: &[&'static str]| [&replay[..], more].concat();
    assert_eq!(
        stage.out(&with(&["--dry-run"])),
        "2 changes would be told again to far\n"
    );
    assert_eq!(
        stage.out(&with(&["--dry-run", "--all"])),
        "4 changes would be told again to far\n"
    );
    assert_eq!(
        stage.out(&with(&["--dry-run", "--until", "30m"])),
        "0 changes would be told again to far\n"
    );
    assert_eq!(stage.count("SELECT count(*) FROM deliveries WHERE receiver = 'far'"), 0);

    let told = stage.out(&replay);
    assert!(told.starts_with("2 changes are told again to far"), "{told}");
    let sql = "SELECT group_concat(change_id, ',') = '3,4' FROM (SELECT change_id FROM v_deliveries WHERE receiver = 'far' \
               AND replayed AND state = 'pending' ORDER BY id)";
    assert_eq!(stage.count(sql), 1);
    stage.refused(&with(&["--until", "2h"]), 2, "is not before --until");
}

#[test]
fn a_flood_of_replays_has_to_be_meant() {
    let stage = Stage::new(NOWHERE);
    Connection::open(stage.path("history.db"))
        .unwrap()
        .execute_batch(&format!(
            "INSERT INTO changes (request_id, kind, at, to_status)
             SELECT 1, 'request.status', {}, 'FAILED'
             FROM (WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000) SELECT n FROM n)",
            stage.began.as_millis()
        ))
        .unwrap();
    let replay = ["notify", "replay", "--receiver", "far", "--since", "1h"];
    stage.refused(&replay, 2, "10002 changes would be told again to far");
    assert_eq!(stage.count("SELECT count(*) FROM deliveries WHERE receiver = 'far'"), 0);
    let told = stage.out(&[&replay[..], &["--yes"]].concat());
    assert!(told.starts_with("10002 changes are told again"), "{told}");
}

#[test]
fn a_silence_that_a_timer_or_a_container_adds_is_by_the_number_of_its_user() {
    let stage = Stage::new(NOWHERE);
    let mut unnamed = stage.command(&["silence", "add", "target=prod", "--for", "2h", "--reason", "nightly"]);
    assert!(unnamed.env_remove("USER").status().unwrap().success());
    let listed = stage.json(&["silence", "list"]);
    assert_eq!(listed[0]["created_by"], format!("uid {}", rustix::process::getuid()));
}

#[test]
fn a_silence_is_added_listed_and_ended() {
    let stage = Stage::new(NOWHERE);
    let add = |more: &[&'static str]| [&["silence", "add", "target=prod"][..], more].concat();
    let told = stage.out(&add(&["--for", "2h", "--reason", "load test"]));
    assert!(told.starts_with("silence 1 holds until "), "{told}");
    let listed = stage.json(&["silence", "list"]);
    assert_eq!(
        (&listed[0]["matchers"], &listed[0]["created_by"]),
        (&"target=prod".into(), &"ada".into())
    );

    assert_eq!(stage.out(&["silence", "end", "1"]), "silence 1 has ended\n");
    stage.refused(&["silence", "expire", "1"], 1, "there is no silence 1, or it has ended");
    let none = stage.run(&["silence", "list"]);
    assert_eq!(
        (out(&none), err(&none)),
        (
            String::new(),
            format!("nothing is silenced in {}\n", stage.path("history.db").display())
        )
    );
    assert!(stage.out(&["silence", "list", "--all"]).contains("load test"));

    stage.refused(&add(&["--reason", "x"]), 2, "--for");
    stage.refused(&add(&["--for", "2h"]), 2, "--reason");
    stage.refused(
        &add(&["--for", "2h", "--until", "2030-01-01T00:00:00Z", "--reason", "x"]),
        2,
        "--until",
    );
    stage.refused(
        &add(&["--until", "2020-01-01T00:00:00Z", "--reason", "x"]),
        2,
        "over already",
    );
    stage.refused(
        &["silence", "add", "statuss=FAILED", "--for", "2h", "--reason", "x"],
        2,
        "did you mean status?",
    );
}

#[test]
fn a_backtest_says_who_would_have_got_what_and_what_would_have_been_cut() {
    let stage = Stage::new(NOWHERE);
    let output = stage.run(&["backtest"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(
        err(&output).contains("a placeholder stands in for it"),
        "{}",
        err(&output)
    );
    let table = out(&output);
    assert!(table.starts_with("4 changes from "), "{table}");
    assert!(table.contains("Routes that matched nothing: elsewhere"), "{table}");

    let found = stage.json(&["backtest", "--since", "1h"]);
    let receivers = found["receivers"].as_array().unwrap();
    let counts: Vec<_> = receivers
        .iter()
        .map(|told| {
            (
                told["receiver"].as_str().unwrap(),
                told["messages"].as_u64().unwrap(),
                told["cut"].as_u64(),
            )
        })
        .collect();
    assert_eq!(counts, [("chat", 2, Some(1)), ("far", 2, Some(0))]);
    assert_eq!(
        (&found["cut"][0]["receiver"], &found["cut"][0]["change"]),
        (&"chat".into(), &4.into())
    );
    assert_eq!(stage.json(&["backtest", "--since", "30s"])["changes"], 0);
    // Nothing was sent, and nothing was written.
    assert_eq!(stage.count("SELECT count(*) FROM deliveries"), 4);
}

/// As in the annotated configuration, with every setting given.
#[test]
fn every_type_of_receiver_can_be_previewed_without_its_secrets() {
    let stage = Stage::new(NOWHERE);
    let setting = |line: &'static str| {
        line.strip_prefix('#')
            .filter(|rest| !rest.is_empty() && !rest.starts_with(' '))
            .unwrap_or(line)
    };
    let lines: Vec<_> = include_str!("../config/ccwatch.toml").lines().map(setting).collect();
    std::fs::write(stage.path("ccwatch.toml"), lines.join("\n")).unwrap();
    let history = stage.path("history.db");
    let history = history.to_str().unwrap();
    let found = stage.json(&["backtest", "--history", history]);
    let receivers = found["receivers"].as_array().unwrap();
    assert!(receivers.len() > 10);
    for told in receivers {
        let name = told["receiver"].as_str().unwrap();
        let preview = stage.json(&["notify", "preview", name, "--change", "3", "--history", history]);
        let content = preview["content"].as_str().unwrap();
        assert!(
            !content.is_empty() && !content.contains("placeholder"),
            "{name}: {content}"
        );
    }
}

#[test]
fn a_closed_pipe_ends_them_quietly() {
    let stage = Stage::new(NOWHERE);
    for arguments in [
        &["notify", "list"][..],
        &["notify", "preview", "chat"],
        &["notify", "replay", "--receiver", "chat", "--since", "1h", "--dry-run"],
        &["silence", "list", "--all", "--format", "json"],
        &["backtest", "--log", "error"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = stage.command(arguments).stdout(writer).output().unwrap();
        assert_eq!(
            (output.status.code(), err(&output).as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}
