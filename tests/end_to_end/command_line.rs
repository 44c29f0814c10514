//! What the commands print, and how they exit.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rusqlite::{Connection, OpenFlags};

fn ccwatch(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ccwatch"))
        .args(arguments)
        .env_remove("CCWATCH_CONFIG")
        .env_remove("CCWATCH_HISTORY")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn count(history: &Path, sql: &str) -> i64 {
    let connection = Connection::open_with_flags(history, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A config whose history is `history`, and that needs no network to fail or succeed.
fn config(folder: &Path, history: &str) -> String {
    let path = folder.join("ccwatch.toml");
    let text = format!(
        "[history]\npath = \"{history}\"\n[[targets]]\nname = \"t\"\nregions = \"eu-west-1\"\naccount_id = \"123456789012\"\nendpoint_url = \"http://127.0.0.1:9\"\n"
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_demo_shows_every_outcome_and_what_to_try_next() {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("demo.db");
    let path = history.to_str().unwrap();
    let demo = ccwatch(&["demo", "--for", "30s", "--history", path]);
    assert!(demo.status.success(), "{}", err(&demo));

    for status in ["SUCCESS", "FAILED"] {
        let sql = format!("SELECT count(*) FROM v_requests WHERE status = '{status}' AND finished_at IS NOT NULL");
        assert!(count(&history, &sql) > 0, "no {status}");
    }
    for (status, mode) in [
        ("HOOK_COMPLETE_SUCCEEDED", "FAIL"),
        ("HOOK_COMPLETE_SUCCEEDED", "WARN"),
        ("HOOK_COMPLETE_FAILED", "FAIL"),
        ("HOOK_COMPLETE_FAILED", "WARN"),
    ] {
        let sql = format!("SELECT count(*) FROM v_hooks WHERE status = '{status}' AND failure_mode = '{mode}'");
        assert!(count(&history, &sql) > 0, "no {status} with {mode}");
    }
    assert!(count(&history, "SELECT count(*) FROM v_hooks WHERE status = 'HOOK_FAILED'") > 0);
    let changes = count(&history, "SELECT count(*) FROM v_changes");
    let sent = count(&history, "SELECT count(*) FROM v_deliveries WHERE state = 'sent'");
    assert_eq!(changes, sent);

    // The commands that it names do work, and what they print to a pipe has no colours.
    let text = out(&demo);
    let tries: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("  ") && line.contains(" --history "))
        .collect();
    assert_eq!(tries.len(), 2, "{text}");
    for line in tries {
        let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
        let output = ccwatch(&arguments);
        assert!(output.status.success(), "{line}: {}", err(&output));
        assert!(out(&output).lines().count() > 3, "{line}");
        assert!(!out(&output).contains('\u{1b}'), "{line}");
    }
    let events = ccwatch(&["events", "--history", path, "--limit", "0", "--format", "jsonl"]);
    assert_eq!(i64::try_from(out(&events).lines().count()).unwrap(), changes);

    let again = ccwatch(&["demo", "--history", path]);
    assert_eq!(again.status.code(), Some(2));
    assert!(err(&again).contains("is there already"));
}

/// `ccwatch demo | head -1`
#[test]
fn a_demo_that_no_one_reads_any_more_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_ccwatch"))
        .args(["demo", "--history"])
        .arg(folder.path().join("demo.db"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    // The reader is dropped, and the pipe closed, with the first line.
    BufReader::new(demo.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.contains("demo/eu-west-1"), "{line}");
    let ended = demo.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", err(&ended));
    assert!(err(&ended).ends_with("Ctrl-C ends it.\n\n"), "{}", err(&ended));
}

#[test]
fn wrong_arguments_exit_with_2() {
    for arguments in [
        &["sweep"][..],
        &["show"],
        &["requests", "--limit", "many"],
        &["demo", "--for", "soon"],
    ] {
        let output = ccwatch(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(err(&output).contains("--help"), "{}", err(&output));
    }
}

#[test]
fn a_wrong_configuration_exits_with_78_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.toml");
    let output = ccwatch(&["run", "--config", missing.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(78));
    assert!(err(&output).contains("none.toml"), "{}", err(&output));

    let path = folder.path().join("bad.toml");
    std::fs::write(&path, "[poll]\ndiscover_evry = \"10s\"\nidle_every = \"soon\"\n").unwrap();
    for command in ["run", "check"] {
        let output = ccwatch(&[command, "--config", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(78));
        let told = err(&output);
        assert!(
            told.contains("bad.toml:2:1: ") && told.contains("discover_every"),
            "{told}"
        );
        assert!(told.contains("bad.toml:3:14: "), "{told}");
    }
}

/// What systemd gives to the service alone is no reason to refuse a file before a restart.
#[test]
fn a_credential_of_the_service_is_noted_by_check_and_needed_by_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), "history.db");
    let receiver = "[[receivers]]\nname = \"chat\"\ntype = \"slack\"\nurl = { credential = \"slack-url\" }\n\
                    [[routes]]\nname = \"all\"\nto = \"chat\"\n";
    let text = std::fs::read_to_string(&path).unwrap() + receiver;
    std::fs::write(&path, text).unwrap();
    let ccwatch = |command: &str, credentials: Option<&Path>| {
        let mut ccwatch = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
        ccwatch
            .args([command, "--config", &path])
            .env_remove("CREDENTIALS_DIRECTORY");
        ccwatch.envs(credentials.map(|folder| ("CREDENTIALS_DIRECTORY", folder)));
        ccwatch.stdin(Stdio::null()).output().unwrap()
    };
    let checked = ccwatch("check", None);
    assert_eq!(checked.status.code(), Some(0), "{}", err(&checked));
    let note = format!(
        "note: {path}:11:22: receivers[0].url.credential: the credential \"slack-url\" can't be looked at here: systemd gives it \
         to the service alone\n"
    );
    assert!(out(&checked).ends_with(&note), "{}", out(&checked));
    // In the service's own place it is looked at.
    for (command, credentials) in [
        ("run", None),
        ("check", Some(folder.path())),
        ("run", Some(folder.path())),
    ] {
        let refused = ccwatch(command, credentials);
        assert_eq!(refused.status.code(), Some(78), "{}", err(&refused));
        assert!(
            err(&refused).contains("LoadCredential=NAME:PATH in a drop-in (systemctl edit ccwatch)"),
            "{}",
            err(&refused)
        );
    }
}

/// journald has a time and a priority for each line.
#[test]
fn what_the_journal_reads_has_no_time_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), "history.db");
    let text = std::fs::read_to_string(&path).unwrap() + "[[receivers]]\nname = \"out\"\ntype = \"log\"\n";
    std::fs::write(&path, text).unwrap();
    let journal = folder.path().join("journal");
    let journal = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(journal)
        .unwrap();
    let metadata = journal.metadata().unwrap();
    let stream = format!("{}:{}", metadata.dev(), metadata.ino());
    let told = |arguments: &[&str], stream: &str| {
        journal.set_len(0).unwrap();
        let mut ccwatch = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
        ccwatch.args(arguments).args(["--config", &path]).stdin(Stdio::null());
        ccwatch.env("JOURNAL_STREAM", stream).env_remove("CCWATCH_LOG_FORMAT");
        ccwatch
            .stdout(journal.try_clone().unwrap())
            .stderr(journal.try_clone().unwrap());
        ccwatch.status().unwrap();
        std::fs::read_to_string(folder.path().join("journal")).unwrap()
    };
    let test = &["notify", "test", "out"][..];
    let is_timed = |line: &str| line.get(4..5) == Some("-") && line.get(10..11) == Some("T");
    let read = told(test, &stream);
    assert!(!read.lines().any(is_timed), "{read}");
    assert!(read.contains("AWS::"), "{read}");
    // Inherited from a service, and led elsewhere.
    let elsewhere = told(test, "1:1");
    assert!(elsewhere.lines().any(is_timed), "{elsewhere}");
    let refused = &["notify", "test", "nobody"][..];
    assert!(told(refused, &stream).starts_with("<3>"));
    assert!(!told(refused, "1:1").contains("<3>"));
}

#[test]
fn a_history_that_can_not_be_used_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    std::fs::write(&text, "not a database, and long enough to be read as the header of one").unwrap();
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    for (history, words) in [("text.db", "not an SQLite file"), ("foreign.db", "no ccwatch history")] {
        let output = ccwatch(&["run", "--config", &config(folder.path(), history)]);
        assert_eq!(output.status.code(), Some(78), "{}", err(&output));
        assert!(
            err(&output).contains(words) && err(&output).contains(history),
            "{}",
            err(&output)
        );
        let path = folder.path().join(history);
        let output = ccwatch(&["requests", "--history", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{}", err(&output));
        assert!(err(&output).contains(words), "{}", err(&output));
    }
    let output = ccwatch(&["requests", "--history", folder.path().join("none.db").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("none.db"));
    assert!(!folder.path().join("none.db").exists());
}

#[test]
fn a_history_that_another_ccwatch_holds_is_left_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "history.db");
    let held = ccwatch::history::History::open(&folder.path().join("history.db")).unwrap();
    let output = ccwatch(&["run", "--config", &config]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(
        err(&output).contains(&std::process::id().to_string()),
        "{}",
        err(&output)
    );
    drop(held);
    // Reading needs no lock, and the configuration leads to the file.
    let output = ccwatch(&["requests", "--config", &config]);
    assert!(output.status.success(), "{}", err(&output));
    let history = folder.path().join("history.db");
    let history = history.display();
    assert_eq!(err(&output), format!("no requests match in {history}\n"));
    let output = ccwatch(&["show", "abc", "--config", &config]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains(&format!("no request in {history} has a token that begins with `abc`")));
}

#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history.db");
    drop(ccwatch::history::History::open(&history).unwrap());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_ccwatch"))
        .args(["requests", "--format", "json", "--history", history.to_str().unwrap()])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
}
