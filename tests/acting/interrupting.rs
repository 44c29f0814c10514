//! Ctrl-C and `--timeout`, in the call and while a request is followed.

use std::net::TcpListener;
use std::sync::mpsc;

use ccwatch::history::History;

use crate::stage::{QUICK, Stage, answer, create, create_slow, err, exits, until};

#[test]
fn ctrl_c_during_the_call_lets_it_end_and_remembers_what_it_began() {
    let stage = Stage::new(&[QUICK, "\n[faults]\nslow = 1.0\nslow_by = \"5s\"\n"]);
    let mut working = stage.start(&create_slow(&[]));
    working.says("client token ");
    working.interrupt();
    working.says("the request goes on: `ccwatch wait ");
    working.ends_with(130);
    assert_eq!(stage.count("SELECT count(*) FROM v_requests WHERE open"), 1);
}

#[test]
fn a_second_ctrl_c_ends_at_once_and_says_what_is_not_known() {
    let stage = Stage::new(&[QUICK, "\n[faults]\nslow = 1.0\nslow_by = \"10m\"\n"]);
    let mut working = stage.start(&create(&["--client-token", "deploy-1"]));
    working.says("client token ");
    working.interrupt();
    working.says("once more ends at once");
    working.interrupt();
    working.says("the same command with --client-token deploy-1");
    working.ends_with(130);
    assert_eq!(stage.count("SELECT count(*) FROM v_requests"), 0);
}

#[test]
fn why_the_last_call_failed_is_said_where_there_is_no_time_for_the_next() {
    let stage = Stage::new(&[QUICK]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    stage.configure(&format!("http://{}", listener.local_addr().unwrap()));
    let mut working = stage.start(&create(&["--client-token", "deploy-1"]));
    let (again, is_called_again) = mpsc::channel();
    // The first call is refused, the next one is not answered.
    std::thread::spawn(move || {
        let (first, _) = listener.accept().unwrap();
        let body = r#"{"__type": "ThrottlingException", "message": "Rate exceeded"}"#;
        answer(first, "400 Bad Request", body);
        let next = listener.accept().unwrap();
        again.send(next).unwrap();
    });
    let _next = is_called_again.recv().unwrap();
    working.interrupt();
    working.says("once more ends at once");
    working.interrupt();
    working.says("the last call failed: ThrottlingException: Rate exceeded");
    working.says("the same command with --client-token deploy-1");
    working.ends_with(130);
}

#[test]
fn ctrl_c_ends_the_following_and_not_the_request() {
    let stage = Stage::new(&[QUICK]);
    let mut working = stage.start(&create_slow(&[]));
    // It follows: signals are caught from here on.
    working.says("CREATE Acme::Test::Slow");
    working.interrupt();
    working.says("the request goes on: `ccwatch wait ");
    working.ends_with(130);
    assert_eq!(stage.count("SELECT count(*) FROM v_requests WHERE open"), 1);
}

#[test]
fn a_timeout_bounds_the_call_too_and_says_what_is_not_known() {
    let stage = Stage::new(&[QUICK, "\n[faults]\nslow = 1.0\nslow_by = \"10m\"\n"]);
    drop(History::open(&stage.path("history.db")).unwrap());
    // Long enough that the call is under way by then.
    let mut working = stage.start(&create(&["--client-token", "deploy-1", "--timeout", "10s"]));
    let mut not_followed = stage.start(&create(&[
        "--client-token",
        "deploy-2",
        "--timeout",
        "10s",
        "--no-wait",
    ]));
    for (working, token) in [(&mut working, "deploy-1"), (&mut not_followed, "deploy-2")] {
        working.says(&format!("client token {token}"));
        working.says("the time is up");
        working.says(&format!(
            "the same command with --client-token {token} begins it, or finds it"
        ));
    }
    working.ends_with(124);
    not_followed.ends_with(124);
    assert_eq!(stage.count("SELECT count(*) FROM v_requests"), 0);
}

#[test]
fn one_timeout_is_for_the_call_and_for_what_follows() {
    let stage = Stage::new(&[QUICK]);
    let mut working = stage.start(&create_slow(&["--timeout", "5s"]));
    // On a machine that is slow beyond measure, that of the call.
    working.says("the time is up");
    working.ends_with(124);
}

/// Who looks from here writes to the history, by a connection of its own.
#[test]
fn however_following_ends_the_history_is_left_as_one_file() {
    let stage = Stage::new(&[QUICK]);
    let token = stage.begun(&create_slow(&[]));
    let is_one_file = || ["history.db-wal", "history.db-shm"].map(|beside| stage.path(beside).exists()) == [false; 2];
    assert!(is_one_file());
    let waited = stage.run(&["wait", &token, "--timeout", "2s"]);
    exits(&waited, 124);
    assert!(err(&waited).contains("the time is up"), "{}", err(&waited));
    assert!(is_one_file());
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let calls = || stage.calls("ListResourceRequests");
        let before = calls();
        let working = stage.start(&["wait", &token]);
        until(|| calls() > before);
        working.send(signal);
        working.ends_with(code);
        assert!(is_one_file(), "{signal}");
    }
}
