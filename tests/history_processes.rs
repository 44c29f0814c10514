//! One history and several processes: a daemon that writes, a reader, a second daemon, a SIGKILL, and a user who may not
//! do everything.
//!
//! The other process is this test's own program, told by an environment variable to play that part.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ccwatch::decide::route::Route;
use ccwatch::decide::routing::Routing;
use ccwatch::history::{Filter, History, OpenError, Reader};
use ccwatch::model::{
    ProgressEvent, Region, RequestKey, RequestStatus, RequestToken, Seen, Sighting, Source, TargetName, Timestamp,
};

const HISTORY: &str = "CCWATCH_TEST_HISTORY";

/// The history that another test has started this one for, as a process. `None` in an ordinary run, in which the parts
/// below have nothing to do.
fn history_path() -> Option<PathBuf> {
    std::env::var_os(HISTORY).map(PathBuf::from)
}

/// Records without an end, to be killed. Each batch takes ten requests from their begin to their end.
#[test]
fn the_part_of_a_daemon() {
    let Some(path) = history_path() else { return };
    let history = History::open(&path).unwrap();
    let region = Region("eu-west-1".into());
    let name = TargetName::new("prod", &region);
    let start = Timestamp::from_millis(1_795_328_880_000);
    let target = history
        .write(|tx| {
            let target = tx.register_target(&name, None, &region, start)?.target.id;
            tx.begin_baseline(target, start)?;
            tx.complete_baseline(target, start)?;
            Ok(target)
        })
        .unwrap();
    let everything = Route {
        name: "all".into(),
        to: vec!["team".into()],
        ..Route::default()
    };
    let routing = Routing::from(vec![everything]);
    println!("\nready");
    for number in 0..u32::MAX {
        let seen = |request: u32, status: RequestStatus| {
            let token = RequestToken::new(format!("{}-{number}-{request}", std::process::id()));
            let event = ProgressEvent {
                status: Some(status),
                ..ProgressEvent::of(token.clone())
            };
            Sighting {
                key: RequestKey { target, token },
                seen_at: start,
                source: Source::List,
                seen: Seen::Event(Box::new(event), None),
            }
        };
        let batch: Vec<Sighting> = [
            RequestStatus::Pending,
            RequestStatus::InProgress,
            RequestStatus::Success,
        ]
        .into_iter()
        .flat_map(|status| (0..10).map(move |request| (request, status.clone())))
        .map(|(request, status)| seen(request, status))
        .collect();
        history.write(|tx| tx.record(&batch, &routing)).unwrap();
    }
}

fn start_daemon(path: &Path) -> Child {
    let mut daemon = Command::new(std::env::current_exe().unwrap())
        .args(["the_part_of_a_daemon", "--exact", "--nocapture"])
        .env(HISTORY, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(daemon.stdout.take().unwrap());
    assert!(
        stdout.lines().any(|line| line.unwrap() == "ready"),
        "the daemon ended early"
    );
    daemon
}

#[test]
fn readers_follow_a_daemon_that_is_killed_and_another_takes_over_where_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut followed = 0;
    for life in 1..=3 {
        let mut daemon = start_daemon(&path);
        let reader = Reader::open(&path).unwrap();

        let held = History::open(&path).unwrap_err();
        assert!(matches!(held, OpenError::Held { .. }), "{held}");
        assert!(
            held.to_string().contains(&format!("process {},", daemon.id())),
            "{held}"
        );

        // While it writes, what a reader sees grows by whole batches, without a hole.
        while followed < life * 900 {
            let changes = reader
                .changes_after(&Filter::default(), followed, 1_000_000)
                .unwrap()
                .changes;
            for change in &changes {
                followed += 1;
                assert_eq!(change.id, followed);
            }
            assert_eq!(followed % 30, 0, "half a batch was seen");
        }
        daemon.kill().unwrap();
        daemon.wait().unwrap();

        let left = reader
            .changes_after(&Filter::default(), followed, 1_000_000)
            .unwrap()
            .changes;
        followed += i64::try_from(left.len()).unwrap();
        assert_eq!(followed % 30, 0, "half a batch was left behind");
        let summary = reader.summary().unwrap();
        assert_eq!(i64::from(summary.changes), followed);
        assert_eq!(summary.deliveries, [("pending".to_owned(), summary.changes)]);
        assert_eq!(summary.requests, [(Some("SUCCESS".to_owned()), summary.changes / 3)]);

        let connection = rusqlite::Connection::open(&path).unwrap();
        let check: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok");
    }
    drop(History::open(&path).unwrap());
}

#[test]
fn the_part_of_a_user() {
    let Some(path) = history_path() else { return };
    match History::open(&path) {
        Ok(_) => println!("\nopened"),
        Err(error) => println!("\n{error:?}\n{error}"),
    }
    match Reader::open(&path).map(|reader| reader.summary()) {
        Ok(Ok(_)) => println!("read"),
        Ok(Err(error)) => println!("{error:?}"),
        Err(error) => println!("{error:?}"),
    }
}

/// What the user may do with each.
#[derive(Clone, Copy)]
struct Modes {
    folder: u32,
    file: u32,
    lock: u32,
}

const ALL: Modes = Modes {
    folder: 0o777,
    file: 0o666,
    lock: 0o666,
};

/// Whether a process holds the history, and since when.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Not,
    /// When it has its permissions already.
    SinceThen,
    /// It is given them later.
    Before,
    /// None does, and what another user's left beside it may only be read.
    Once,
}

/// What a user without privileges is told who opens a history with these permissions, while this process holds it, or
/// while none does.
fn as_a_user(modes: Modes, held: Held) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("program");
    // By a process of its own: a descriptor of this one, open for writing while another test forks, would make the copy
    // "text file busy".
    let mut copy = Command::new("cp");
    copy.arg(std::env::current_exe().unwrap()).arg(&program);
    assert!(copy.status().unwrap().success());
    let state = folder.path().join("state");
    fs::create_dir(&state).unwrap();
    let path = state.join("history.db");
    drop(History::open(&path).unwrap());
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    set(&state.join("history.db.lock"), modes.lock);
    let is_left = held == Held::Once;
    let hold = |when| (held == when).then(|| History::open(&path).unwrap());
    let before = hold(Held::Before);
    set(&path, modes.file);
    let held = before.or_else(|| hold(Held::SinceThen));
    if is_left {
        fs::write(state.join("history.db-shm"), "").unwrap();
        set(&state.join("history.db-shm"), 0o444);
    }
    set(&state, modes.folder);
    let mut user = Command::new(program);
    user.args(["the_part_of_a_user", "--exact", "--nocapture"])
        .current_dir("/")
        .env(HISTORY, &path);
    // Root may do everything, so it has to be someone else.
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        user.uid(65534).gid(65534);
    }
    let output = user.output().unwrap();
    drop(held);
    set(&state, 0o755);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_user_who_may_do_everything_opens_it() {
    let told = as_a_user(ALL, Held::Not);
    assert!(told.contains("opened\nread"), "{told}");
}

#[test]
fn a_user_who_may_only_read_the_file_is_told_so_and_can_read_it() {
    let told = as_a_user(Modes { file: 0o444, ..ALL }, Held::Not);
    assert!(told.contains("ReadOnly {"), "{told}");
    assert!(told.contains("state/history.db can't be written to"), "{told}");
    assert!(told.contains("\nread\n"), "{told}");
}

#[test]
fn a_user_who_may_not_read_the_file_is_told_so() {
    let told = as_a_user(Modes { file: 0o000, ..ALL }, Held::Not);
    assert!(told.contains("File {"), "{told}");
    assert!(told.contains("state/history.db: Permission denied"), "{told}");
}

#[test]
fn a_user_who_may_not_write_in_the_folder_is_told_so() {
    let told = as_a_user(Modes { folder: 0o555, ..ALL }, Held::Not);
    assert!(told.contains("ReadOnly {"), "{told}");
    assert!(told.contains("ReadOnlyFolder {"), "{told}");
}

#[test]
fn to_be_allowed_to_read_the_file_is_enough_to_follow_a_daemon() {
    let told = as_a_user(
        Modes {
            folder: 0o755,
            file: 0o644,
            lock: 0o600,
        },
        Held::SinceThen,
    );
    assert!(told.contains("\nread\n"), "{told}");
}

/// What is beside the file has the permissions that the file had when the daemon came.
#[test]
fn a_user_who_was_let_in_after_the_daemon_came_is_told_what_is_still_closed() {
    let told = as_a_user(
        Modes {
            folder: 0o755,
            file: 0o644,
            lock: 0o600,
        },
        Held::Before,
    );
    assert!(told.contains("NotAllowedBeside {"), "{told}");
    assert!(told.contains("state/history.db-"), "{told}");
}

#[test]
fn a_user_who_may_not_write_what_was_left_beside_the_file_is_told_which() {
    let told = as_a_user(ALL, Held::Once);
    assert!(told.contains("NotWritableBeside {"), "{told}");
    assert!(told.contains("state/history.db-"), "{told}");
}

#[test]
fn a_lock_that_is_another_users_is_named() {
    let told = as_a_user(Modes { lock: 0o600, ..ALL }, Held::Not);
    assert!(told.contains("state/history.db.lock: Permission denied"), "{told}");
}
