//! `ccwatch history restore` as whole processes: beside a daemon, killed, on a full disk, and done twice.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ccwatch::decide::routing::Routing;
use ccwatch::history::{History, Reader};
use ccwatch::model::{
    AccountId, ProgressEvent, Region, RequestKey, RequestStatus, RequestToken, Seen, Sighting, Source, TargetName,
    Timestamp,
};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tempfile::TempDir;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn ccwatch(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
    command.args(arguments).stdin(Stdio::null());
    for name in ["CCWATCH_HISTORY", "CCWATCH_CONFIG"] {
        command.env_remove(name);
    }
    command
}

fn well(arguments: &[&str]) -> String {
    let output = ccwatch(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", complaint(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(arguments: &[&str], code: i32) -> String {
    let output = ccwatch(arguments).output().unwrap();
    let told = complaint(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    told
}

fn complaint(output: &Output) -> String {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!told.contains("panicked"), "{told}");
    told
}

/// A folder with a history in it, and a backup of an earlier state elsewhere.
struct State {
    folder: TempDir,
    backups: TempDir,
}

impl State {
    /// So many requests in the backup, and as many more in the history, of which a daemon was killed.
    fn new(requests: u32) -> Self {
        let state = Self::empty();
        let live = tempfile::tempdir().unwrap();
        let path = live.path().join("history.db");
        let history = History::open(&path).unwrap();
        record(&history, "early", requests);
        well(&[
            "history",
            "backup",
            &state.backup(),
            "--history",
            path.to_str().unwrap(),
        ]);
        record(&history, "late", requests);
        for suffix in ["", "-wal", "-shm"] {
            let from = live.path().join(format!("history.db{suffix}"));
            fs::copy(from, format!("{}{suffix}", state.history())).unwrap();
        }
        state
    }

    fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            backups: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn history(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    fn backup(&self) -> String {
        self.backups.path().join("ccwatch-Mon.db").to_str().unwrap().to_owned()
    }

    fn restore(&self) -> String {
        well(&["history", "restore", &self.backup(), "--history", &self.history()])
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// What histories were moved aside.
    fn before(&self) -> Vec<PathBuf> {
        let names = self.names().into_iter();
        names
            .filter(|name| name.contains(".before-"))
            .map(|name| self.folder.path().join(name))
            .collect()
    }
}

fn record(history: &History, tokens: &str, requests: u32) {
    let region = Region("eu-west-1".into());
    let (name, account) = (TargetName::new("prod", &region), AccountId("111122223333".into()));
    let target = history
        .write(|tx| {
            let target = tx.register_target(&name, Some(&account), &region, START)?.target.id;
            tx.begin_baseline(target, START)?;
            tx.complete_baseline(target, START)?;
            Ok(target)
        })
        .unwrap();
    let seen: Vec<_> = (0..requests)
        .map(|number| {
            let token = RequestToken::new(format!("{tokens}{number}"));
            let event = ProgressEvent {
                type_name: Some("AWS::S3::Bucket".into()),
                status: Some(RequestStatus::Success),
                event_time: Some(START),
                ..ProgressEvent::of(token.clone())
            };
            Sighting {
                key: RequestKey { target, token },
                seen_at: START,
                source: Source::List,
                seen: Seen::Event(Box::new(event), None),
            }
        })
        .collect();
    history.write(|tx| tx.record(&seen, &Routing::default())).unwrap();
}

/// How many requests it knows, once it was found to keep all laws.
fn requests(path: &Path) -> u32 {
    well(&["history", "check", "--history", path.to_str().unwrap()]);
    let summary = Reader::open(path).unwrap().summary().unwrap();
    summary.requests.iter().map(|(_, count)| count).sum()
}

#[test]
fn a_backup_is_restored_twice_and_each_history_before_is_kept_as_it_was() {
    let state = State::new(20);
    let told = state.restore();
    let before = state.before();
    assert_eq!((before.len(), requests(&state.path())), (1, 20));
    assert_eq!(requests(&before[0]), 40);
    assert_eq!(
        state.names().len(),
        3,
        "the history, the one before and the lock: {:?}",
        state.names()
    );
    // Each line that says what to do next does it.
    let next: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(next.len(), 3, "{told}");
    assert_eq!(next[1], "systemctl start ccwatch");
    for line in [next[0], next[2]] {
        let line = line.replace("ccwatch ", &format!("{} ", env!("CARGO_BIN_EXE_ccwatch")));
        let done = Command::new("sh")
            .args(["-c", &line])
            .env("USER", "ada")
            .output()
            .unwrap();
        assert!(done.status.success(), "{line}: {}", complaint(&done));
    }
    assert!(well(&["silence", "list", "--history", &state.history()]).contains("kind=*"));
    assert_eq!(requests(&state.path()), 40, "the import brought the others");

    state.restore();
    let before = state.before();
    assert_eq!((before.len(), requests(&state.path())), (2, 20));
    assert_eq!((requests(&before[0]), requests(&before[1])), (40, 40));
    // A daemon goes on with it.
    record(&History::open(&state.path()).unwrap(), "new", 5);
    assert_eq!(requests(&state.path()), 25);
}

#[test]
fn what_can_not_be_restored_is_said_and_changes_nothing() {
    let state = State::new(5);
    let (history, backup) = (state.history(), state.backup());
    let restore = |backup: &str, code| refused(&["history", "restore", backup, "--history", &history], code);
    let held = History::open(&state.path()).unwrap();
    let names = state.names();
    assert!(restore(&backup, 1).contains("held by another ccwatch"));
    assert_eq!(state.names(), names);
    drop(held);
    let names = state.names();
    for part in ["", ".lock"] {
        assert!(restore(&format!("{history}{part}"), 2).contains("the history itself"));
    }
    assert!(restore("/no/such/backup.db", 2).contains("no such file"));
    let text = state.backups.path().join("text");
    fs::write(&text, "text").unwrap();
    assert!(restore(text.to_str().unwrap(), 1).contains("not an SQLite file"));
    let newer = state.backups.path().join("newer.db");
    fs::copy(&backup, &newer).unwrap();
    let connection = Connection::open(&newer).unwrap();
    connection.pragma_update(None, "user_version", 4711).unwrap();
    drop(connection);
    assert!(restore(newer.to_str().unwrap(), 1).contains("newer ccwatch"));
    let half = state.backups.path().join("half.db");
    let bytes = fs::read(&backup).unwrap();
    fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    assert!(restore(half.to_str().unwrap(), 1).contains("is damaged"));
    let nowhere = refused(&["history", "restore", &backup, "--history", "/no/such/folder/h.db"], 2);
    assert!(nowhere.contains("/no/such/folder"), "{nowhere}");
    assert_eq!(state.names(), names);
    assert_eq!(requests(&state.path()), 10);
}

/// Its journal says the size that the file had before, as another file's would. This test's own program is the one that writes.
#[test]
fn a_transaction_that_is_under_way_is_not_taken_for_what_another_file_left() {
    let state = State::new(5);
    let writer = Connection::open(state.path()).unwrap();
    let mode: String = writer
        .pragma_update_and_check(None, "journal_mode", "delete", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "delete");
    let before = fs::metadata(state.path()).unwrap().len();
    writer
        .execute_batch(
            "PRAGMA cache_spill = 1; PRAGMA cache_size = 1;
             BEGIN; CREATE TABLE more (more); INSERT INTO more VALUES (zeroblob(2000000))",
        )
        .unwrap();
    assert!(fs::metadata(state.path()).unwrap().len() > before + 1_000_000);
    let names = state.names();
    assert!(names.contains(&"history.db-journal".to_owned()), "{names:?}");

    let history = ["--history", &state.history()];
    let read = refused(&[&["requests"][..], &history].concat(), 1);
    assert!(read.contains("locked") && !read.contains("journal"), "{read}");
    let restored = refused(&[&["history", "restore", &state.backup()][..], &history].concat(), 1);
    assert!(restored.contains("open in another program"), "{restored}");

    writer.execute_batch("COMMIT; DROP TABLE more").unwrap();
    drop(writer);
    assert_eq!(requests(&state.path()), 10);
    state.restore();
    assert_eq!(requests(&state.path()), 5);
}

#[test]
fn what_sqlite_can_not_open_is_not_replaced_while_someone_has_it_open() {
    let state = State::new(5);
    let reader = Connection::open(state.path()).unwrap();
    reader.execute_batch("SELECT * FROM requests").unwrap();
    // By another process: this one would lose its locks.
    let copied = Command::new("cp").args([state.backup(), state.history()]).status();
    assert!(copied.unwrap().success());
    let restore = ["history", "restore", &state.backup(), "--history", &state.history()];
    let told = refused(&restore, 1);
    assert!(told.contains("open in another program"), "{told}");
    assert!(state.before().is_empty());
    // It leaves as one that was killed would, and takes its log for no one's.
    reader
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .unwrap();
    drop(reader);
    well(&restore);
    assert_eq!(requests(&state.path()), 5);
}

#[test]
fn a_history_that_is_damaged_or_gone_is_replaced() {
    let state = State::new(5);
    let garbage = vec![b'x'; 5000];
    fs::write(state.path(), &garbage).unwrap();
    let told = state.restore();
    assert!(
        told.contains("can't be read") && !told.contains("history import"),
        "{told}"
    );
    assert_eq!(requests(&state.path()), 5);
    let before = state.before();
    let suffixes: Vec<_> = before
        .iter()
        .map(|path| path.to_str().unwrap().rsplit('Z').next().unwrap())
        .collect();
    assert_eq!(suffixes, ["", "-shm", "-wal"]);
    assert!(fs::read(&before[0]).unwrap() == garbage);

    let none = State::empty();
    fs::copy(state.backup(), none.backup()).unwrap();
    let told = none.restore();
    assert!(!told.contains("what was there before"), "{told}");
    assert_eq!(requests(&none.path()), 5);
    assert_eq!(none.names(), ["history.db", "history.db.lock"]);
    assert_eq!(fs::metadata(none.path()).unwrap().mode() & 0o777, 0o600);

    // By a link, and with a name that a shell takes for several words.
    let linked = State::empty();
    fs::copy(state.backup(), linked.backup()).unwrap();
    fs::copy(state.path(), linked.folder.path().join("it's real.db")).unwrap();
    symlink("it's real.db", linked.path()).unwrap();
    let told = linked.restore();
    assert!(told.contains(r#"it's real.db""#), "{told}");
    assert!(fs::symlink_metadata(linked.path()).unwrap().is_symlink());
    assert_eq!(requests(&linked.path()), 5);
    assert_eq!(linked.before().len(), 1);
}

/// Under systemd the service's user is another one than root, and has no name while it is stopped.
#[test]
fn root_restores_for_the_user_whose_history_it_is() {
    const USER: u32 = 61_184;
    let state = State::new(5);
    if chown(state.folder.path(), Some(USER), Some(USER)).is_err() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let owner = |name: &str| {
        let about = fs::metadata(state.folder.path().join(name)).unwrap();
        (about.uid(), about.gid(), about.mode() & 0o777)
    };
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", state.history());
        chown(&path, Some(USER), Some(USER + 1)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    }
    state.restore();
    assert_eq!(owner("history.db"), (USER, USER + 1, 0o640));
    assert_eq!(owner("history.db.lock"), (USER, USER + 1, 0o600));
    let before = state.before();
    assert_eq!(
        owner(before[0].file_name().unwrap().to_str().unwrap()),
        (USER, USER + 1, 0o640)
    );
    // Of none, the folder's.
    for name in state.names() {
        fs::remove_file(state.folder.path().join(name)).unwrap();
    }
    state.restore();
    for name in ["history.db", "history.db.lock"] {
        assert_eq!(owner(name), (USER, USER, 0o600), "{name}");
    }
    // Another user than that can't.
    let mut other = Command::new("setpriv");
    other.args([
        "--reuid",
        "61185",
        "--regid",
        "61185",
        "--clear-groups",
        env!("CARGO_BIN_EXE_ccwatch"),
    ]);
    let Ok(output) = other
        .args(["history", "restore", &state.backup(), "--history", &state.history()])
        .output()
    else {
        eprintln!("skipped in part: there is no setpriv");
        return;
    };
    assert!(!output.status.success());
    assert_eq!(state.names(), ["history.db", "history.db.lock"]);
}

/// The shell's limit on the size of a file stands for a full disk.
#[test]
fn where_there_is_no_room_everything_stays_as_it_was() {
    let state = State::new(300);
    drop(History::open(&state.path()).unwrap());
    let names = state.names();
    let line = r#"trap '' XFSZ; ulimit -f 200; exec "$0" history restore "$1" --history "$2""#;
    let output = Command::new("sh")
        .args([
            "-c",
            line,
            env!("CARGO_BIN_EXE_ccwatch"),
            &state.backup(),
            &state.history(),
        ])
        .output()
        .unwrap();
    let told = complaint(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        fs::metadata(state.backup()).unwrap().len() > 200 * 512,
        "it would have had room"
    );
    assert_eq!(state.names(), names, "{told}");
    assert_eq!(requests(&state.path()), 600);
    state.restore();
    assert_eq!(requests(&state.path()), 300);
}

#[test]
fn one_that_is_killed_leaves_a_whole_history_and_the_next_one_comes_to_its_end() {
    let state = State::new(2000);
    let mut killed = 0;
    for round in 0..10 {
        let mut child = ccwatch(&["history", "restore", &state.backup(), "--history", &state.history()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Killed as soon as the hidden copy, or the second name, is seen.
        let what = if round % 2 == 0 { ".partial" } else { ".before-" };
        let known = state.before().len();
        let is_seen =
            |names: Vec<String>| names.iter().filter(|name| name.contains(what)).count() > known * (round % 2);
        while !is_seen(state.names()) && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        let _ = child.kill();
        killed += usize::from(child.wait().unwrap().signal().is_some());
        // Whichever it is.
        assert!([4000, 2000].contains(&requests(&state.path())));
        if round % 4 > 1 {
            drop(History::open(&state.path()).unwrap());
        }
    }
    assert!(killed > 0, "none was killed at its work");
    state.restore();
    assert_eq!(requests(&state.path()), 2000);
    let left = |name: &String| name.contains("partial") || name.ends_with("-wal") || name.ends_with("-shm");
    assert!(!state.names().iter().any(left), "{:?}", state.names());
}
