use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::super::fixtures::{Scene, event};
use super::super::{History, OpenError, Reader};
use super::beside::named;
use super::*;
use crate::model::RequestStatus::Pending;

fn refused(path: &Path) -> OpenError {
    History::open(path).unwrap_err()
}

/// Says what is wrong, names the path, and tells what to do.
fn assert_helpful(error: &OpenError, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

fn foreign_database(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
}

#[test]
fn a_new_history_and_its_folder_are_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/ccwatch/history.db");
    let _history = History::open(&path).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let beside = |suffix| PathBuf::from(format!("{}{suffix}", path.display()));
    for file in [path.clone(), beside("-wal"), beside("-shm"), beside(".lock")] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_history_is_there_again_after_it_was_closed() {
    let scene = Scene::new();
    scene.record(&[scene.seen(1, event("a", Pending))]);
    let path = scene.path();
    let Scene { history, folder, .. } = scene;
    drop(history);
    assert!(
        !folder.path().join("history.db-wal").exists(),
        "the last one out folds the WAL in"
    );
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.summary().unwrap().changes, 1);
    drop(reader);
    drop(History::open(&path).unwrap());
}

#[test]
fn commits_are_made_to_last() {
    let scene = Scene::new();
    let pragma = |name: &str| scene.rows(&format!("PRAGMA {name}"))[0][0].clone();
    assert_eq!(pragma("journal_mode"), "wal");
    assert_eq!(pragma("synchronous"), 2);
    assert_eq!(pragma("foreign_keys"), 1);
    assert_eq!(pragma("secure_delete"), 1);
    assert_eq!(pragma("busy_timeout"), 5000);
    assert_eq!(pragma("application_id"), APPLICATION_ID);
    assert_eq!(pragma("user_version"), known_version());
}

#[test]
fn a_file_that_is_not_sqlite_is_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("short", b"x".to_vec()),
        ("notes.txt", "SQLite is nice. ".repeat(1000).into_bytes()),
        ("cut.db", b"SQLite format 3\0".to_vec()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, &content).unwrap();
        let error = refused(&path);
        assert!(matches!(error, OpenError::NotSqlite { .. }), "{error}");
        assert_helpful(&error, &[name, "not an SQLite file", "another path"]);
        assert!(matches!(Reader::open(&path), Err(OpenError::NotSqlite { .. })));
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn another_programs_database_is_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("songs.db");
    foreign_database(&path);
    let before = fs::read(&path).unwrap();
    let error = refused(&path);
    assert!(matches!(error, OpenError::NotAHistory { .. }), "{error}");
    assert_helpful(&error, &["songs.db", "no ccwatch history", "another path"]);
    assert!(matches!(Reader::open(&path), Err(OpenError::NotAHistory { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing was put next to it"
    );
}

/// As `cp backup.db history.db` leaves it, where the history that was there had been killed.
#[test]
fn a_log_beside_a_copy_is_not_taken_for_the_copys_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let [copied, killed] = [Scene::new(), Scene::new()];
    copied.execute(&format!("VACUUM INTO '{}'", path.display()));
    killed.record(&[killed.seen(1, event("a", Pending))]);
    let log = named(&path, "-wal");
    fs::copy(named(&killed.path(), "-wal"), &log).unwrap();
    let link = folder.path().join("link.db");
    symlink(&path, &link).unwrap();
    let before = (fs::read(&path).unwrap(), fs::read(&log).unwrap());
    for path in [&path, &link] {
        for error in [refused(path), Reader::open(path).unwrap_err()] {
            assert!(matches!(error, OpenError::ForeignLog { .. }), "{error}");
            assert!(error.is_configuration());
            assert_helpful(
                &error,
                &["history.db-wal", "Move the log away", "ccwatch history restore"],
            );
        }
    }
    assert!((fs::read(&path).unwrap(), fs::read(&log).unwrap()) == before);
    fs::remove_file(&log).unwrap();
    assert_eq!(Reader::open(&path).unwrap().summary().unwrap().changes, 0);
}

/// A rollback journal as SQLite has it while it changes the first page of a file of so many pages.
fn journal_of(folder: &Path, pages: usize) -> Vec<u8> {
    let path = folder.join("journaled.db");
    let mut connection = Connection::open(&path).unwrap();
    let fill = format!("CREATE TABLE t (t); INSERT INTO t VALUES (zeroblob({}))", 4000 * pages);
    connection.execute_batch(&fill).unwrap();
    let transaction = connection.transaction().unwrap();
    transaction.pragma_update(None, "user_version", 7).unwrap();
    transaction
        .execute_batch("PRAGMA cache_spill = 1; PRAGMA cache_size = 1")
        .unwrap();
    transaction.execute_batch("UPDATE t SET t = zeroblob(9000000)").unwrap();
    let journal = fs::read(named(&path, "-journal")).unwrap();
    drop(transaction);
    drop(connection);
    fs::remove_file(path).unwrap();
    journal
}

#[test]
fn a_journal_of_a_file_of_another_size_is_not_played_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    Scene::new().execute(&format!("VACUUM INTO '{}'", path.display()));
    for is_in_wal_mode in [false, true] {
        if is_in_wal_mode {
            drop(History::open(&path).unwrap());
        }
        let journal = named(&path, "-journal");
        fs::write(&journal, journal_of(folder.path(), 3)).unwrap();
        let before = (fs::read(&path).unwrap(), fs::read(&journal).unwrap());
        for error in [refused(&path), Reader::open(&path).unwrap_err()] {
            assert!(matches!(error, OpenError::ForeignJournal { .. }), "{error}");
            assert!(error.is_configuration());
            assert_helpful(&error, &["history.db-journal", "move the journal away"]);
        }
        assert!((fs::read(&path).unwrap(), fs::read(&journal).unwrap()) == before);
        // What nothing was written to is no journal.
        fs::write(&journal, [0; 4616]).unwrap();
        Reader::open(&path).unwrap();
        fs::remove_file(&journal).unwrap();
    }
}

/// Killed while it turned to WAL mode: what is journaled is its own first page.
#[test]
fn a_journal_of_its_own_is_played_back() {
    const PAGE: usize = 4096;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    Scene::new().execute(&format!("VACUUM INTO '{}'", path.display()));
    let whole = fs::read(&path).unwrap();
    let mut turned = whole.clone();
    turned[18..20].fill(2);
    fs::write(&path, turned).unwrap();

    let another = journal_of(folder.path(), 3);
    let word = |at: usize| u32::from_be_bytes(another[at..at + 4].try_into().unwrap());
    let (nonce, sector) = (word(12), usize::try_from(word(20)).unwrap());
    let mut journal = another[..sector].to_vec();
    journal[8..12].copy_from_slice(&1_u32.to_be_bytes());
    journal[16..20].copy_from_slice(&u32::try_from(whole.len() / PAGE).unwrap().to_be_bytes());
    let page = &whole[..PAGE];
    // The nonce, and each two hundredth byte from the end.
    let checked = page.iter().rev().skip(199).step_by(200).map(|byte| u32::from(*byte));
    let checksum = checked.fold(nonce, u32::wrapping_add);
    journal.extend(1_u32.to_be_bytes());
    journal.extend(page);
    journal.extend(checksum.to_be_bytes());
    fs::write(named(&path, "-journal"), journal).unwrap();

    Reader::open(&path).unwrap();
    assert!(fs::read(&path).unwrap() == whole);
    assert!(!named(&path, "-journal").exists());
}

#[test]
fn what_is_no_file_beside_it_is_named_and_nothing_waits_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    drop(History::open(&path).unwrap());
    for suffix in ["-wal", "-shm", "-journal"] {
        let beside = named(&path, suffix);
        let pipe = || {
            assert!(
                std::process::Command::new("mkfifo")
                    .arg(&beside)
                    .status()
                    .unwrap()
                    .success()
            );
        };
        let folder = || fs::create_dir(&beside).unwrap();
        let link = || symlink("nowhere", &beside).unwrap();
        for make in [&pipe as &dyn Fn(), &folder, &link] {
            make();
            for error in [refused(&path), Reader::open(&path).unwrap_err()] {
                assert!(matches!(error, OpenError::Obstructed { .. }), "{error}");
                assert_helpful(&error, &[&format!("history.db{suffix}"), "move it away"]);
            }
            fs::remove_file(&beside).or_else(|_| fs::remove_dir(&beside)).unwrap();
        }
    }
    Reader::open(&path).unwrap();
}

/// Whoever reads a copy of a history that was killed reads its log as well, and changes neither.
#[test]
fn what_is_read_of_a_copy_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let scene = Scene::new();
    scene.history.fold_all().unwrap();
    scene.record(&[scene.seen(1, event("a", Pending))]);
    for suffix in ["", "-wal"] {
        fs::copy(named(&scene.path(), suffix), named(&path, suffix)).unwrap();
    }
    let contents = || ["", "-wal"].map(|suffix| fs::read(named(&path, suffix)).unwrap());
    let before = contents();
    let connection = older_reader(&path).unwrap().connection;
    let changes: i64 = connection
        .query_row("SELECT count(*) FROM changes", [], |row| row.get(0))
        .unwrap();
    assert_eq!(changes, 1);
    drop(connection);
    assert!(contents() == before);
}

#[test]
fn a_newer_schema_is_refused_and_both_versions_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    drop(History::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 4711).unwrap();
    drop(connection);
    for error in [refused(&path), Reader::open(&path).unwrap_err()] {
        assert!(matches!(error, OpenError::Newer { found: 4711, .. }), "{error}");
        let known = format!("up to {}", known_version());
        assert_helpful(&error, &["history.db", "4711", &known, "run the newer"]);
    }
}

#[test]
fn a_schema_that_was_never_made_is_made_by_the_daemon_and_refused_by_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    // What a kill between the first two steps leaves behind.
    let connection = Connection::open(&path).unwrap();
    connection
        .pragma_update(None, "application_id", APPLICATION_ID)
        .unwrap();
    drop(connection);
    let error = Reader::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::Missing { .. }), "{error}");
    assert_helpful(&error, &["history.db", "ccwatch run"]);
    drop(History::open(&path).unwrap());
    Reader::open(&path).unwrap();
}

#[test]
fn a_history_that_is_held_names_its_holder_under_any_of_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let history = History::open(&path).unwrap();
    let link = folder.path().join("link.db");
    symlink(&path, &link).unwrap();
    for name in [&path, &link] {
        let error = refused(name);
        assert!(matches!(error, OpenError::Held { .. }), "{error}");
        let process = format!("process {}", std::process::id());
        assert_helpful(
            &error,
            &["history.db", "another ccwatch", &process, "since 20", "stop that one"],
        );
    }
    Reader::open(&path).unwrap();
    let clone = history.clone();
    drop(history);
    assert!(matches!(refused(&path), OpenError::Held { .. }));
    drop(clone);
    drop(History::open(&path).unwrap());
}

#[test]
fn a_lock_file_that_no_one_holds_is_no_obstacle_and_a_hostile_one_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let lock = folder.path().join("history.db.lock");
    fs::write(&lock, "process 1\n").unwrap();
    let history = History::open(&path).unwrap();
    fs::write(&lock, format!("\x1b[2Jprocess 7{}", "x".repeat(100_000))).unwrap();
    let text = refused(&path).to_string();
    assert!(!text.contains('\x1b') && text.len() < 1000, "{text}");
    fs::write(&lock, [0xff; 100]).unwrap();
    assert_helpful(&refused(&path), &["a process that has not said which"]);
    drop(history);
    // Nothing is written to what a link leads to.
    let other = folder.path().join("other");
    fs::write(&other, "precious").unwrap();
    fs::remove_file(&lock).unwrap();
    symlink(&other, &lock).unwrap();
    assert_helpful(&refused(&path), &["history.db.lock", "symbolic links"]);
    assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
}

#[test]
fn a_reader_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let error = Reader::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::Missing { .. }), "{error}");
    assert_helpful(&error, &["history.db", "ccwatch run"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // A daemon is about to fill it, or was killed before it could.
    fs::write(&path, "").unwrap();
    assert!(matches!(Reader::open(&path), Err(OpenError::Missing { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    drop(History::open(&path).unwrap());
    Reader::open(&path).unwrap();
}

#[test]
fn a_reader_cannot_write() {
    let scene = Scene::new();
    let connection = outside_reader(&scene.path()).unwrap().connection;
    let error = connection.execute("DELETE FROM requests", []).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::ReadOnly));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = refused(&folder.path().join("file/history.db"));
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");
    assert_helpful(&error, &["/file", "the folder"]);
    // Nobody may make a folder here, not even root.
    let error = refused(Path::new("/proc/ccwatch/history.db"));
    assert!(
        matches!(error, OpenError::Folder { .. } | OpenError::ReadOnly { .. }),
        "{error}"
    );
    assert_helpful(&error, &["/proc/ccwatch"]);
}

#[test]
fn a_folder_or_a_pipe_in_the_files_place_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    fs::create_dir(&path).unwrap();
    let pipe = folder.path().join("pipe.db");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for (path, name) in [(&path, "history.db"), (&pipe, "pipe.db")] {
        let error = refused(path);
        assert!(matches!(error, OpenError::NotAFile { .. }), "{error}");
        assert_helpful(&error, &[name]);
        let error = outside_reader(path).unwrap_err();
        assert!(matches!(error, OpenError::NotAFile { .. }), "{error}");
    }
}

#[test]
fn a_damaged_history_is_told_from_a_foreign_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    drop(History::open(&path).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    // The first page's b-tree, behind the header of the file, which stays whole.
    bytes[100..1000].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let error = refused(&path);
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert_helpful(&error, &["history.db", "damaged", "backup"]);
}

#[test]
fn what_sqlite_says_is_sorted() {
    use rusqlite::ffi;
    let path = Path::new("/srv/history.db");
    let sorted = |code| {
        let source = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        OpenError::from_sqlite(path, source)
    };
    assert!(matches!(sorted(ffi::SQLITE_FULL), OpenError::DiskFull { .. }));
    assert!(matches!(sorted(ffi::SQLITE_CORRUPT), OpenError::Damaged { .. }));
    assert!(matches!(sorted(ffi::SQLITE_NOTADB), OpenError::NotSqlite { .. }));
    assert!(matches!(
        sorted(ffi::SQLITE_READONLY_DIRECTORY),
        OpenError::ReadOnly { .. }
    ));
    assert!(matches!(sorted(ffi::SQLITE_IOERR), OpenError::Sqlite { .. }));
    assert_helpful(&sorted(ffi::SQLITE_FULL), &["/srv/history.db", "make room"]);
}
