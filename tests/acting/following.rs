//! How requests end, told by `wait` and by the commands that began them.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::stage::{
    FORBIDDEN, GUARDED, QUICK, Stage, answer, command, create, create_slow, err, exits, json, out, until,
};

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

    let token = stage.begun(&create(&[]));
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

/// Else another program takes the history for one that no one has open, and removes the log that is written to.
#[test]
fn whoever_looks_from_here_keeps_its_locks_on_the_history() {
    let stage = Stage::new(&[QUICK]);
    let token = stage.begun(&create_slow(&[]));
    let waits = stage.start(&["wait", &token]);
    let looks = stage.calls("GetResourceRequestStatus");
    until(|| stage.calls("GetResourceRequestStatus") > looks + 1);
    assert!(waits.locks(&stage.path("history.db")));
}

#[test]
fn a_terminal_on_which_no_lines_move_is_told_as_much_as_a_file() {
    let stage = Stage::new(&[QUICK]);
    let slow = stage.begun(&create_slow(&[]));
    for (environment, moves) in [("TERM=xterm", true), ("TERM=dumb", false), ("-u TERM", false)] {
        let shown = stage.on_terminal(environment, &create(&[]));
        assert_eq!(shown.contains("\u{1b}[K"), moves, "{environment}: {shown:?}");
        if !moves {
            let told = [
                "CREATE Acme::Test::Thing PENDING for",
                "CREATE Acme::Test::Thing SUCCESS",
            ];
            assert!(told.iter().all(|told| shown.contains(told)), "{environment}: {shown:?}");
        }
        let waited = stage.on_terminal(environment, &["wait", &slow, "--timeout", "0s"]);
        let why = "the time is up; the request goes on: `ccwatch wait ";
        assert!(waited.contains(why), "{environment}: {waited:?}");
    }
}

#[test]
fn whoever_cancels_what_the_history_does_not_know_keeps_its_locks_too() {
    let stage = Stage::new(&[&QUICK.replace("cancelling = \"100ms\"", "cancelling = \"30days\"")]);
    let unknown = stage.begun(&create_slow(&[]));
    std::fs::remove_file(stage.path("history.db")).unwrap();
    stage.begun(&create_slow(&[]));
    let cancels = stage.start(&["cancel", &unknown]);
    until(|| stage.calls("GetResourceRequestStatus") > 1);
    assert!(cancels.locks(&stage.path("history.db")));
}

#[test]
fn several_are_waited_for_together_and_a_token_must_be_known() {
    let stage = Stage::new(&[QUICK]);
    let begin = |state| stage.begun(&["create", "--type-name", "Acme::Test::Thing", "--desired-state", state]);
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
    let seen = stage.begun(&create(&[]));
    let history = stage.path("history.db");
    let elsewhere = [
        "--region",
        "us-east-1",
        "--endpoint-url",
        &stage.endpoint,
        "--history",
        history.to_str().unwrap(),
    ];
    let unseen = command(&create_slow(&[&elsewhere[..], &["--no-wait"]].concat()))
        .output()
        .unwrap();
    exits(&unseen, 0);
    let waited = stage.run(&["wait", out(&unseen).trim_end(), &seen, "--format", "json"]);
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
    let token = stage.begun(&create_slow(&[]));
    let mut working = stage.start(&["wait", &token]);
    working.says("CREATE Acme::Test::Slow");
    let connection = Connection::open(stage.path("history.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_mins(1)).unwrap();
    connection
        .execute("UPDATE targets SET name = 'other/eu-west-1'", [])
        .unwrap();
    exits(&stage.run(&["cancel", &token, "--no-wait"]), 0);
    working.ends_with(3);
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

/// A whole token that no one has made.
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

#[test]
fn a_request_that_another_tool_has_begun_is_asked_for_by_its_whole_token() {
    let stage = Stage::new(&[QUICK, GUARDED]);
    let direct = ["--region", "eu-west-1", "--endpoint-url", &stage.endpoint];
    let run = |arguments: &[&str]| command(arguments).stdin(Stdio::null()).output().unwrap();
    let elsewhere = stage.path("another tool's/history.db");
    let elsewhere = ["--history", elsewhere.to_str().unwrap()];
    let begin = |request: Vec<&str>| {
        let begun = run(&[&request, &elsewhere[..], &direct].concat());
        exits(&begun, 0);
        out(&begun).trim_end().to_owned()
    };
    let (first, second) = (begin(create(&["--no-wait"])), begin(create(&["--no-wait"])));
    let slow = begin(create_slow(&["--no-wait"]));

    // Into a history that is not there yet, and into one that is.
    let own = stage.path("own/history.db");
    let own = ["--history", own.to_str().unwrap()];
    let wait = |arguments: &[&str]| run(&[&["wait"][..], arguments, &own, &direct].concat());
    let waited = wait(&[&first, &second, "--format", "json"]);
    exits(&waited, 0);
    let ends = json(&waited);
    assert_eq!(
        (&ends[0]["outcome"], &ends[1]["outcome"]),
        (&json!("success"), &json!("success"))
    );
    assert_eq!(ends[0]["hooks"][0]["hook_type_name"], "Acme::Guard::Warns");
    let known = run(&[&["requests", "--format", "json"][..], &own].concat());
    assert_eq!(json(&known).as_array().unwrap().len(), 2);

    // What it says can be typed again.
    let waited = wait(&[&slow, "--timeout", "1s"]);
    exits(&waited, 124);
    let again = format!("ccwatch wait {slow} {} {}", own.join(" "), direct.join(" "));
    assert!(err(&waited).contains(&again), "{} {again}", err(&waited));

    let unknown = wait(&[UNKNOWN]);
    exits(&unknown, 1);
    assert!(
        err(&unknown).contains("forgets a request after seven days"),
        "{}",
        err(&unknown)
    );
    let cut = wait(&["no-such-token"]);
    exits(&cut, 1);
    assert!(err(&cut).contains("by its whole token"), "{}", err(&cut));
    let nowhere = run(&[&["wait", UNKNOWN][..], &own].concat());
    exits(&nowhere, 1);
    let gone = ["--region", "eu-west-1", "--endpoint-url", "http://127.0.0.1:1"];
    let waited = run(&[&["wait", UNKNOWN][..], &own, &gone].concat());
    exits(&waited, 1);
    assert!(err(&waited).contains("can't be asked for it"), "{}", err(&waited));

    // One that takes the call, and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let late = ["--region", "eu-west-1", "--endpoint-url", &silent, "--timeout", "1s"];
    let waited = run(&[&["wait", UNKNOWN][..], &own, &late].concat());
    exits(&waited, 124);
    assert!(err(&waited).contains("the time is up"), "{}", err(&waited));
}

/// Answers every call with that, for as long as the tests run, and returns where.
fn answering(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), "200 OK", body);
        }
    });
    endpoint
}

#[test]
fn an_answer_that_says_nothing_of_a_request_is_none_and_is_not_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history.db");
    for empty in [
        "{}",
        r#"{"ProgressEvent": {}}"#,
        r#"{"ProgressEvent": {"EventTime": 1.8E9}}"#,
    ] {
        let endpoint = answering(empty);
        let direct = ["--region", "eu-west-1", "--endpoint-url", &endpoint];
        let own = ["--history", history.to_str().unwrap()];
        let waited = command(&[&["wait", UNKNOWN][..], &own, &direct].concat())
            .output()
            .unwrap();
        exits(&waited, 1);
        let told = err(&waited);
        assert!(told.contains("holds no ProgressEvent of this request"), "{told}");
        assert!(!history.exists(), "nothing is to be remembered");
    }
}
