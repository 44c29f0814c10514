//! `ccwatch create`, `update`, `delete`, `cancel` and `wait`, against a real `ccwatch simulate`, beside a real `ccwatch run`
//! and without one.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Answers at once: requests end within a second, and RetryAfter is never far.
const QUICK: &str = r#"
region = "eu-west-1"
pending = "100ms"
cancelling = "100ms"

[retry_after]
after = "300ms"

[other_types]
duration = "300ms"

[[types]]
type_name = "Acme::Test::Slow"
duration = "30days"

[[types]]
type_name = "Acme::Test::Named"
duration = "300ms"
identifier_property = "Name"
"#;

/// As above, with a hook that warns and one that forbids.
const GUARDED: &str = r#"
[[hooks]]
hook_type_name = "Acme::Guard::Warns"
failure_mode = "WARN"
pending = "50ms"
duration = "50ms"
find_fault = 1.0
[hooks.messages]
found_fault = "no owner"
"#;

const FORBIDDEN: &str = r#"
[[hooks]]
hook_type_name = "Acme::Guard::Forbids"
failure_mode = "FAIL"
pending = "50ms"
duration = "50ms"
find_fault = 1.0
[hooks.messages]
found_fault = "not encrypted"
"#;

/// A process of ours that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// In order, as a service manager does.
    fn stop(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }
}

/// A simulator, a configuration that leads to it, and a history that is not there yet.
struct Stage {
    folder: TempDir,
    simulator: Running,
    endpoint: String,
}

impl Stage {
    fn new(scenario: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = command(&["simulate", "--listen", "127.0.0.1:0", "--seed", "1", "--scenario", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        process
            .stdin
            .take()
            .unwrap()
            .write_all(scenario.concat().as_bytes())
            .unwrap();
        let mut endpoint = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_line(&mut endpoint).unwrap();
        let endpoint = endpoint.trim_end().to_owned();
        assert!(endpoint.starts_with("http://"), "{endpoint:?}");
        let stage = Self {
            folder,
            simulator: Running(process),
            endpoint,
        };
        stage.configure(&stage.endpoint);
        stage
    }

    fn configure(&self, endpoint: &str) {
        let config = format!(
            r#"
[history]
path = "history.db"

[poll]
discover_every = "1s"
idle_every = "2s"
sweep_every = "1h"

[[targets]]
name = "prod"
regions = "eu-west-1"
account_id = "123456789012"
endpoint_url = "{endpoint}"

[[receivers]]
name = "file"
type = "file"
path = "told.jsonl"

[[receivers]]
name = "far"
type = "webhook"
url = {{ env = "CCWATCH_TEST_NOT_SET" }}

[[routes]]
name = "everything"
to = "file"
"#
        );
        // The daemon, which sends, has no use for a receiver whose secret is not there.
        let (own, far) = config.split_once("[[receivers]]\nname = \"far\"").unwrap();
        let (_, routes) = far.split_once("[[routes]]").unwrap();
        std::fs::write(self.path("ccwatch.toml"), &config).unwrap();
        std::fs::write(self.path("daemon.toml"), format!("{own}[[routes]]{routes}")).unwrap();
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn config(&self) -> String {
        self.path("ccwatch.toml").to_str().unwrap().to_owned()
    }

    /// Runs a command with the configuration.
    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut process = command(arguments)
            .args(["--config", &self.config()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Closed behind it. One that does not read it may be gone already.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        process.wait_with_output().unwrap()
    }

    /// A daemon, which has looked at its target.
    fn daemon(&self) -> Running {
        let process = command(&["run", "--config", self.path("daemon.toml").to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let running = Running(process);
        let sql = "SELECT count(*) FROM targets WHERE baseline_completed_at IS NOT NULL";
        until(|| self.path("history.db").exists() && self.try_count(sql) == Some(1));
        running
    }

    fn try_count(&self, sql: &str) -> Option<i64> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(self.path("history.db"), flags).ok()?;
        connection.query_row(sql, [], |row| row.get(0)).ok()
    }

    fn count(&self, sql: &str) -> i64 {
        self.try_count(sql).unwrap()
    }

    /// The tokens of the requests that stand so.
    fn tokens(&self, status: &str) -> Vec<String> {
        let connection = Connection::open(self.path("history.db")).unwrap();
        let mut statement = connection
            .prepare("SELECT request_token FROM v_requests WHERE status = ?1")
            .unwrap();
        let tokens = statement.query_map([status], |row| row.get(0)).unwrap();
        tokens.map(Result::unwrap).collect()
    }

    /// The changes of all requests, in order.
    fn changes(&self) -> Vec<String> {
        let connection = Connection::open(self.path("history.db")).unwrap();
        let mut statement = connection
            .prepare("SELECT kind || ' ' || coalesce(to_status, '') FROM v_changes ORDER BY id")
            .unwrap();
        let changes = statement.query_map([], |row| row.get(0)).unwrap();
        changes.map(Result::unwrap).collect()
    }

    fn ask(&self, head: &str) -> Value {
        let address = self.endpoint.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    fn calls(&self, operation: &str) -> u64 {
        let calls = self.ask("GET /_simulator/calls");
        calls["operations"][operation]["received"].as_u64().unwrap_or(0)
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
    command
        .args(arguments)
        .env_remove("CCWATCH_CONFIG")
        .env_remove("CCWATCH_HISTORY")
        .env_remove("CCWATCH_TEST_NOT_SET")
        .env("AWS_ACCESS_KEY_ID", "123456789012")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Waits for what is sure to come, however slow the machine is.
fn until(mut it_is_so: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if it_is_so() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    panic!("it did not come");
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn exits(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}\n{}", out(output), err(output));
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}\n{}", out(output), err(output)))
}

const CREATE: [&str; 5] = ["create", "--type-name", "Acme::Test::Thing", "--desired-state", "{}"];

fn create<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&CREATE[..], more].concat()
}

#[test]
fn without_a_daemon_a_resource_is_created_changed_and_deleted_and_all_of_it_remembered() {
    let stage = Stage::new(&[QUICK, GUARDED]);
    let state = stage.path("state.json");
    std::fs::write(&state, r#"{"Name": "one", "Secret": "hunter2"}"#).unwrap();
    let from_file = format!("@{}", state.display());
    let named = ["--type-name", "Acme::Test::Named"];

    let created = stage.run(&[&["create", "--desired-state", &from_file], &named[..]].concat());
    exits(&created, 0);
    let (told, shown) = (out(&created), err(&created));
    assert!(told.contains("SUCCESS") && told.contains("one"), "{told}");
    assert!(
        told.contains("Acme::Guard::Warns") && told.contains("WARN") && told.contains("no owner"),
        "a hook that warned: {told}"
    );
    assert!(shown.starts_with("client token ccwatch-"), "{shown}");
    assert!(
        shown.contains("HOOK_COMPLETE_FAILED") && shown.contains("PENDING for"),
        "{shown}"
    );
    assert!(!format!("{told}{shown}").contains("hunter2"), "{told}{shown}");

    let patch = r#"[{"op": "add", "path": "/Size", "value": 3}]"#;
    let update = [
        "update",
        "--identifier",
        "one",
        "--patch-document",
        "-",
        "--format",
        "json",
    ];
    let updated = stage.run_with(&[&update, &named[..]].concat(), patch);
    exits(&updated, 0);
    let document = json(&updated);
    assert_eq!(document["outcome"], "success");
    assert_eq!(document["request"]["operation"], "UPDATE");
    assert_eq!(document["hooks"][0]["status"], "HOOK_COMPLETE_FAILED");
    assert!(document["client_token"].as_str().unwrap().starts_with("ccwatch-"));

    let delete = ["delete", "--identifier", "one"];
    exits(&stage.run(&[&delete, &named[..]].concat()), 0);
    let gone = stage.run(&[&delete, &named[..]].concat());
    exits(&gone, 1);
    assert!(out(&gone).contains("NotFound"), "{}", out(&gone));

    assert_eq!(
        stage.count("SELECT count(*) FROM v_requests WHERE status = 'SUCCESS'"),
        3
    );
    assert_eq!(
        stage.count("SELECT count(DISTINCT source) FROM v_progress_events WHERE source IN ('call', 'get')"),
        2
    );
    assert_eq!(stage.ask("GET /_simulator/calls")["early_looks"], 0, "law 5");
    let undelivered = "SELECT count(*) FROM v_deliveries WHERE receiver = 'file' AND state = 'pending'";
    assert_eq!(
        stage.count(undelivered),
        stage.count("SELECT count(*) FROM v_changes"),
        "a daemon that comes tells them"
    );

    // The daemon that comes tells each once, and finds nothing new in what was begun here.
    let before = stage.changes();
    let daemon = stage.daemon();
    until(|| stage.count(undelivered) == 0);
    daemon.stop();
    assert_eq!(stage.changes(), before);
    let lines = std::fs::read_to_string(stage.path("told.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), before.len());
}

#[test]
fn no_log_holds_what_was_sent_whatever_is_asked_of_it() {
    let stage = Stage::new(&[QUICK]);
    for filter in [
        "trace",
        "aws_smithy_runtime=trace,aws_smithy_http_client=trace,hyper=trace",
    ] {
        let state = r#"{"Password": "hunter2"}"#;
        let arguments = [
            "create",
            "--type-name",
            "Acme::Test::Thing",
            "--desired-state",
            state,
            "--log",
            filter,
        ];
        let created = stage.run(&arguments);
        exits(&created, 0);
        assert!(!err(&created).contains("hunter2"), "{}", err(&created));
    }
}

#[test]
fn a_hook_that_forbids_fails_the_request_and_the_command() {
    let stage = Stage::new(&[QUICK, FORBIDDEN]);
    let created = stage.run(&create(&[]));
    exits(&created, 1);
    let told = out(&created);
    assert!(
        told.contains("FAILED") && told.contains("Acme::Guard::Forbids"),
        "{told}"
    );
    assert!(told.contains("not encrypted"), "{told}");
}

#[test]
fn beside_a_daemon_it_is_in_the_history_at_once_and_told_once_and_nothing_more_is_called() {
    let stage = Stage::new(&[QUICK, GUARDED]);
    let daemon = stage.daemon();
    let until_it_looked = "SELECT count(*) FROM targets WHERE last_looked_at IS NOT NULL";
    until(|| stage.count(until_it_looked) == 1);

    let begun = stage.run(&create(&["--no-wait"]));
    exits(&begun, 0);
    let token = out(&begun).trim_end().to_owned();
    let sql = format!("SELECT count(*) FROM v_requests WHERE request_token = '{token}'");
    assert_eq!(stage.count(&sql), 1, "at once");
    let waited = stage.run(&["wait", &token[..6], "--format", "json"]);
    exits(&waited, 0);
    let ends = json(&waited);
    assert_eq!(ends[0]["request"]["request_token"], token.as_str());
    assert_eq!(ends[0]["hooks"][0]["hook_type_name"], "Acme::Guard::Warns");
    exits(&stage.run(&create(&[])), 0);
    assert_eq!(stage.ask("GET /_simulator/calls")["early_looks"], 0, "law 5");

    let pending = "SELECT count(*) FROM v_deliveries WHERE state = 'pending'";
    until(|| stage.count(pending) == 0);
    daemon.stop();
    let changes = stage.changes();
    let requests = changes.iter().filter(|change| change.starts_with("request.status"));
    let requests: Vec<&str> = requests.map(String::as_str).collect();
    assert_eq!(requests.first(), Some(&"request.status PENDING"));
    assert_eq!(requests.last(), Some(&"request.status SUCCESS"));
    let mut once = requests.clone();
    once.dedup();
    assert_eq!(requests, once, "each status once");
    let lines = std::fs::read_to_string(stage.path("told.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), changes.len(), "each change told once");
}

#[test]
fn a_cancel_ends_with_3() {
    let stage = Stage::new(&[QUICK]);
    let slow = [
        "create",
        "--type-name",
        "Acme::Test::Slow",
        "--desired-state",
        "{}",
        "--no-wait",
    ];
    let begun = stage.run(&slow);
    exits(&begun, 0);
    let token = out(&begun).trim_end().to_owned();

    // Its time is up long before it ends.
    let waited = stage.run(&["wait", &token, "--timeout", "0s"]);
    exits(&waited, 124);
    assert!(err(&waited).contains("the request goes on"), "{}", err(&waited));
    assert!(out(&waited).contains(&token), "{}", out(&waited));

    let cancelled = stage.run(&["cancel", &token[..6], "--format", "json"]);
    exits(&cancelled, 3);
    let document = json(&cancelled);
    assert_eq!(document["outcome"], "cancelled");
    assert_eq!(document["request"]["status"], "CANCEL_COMPLETE");
    assert_eq!(document.get("client_token"), None);
    exits(&stage.run(&["wait", &token]), 3);

    // Once more: it does no harm. One that succeeded can't be.
    exits(&stage.run(&["cancel", &token, "--no-wait"]), 0);
    let other = json(&stage.run(&create(&["--format", "json"])));
    let done = other["request"]["request_token"].as_str().unwrap();
    let refused = stage.run(&["cancel", done]);
    exits(&refused, 1);
    assert!(err(&refused).contains("already in status SUCCESS"), "{}", err(&refused));
    assert!(
        err(&refused).contains("only a request that is PENDING"),
        "{}",
        err(&refused)
    );
    let unknown = stage.run(&["cancel", "00000000-0000-0000-0000-000000000000"]);
    exits(&unknown, 1);
    assert!(err(&unknown).contains("RequestTokenNotFound"), "{}", err(&unknown));
}

#[test]
fn a_client_token_given_twice_is_one_request_and_another_document_is_refused() {
    let stage = Stage::new(&[QUICK]);
    let token = ["--client-token", "deploy-1", "--format", "json"];
    let first = json(&stage.run(&create(&token)));
    let again = json(&stage.run(&create(&token)));
    assert_eq!(first["client_token"], "deploy-1");
    assert_eq!(first["request"]["request_token"], again["request"]["request_token"]);
    assert_eq!(stage.count("SELECT count(*) FROM v_requests"), 1);
    assert_eq!(
        stage
            .changes()
            .iter()
            .filter(|change| change.ends_with("SUCCESS"))
            .count(),
        1
    );

    let mut other = create(&token);
    other[4] = "{\"A\": 1}";
    let refused = stage.run(&other);
    exits(&refused, 1);
    assert!(
        err(&refused).contains("ClientTokenConflictException"),
        "{}",
        err(&refused)
    );
    assert!(err(&refused).contains("ccwatch wait"), "{}", err(&refused));
    exits(&stage.run(&create(&["--client-token", "no spaces"])), 2);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_called() {
    let stage = Stage::new(&[QUICK]);
    let of = |state: &str, more: &[&str]| {
        let arguments = [
            &["create", "--type-name", "Acme::Test::Thing", "--desired-state", state],
            more,
        ]
        .concat();
        stage.run(&arguments)
    };
    let bad = of("{\n  \"Password\": hunter2}", &[]);
    exits(&bad, 2);
    assert!(
        err(&bad).contains("line 2 column") && !err(&bad).contains("hunter2"),
        "{}",
        err(&bad)
    );
    let missing = of("@/not/there.json", &[]);
    exits(&missing, 2);
    assert!(err(&missing).contains("/not/there.json"), "{}", err(&missing));

    let unknown = of("{}", &["--target", "prd/eu-west-1"]);
    exits(&unknown, 2);
    assert!(
        err(&unknown).contains("did you mean \"prod/eu-west-1\"?"),
        "{}",
        err(&unknown)
    );
    exits(&of("{}", &["--target", "prod", "--region", "eu-west-1"]), 2);
    assert_eq!(stage.calls("CreateResource"), 0);
    assert!(!stage.path("history.db").exists(), "and nothing was made");

    let history = stage.path("history.db");
    for url in ["https://me:hunter2@host", "hunter2://host", "https://host/?key=hunter2"] {
        let direct = [
            "--region",
            "eu-west-1",
            "--history",
            history.to_str().unwrap(),
            "--endpoint-url",
            url,
        ];
        let wrong = command(&create(&direct)).output().unwrap();
        exits(&wrong, 2);
        assert!(err(&wrong).contains("--endpoint-url: expected"), "{}", err(&wrong));
        assert!(!err(&wrong).contains("hunter2"), "{}", err(&wrong));
    }
    assert!(!history.exists());

    // What only the service knows.
    let refused = of("{}", &["--type-name=nonsense"]);
    exits(&refused, 2);
    let pair = stage.run(&["create", "--type-name", "nonsense", "--desired-state", "{}"]);
    exits(&pair, 1);
    assert!(err(&pair).contains("ValidationException"), "{}", err(&pair));
}

#[test]
fn an_endpoint_that_is_down_is_tried_again_and_what_is_not_known_is_said() {
    let stage = Stage::new(&[QUICK]);
    let begun = stage.run(&[
        "create",
        "--type-name",
        "Acme::Test::Slow",
        "--desired-state",
        "{}",
        "--no-wait",
    ]);
    exits(&begun, 0);
    // Nothing listens on port 9 here.
    stage.configure("http://127.0.0.1:9");
    let refused = stage.run(&create(&["--client-token", "again"]));
    exits(&refused, 1);
    let told = err(&refused);
    assert!(told.contains("--client-token again begins it, or finds it"), "{told}");
    assert_eq!(stage.count("SELECT count(*) FROM v_requests"), 1);

    let waited = stage.run(&["wait", out(&begun).trim_end(), "--timeout", "8s"]);
    exits(&waited, 124);
    let told = err(&waited);
    assert_eq!(
        told.matches("prod/eu-west-1 can't be looked at just now").count(),
        1,
        "{told}"
    );
}

#[test]
fn without_a_configuration_a_region_and_an_endpoint_will_do_but_not_behind_a_daemons_back() {
    let stage = Stage::new(&[QUICK]);
    let history = stage.path("own/history.db");
    let own = ["--history", history.to_str().unwrap()];
    let direct = ["--region", "eu-west-1", "--endpoint-url", &stage.endpoint];
    let run = |arguments: &[&str]| command(arguments).stdin(Stdio::null()).output().unwrap();

    let begun = run(&create(&[&own[..], &direct, &["--no-wait"]].concat()));
    exits(&begun, 0);
    let token = out(&begun).trim_end().to_owned();
    let alone = run(&[&["wait", &token][..], &own].concat());
    exits(&alone, 1);
    assert!(err(&alone).contains("no one looks at"), "{}", err(&alone));
    assert!(
        err(&alone).contains("no ccwatch runs on this history"),
        "{}",
        err(&alone)
    );
    exits(&run(&[&["wait", &token][..], &own, &direct].concat()), 0);
    exits(&run(&[&["wait", &token][..], &own].concat()), 0);
    let elsewhere = ["--region", "us-east-1", "--endpoint-url", &stage.endpoint];
    let slow = [
        "create",
        "--type-name",
        "Acme::Test::Slow",
        "--desired-state",
        "{}",
        "--no-wait",
    ];
    let begun = run(&[&slow[..], &own, &direct].concat());
    let wrong = run(&[&["wait", out(&begun).trim_end()][..], &own, &elsewhere].concat());
    exits(&wrong, 2);
    assert!(err(&wrong).contains("leads to us-east-1"), "{}", err(&wrong));

    // The daemon's history: its routes would not be asked, and the daemon would find nothing new.
    stage.daemon().stop();
    let watched = stage.path("history.db");
    let mut connection = Connection::open(&watched).unwrap();
    let transaction = connection.transaction().unwrap();
    let host = stage.endpoint.strip_prefix("http://").unwrap();
    let name = format!("{host}/eu-west-1");
    transaction
        .execute("UPDATE targets SET name = ?1, account_id = NULL", [&name])
        .unwrap();
    transaction.commit().unwrap();
    let calls = stage.calls("CreateResource");
    let refused = run(&create(
        &[&["--history", watched.to_str().unwrap()][..], &direct].concat(),
    ));
    exits(&refused, 2);
    assert!(err(&refused).contains("--config"), "{}", err(&refused));
    assert_eq!(stage.calls("CreateResource"), calls);
}

#[test]
fn several_are_waited_for_together_and_a_token_must_be_known() {
    let stage = Stage::new(&[QUICK]);
    let begin = |state: &str| {
        let begun = stage.run(&[
            "create",
            "--type-name",
            "Acme::Test::Thing",
            "--desired-state",
            state,
            "--no-wait",
        ]);
        exits(&begun, 0);
        out(&begun).trim_end().to_owned()
    };
    let good = begin("{}");
    let bad = begin(r#"{"_simulator": {"fail": "NotStabilized"}}"#);
    let waited = stage.run(&["wait", &good, &bad, &good, "--format", "jsonl"]);
    exits(&waited, 1);
    let ends: Vec<Value> = out(&waited)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(ends.len(), 2);
    assert_eq!(
        (&ends[0]["outcome"], &ends[1]["outcome"]),
        (&json!("success"), &json!("failed"))
    );
    assert_eq!(ends[1]["request"]["error_code"], "NotStabilized");
    exits(&stage.run(&["wait", "zz"]), 1);
    exits(&stage.run(&["wait"]), 2);
    let none = command(&["wait", "zz", "--history", "/not/there.db"]).output().unwrap();
    exits(&none, 2);
    assert!(Path::new(&stage.config()).exists());
    drop(stage.simulator);
}

#[test]
fn a_target_at_which_no_one_can_look_ends_none_of_the_others() {
    let stage = Stage::new(&[QUICK]);
    let begun = stage.run(&create(&["--no-wait"]));
    exits(&begun, 0);
    let history = stage.path("history.db");
    let elsewhere = [
        "--region",
        "us-east-1",
        "--endpoint-url",
        &stage.endpoint,
        "--history",
        history.to_str().unwrap(),
    ];
    let slow = [
        "create",
        "--type-name",
        "Acme::Test::Slow",
        "--desired-state",
        "{}",
        "--no-wait",
    ];
    let unseen = command(&[&slow[..], &elsewhere].concat()).output().unwrap();
    exits(&unseen, 0);
    let (seen, unseen) = (out(&begun), out(&unseen));
    let waited = stage.run(&["wait", unseen.trim_end(), seen.trim_end(), "--format", "json"]);
    exits(&waited, 1);
    let ends = json(&waited);
    assert_eq!(
        (&ends[0]["outcome"], &ends[1]["outcome"]),
        (&json!("unseen"), &json!("success"))
    );
    assert!(err(&waited).contains("no one looks at "), "{}", err(&waited));
}

#[test]
fn a_target_that_is_renamed_meanwhile_is_followed_all_the_same() {
    let stage = Stage::new(&[QUICK]);
    let slow = [
        "create",
        "--type-name",
        "Acme::Test::Slow",
        "--desired-state",
        "{}",
        "--no-wait",
    ];
    let begun = stage.run(&slow);
    exits(&begun, 0);
    let token = out(&begun).trim_end().to_owned();
    let mut process = command(&["wait", &token, "--config", &stage.config()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert!(lines.any(|line| line.contains("CREATE Acme::Test::Slow")));
    let connection = Connection::open(stage.path("history.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_mins(1)).unwrap();
    connection
        .execute("UPDATE targets SET name = 'other/eu-west-1'", [])
        .unwrap();
    exits(&stage.run(&["cancel", &token, "--no-wait"]), 0);
    assert_eq!(process.wait().unwrap().code(), Some(3));
}

#[test]
fn a_history_that_is_busy_is_waited_for_with_an_answer_in_hand() {
    let stage = Stage::new(&[QUICK]);
    exits(&stage.run(&create(&["--no-wait"])), 0);
    let mut connection = Connection::open(stage.path("history.db")).unwrap();
    let transaction = rusqlite::Transaction::new(&mut connection, rusqlite::TransactionBehavior::Immediate).unwrap();
    let mut process = command(&create(&["--no-wait", "--config", &stage.config()]))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert!(lines.any(|line| line.contains("it is remembered as soon as that can be")));
    transaction.rollback().unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));
    assert_eq!(stage.count("SELECT count(*) FROM v_requests"), 2);
}

#[test]
fn how_it_ended_is_told_by_the_exit_code_even_if_no_one_reads() {
    let stage = Stage::new(&[QUICK]);
    let failing = r#"{"_simulator": {"fail": "NotStabilized"}}"#;
    for (state, code) in [(failing, 1), ("{}", 0)] {
        let mut process = command(&["create", "--type-name", "Acme::Test::Thing", "--desired-state", state])
            .args(["--config", &stage.config(), "--log", "trace"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop((process.stdout.take(), process.stderr.take()));
        assert_eq!(process.wait().unwrap().code(), Some(code), "{state}");
    }
    assert_eq!(stage.count("SELECT count(*) FROM v_requests WHERE NOT open"), 2);
    let mut process = command(&["wait", "--config", &stage.config(), "--format", "json"])
        .args(stage.tokens("FAILED"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    assert_eq!(process.wait().unwrap().code(), Some(1));
}

#[test]
fn a_targets_name_that_is_another_accounts_is_not_taken() {
    let stage = Stage::new(&[QUICK]);
    stage.daemon().stop();
    let connection = Connection::open(stage.path("history.db")).unwrap();
    connection
        .execute("UPDATE targets SET account_id = '999900001111'", [])
        .unwrap();
    let refused = stage.run(&create(&[]));
    exits(&refused, 2);
    assert!(
        err(&refused).contains("prod/eu-west-1 as account 999900001111"),
        "{}",
        err(&refused)
    );
    assert_eq!(stage.calls("CreateResource"), 0);
    let kept = "SELECT count(*) FROM targets WHERE name = 'prod/eu-west-1' AND account_id = '999900001111'";
    assert_eq!(stage.count(kept), 1);
}

#[test]
fn ctrl_c_during_the_call_lets_it_end_and_remembers_what_it_began() {
    let stage = Stage::new(&[QUICK, "\n[faults]\nslow = 1.0\nslow_by = \"5s\"\n"]);
    let mut process = command(&["create", "--type-name", "Acme::Test::Slow", "--desired-state", "{}"])
        .args(["--config", &stage.config()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("client token "));
    let id = process.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert!(lines.any(|line| line.contains("the request goes on: `ccwatch wait ")));
    assert_eq!(process.wait().unwrap().code(), Some(130));
    assert_eq!(stage.count("SELECT count(*) FROM v_requests WHERE open"), 1);
}

#[test]
fn a_second_ctrl_c_ends_at_once_and_says_what_is_not_known() {
    let stage = Stage::new(&[QUICK, "\n[faults]\nslow = 1.0\nslow_by = \"10m\"\n"]);
    let mut process = command(&create(&["--client-token", "deploy-1"]))
        .args(["--config", &stage.config()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("client token "));
    let id = process.id().to_string();
    let interrupt = || assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    interrupt();
    assert!(lines.any(|line| line.contains("once more ends at once")));
    interrupt();
    assert!(lines.any(|line| line.contains("the same command with --client-token deploy-1")));
    assert_eq!(process.wait().unwrap().code(), Some(130));
    assert_eq!(stage.count("SELECT count(*) FROM v_requests"), 0);
}

#[test]
fn ctrl_c_ends_the_following_and_not_the_request() {
    let stage = Stage::new(&[QUICK]);
    let mut process = command(&["create", "--type-name", "Acme::Test::Slow", "--desired-state", "{}"])
        .args(["--config", &stage.config()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    // It follows: signals are caught from here on.
    assert!(lines.by_ref().any(|line| line.contains("CREATE Acme::Test::Slow")));
    let id = process.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert!(lines.any(|line| line.contains("the request goes on: `ccwatch wait ")));
    assert_eq!(process.wait().unwrap().code(), Some(130));
    assert_eq!(stage.count("SELECT count(*) FROM v_requests WHERE open"), 1);
}
