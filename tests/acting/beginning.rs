//! What is asked of Cloud Control, and what is refused, remembered and told of it.

use std::os::unix::fs::{MetadataExt, chown};
use std::process::Stdio;

use rusqlite::Connection;

use crate::stage::{GUARDED, QUICK, Stage, command, create, create_slow, err, exits, json, out, until};

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
fn a_cancel_that_cancels_is_a_success_and_one_that_comes_too_late_is_none() {
    let stage = Stage::new(&[QUICK]);
    let token = stage.begun(&create_slow(&[]));

    // Its time is up long before it ends.
    let waited = stage.run(&["wait", &token, "--timeout", "0s"]);
    exits(&waited, 124);
    assert!(err(&waited).contains("the request goes on"), "{}", err(&waited));
    assert!(out(&waited).contains(&token), "{}", out(&waited));

    let cancelled = stage.run(&["cancel", &token[..6], "--format", "json"]);
    exits(&cancelled, 0);
    let document = json(&cancelled);
    assert_eq!(document["outcome"], "cancelled");
    assert_eq!(document["request"]["status"], "CANCEL_COMPLETE");
    assert_eq!(document.get("client_token"), None);
    exits(&stage.run(&["wait", &token]), 3);

    // Once more: it does no harm. One that succeeded can't be, as far as the history knows without a call.
    let again = stage.run(&["cancel", &token]);
    exits(&again, 0);
    assert!(err(&again).contains("was cancelled before"), "{}", err(&again));
    assert!(out(&again).contains("CANCEL_COMPLETE"), "{}", out(&again));
    assert_eq!(stage.begun(&["cancel", &token]), token, "--no-wait");
    let other = json(&stage.run(&create(&["--format", "json"])));
    let done = other["request"]["request_token"].as_str().unwrap();
    let refused = stage.run(&["cancel", done]);
    exits(&refused, 1);
    let too_late = |output| err(output).contains("ended as SUCCESS before it could be cancelled");
    assert!(too_late(&refused), "{}", err(&refused));
    assert_eq!(stage.calls("CancelResourceRequest"), 1);

    // One that ended behind the history's back is looked at.
    let unseen = stage.begun(&create(&[]));
    let has_ended = || {
        let truth = stage.ask("GET /_simulator/truth");
        truth["requests"][&unseen]["status"] == "SUCCESS"
    };
    until(has_ended);
    let ended = "SELECT count(*) FROM v_requests WHERE NOT open AND status = 'SUCCESS'";
    assert_eq!(stage.count(ended), 1);
    let refused = stage.run(&["cancel", &unseen, "--no-wait"]);
    exits(&refused, 1);
    assert!(too_late(&refused), "{}", err(&refused));
    assert_eq!(out(&refused).trim_end(), unseen);
    assert_eq!(stage.count(ended), 2);
    assert_eq!(stage.ask("GET /_simulator/calls")["early_looks"], 0, "law 5");

    let unknown = stage.run(&["cancel", "00000000-0000-0000-0000-000000000000"]);
    exits(&unknown, 1);
    assert!(err(&unknown).contains("RequestTokenNotFound"), "{}", err(&unknown));

    // What is no whole token, and what is known to be another target's, is not asked for.
    let calls = stage.calls("CancelResourceRequest");
    for (cancel, said) in [
        (
            &["cancel", "nope"][..],
            "no request in the history has a token that begins with `nope`",
        ),
        (
            &["cancel", "nope", "--target", "prod"],
            "no request in the history has a token that begins with `nope`",
        ),
        (&["cancel", done, "--target", "other"], "and not of --target other"),
    ] {
        let refused = stage.run(cancel);
        exits(&refused, 1);
        assert!(err(&refused).contains(said), "{}", err(&refused));
    }
    assert_eq!(stage.calls("CancelResourceRequest"), calls);
}

#[test]
fn one_that_could_not_be_cancelled_is_not_looked_at_before_retry_after() {
    let stage = Stage::new(&[QUICK]);
    let token = stage.begun(&create(&[]));
    until(|| stage.ask("GET /_simulator/truth")["requests"][&token]["status"] == "SUCCESS");
    let asked_to_be_asked_at = |millis: i64| {
        let connection = Connection::open(stage.path("history.db")).unwrap();
        let rows = connection.execute("UPDATE requests SET retry_after = ?1", [millis]);
        assert_eq!(rows, Ok(1));
    };
    asked_to_be_asked_at(4_000_000_000_000);
    let refused = stage.run(&["cancel", &token, "--timeout", "3s"]);
    // On a machine that is slow beyond measure, the call took all of that.
    let code = refused.status.code().unwrap();
    assert!(
        code == 124 || code == 1 && err(&refused).contains("if this one has ended"),
        "{}",
        err(&refused)
    );
    assert_eq!(stage.calls("GetResourceRequestStatus"), 0);

    asked_to_be_asked_at(1);
    let ended = stage.run(&["cancel", &token]);
    exits(&ended, 1);
    let too_late = "ended as SUCCESS before it could be cancelled";
    assert!(err(&ended).contains(too_late), "{}", err(&ended));
    assert_eq!(stage.calls("GetResourceRequestStatus"), 1);
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
fn a_call_that_is_broken_off_is_tried_again_and_that_its_outcome_is_not_known_is_said() {
    let stage = Stage::new(&[QUICK, "\n[faults]\nresets = 1.0\n"]);
    let broken = stage.run(&create(&["--client-token", "again"]));
    exits(&broken, 1);
    let told = err(&broken);
    assert!(told.contains("--client-token again begins it, or finds it"), "{told}");
    assert_eq!(stage.calls("CreateResource"), 4);
}

#[test]
fn an_endpoint_that_is_down_is_tried_again_and_that_nothing_was_sent_is_said() {
    let stage = Stage::new(&[QUICK]);
    let token = stage.begun(&create_slow(&[]));
    // Nothing listens on port 9 here.
    stage.configure("http://127.0.0.1:9");
    let refused = stage.run(&create(&["--client-token", "again"]));
    exits(&refused, 1);
    let told = err(&refused);
    assert!(
        told.ends_with("No connection was made, so no request has begun\n"),
        "{told}"
    );
    assert_eq!(stage.count("SELECT count(*) FROM v_requests"), 1);

    let waited = stage.run(&["wait", &token, "--timeout", "8s"]);
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
    let begun = run(&create_slow(&[&own[..], &direct, &["--no-wait"]].concat()));
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
fn a_history_that_is_busy_is_waited_for_with_an_answer_in_hand() {
    let stage = Stage::new(&[QUICK]);
    exits(&stage.run(&create(&["--no-wait"])), 0);
    let mut connection = Connection::open(stage.path("history.db")).unwrap();
    let transaction = rusqlite::Transaction::new(&mut connection, rusqlite::TransactionBehavior::Immediate).unwrap();
    let mut working = stage.start(&create(&["--no-wait"]));
    working.says("it is remembered as soon as that can be");
    transaction.rollback().unwrap();
    working.ends_with(0);
    assert_eq!(stage.count("SELECT count(*) FROM v_requests"), 2);
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

/// Else the service could not open its own history.
#[test]
fn what_root_begins_before_the_service_does_is_the_services_all_the_same() {
    const USER: u32 = 61_184;
    let stage = Stage::new(&[QUICK]);
    if chown(stage.folder.path(), Some(USER), Some(USER)).is_err() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    exits(&stage.run(&create(&[])), 0);
    for name in ["history.db", "history.db.lock"] {
        let about = std::fs::metadata(stage.path(name)).unwrap();
        assert_eq!(
            (about.uid(), about.gid(), about.mode() & 0o777),
            (USER, USER, 0o600),
            "{name}"
        );
    }
    // What someone made there is no one else's.
    chown(stage.path("history.db"), Some(USER + 1), None).unwrap();
    exits(&stage.run(&create(&[])), 0);
    assert_eq!(std::fs::metadata(stage.path("history.db")).unwrap().uid(), USER + 1);
}
