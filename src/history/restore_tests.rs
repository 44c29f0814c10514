use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use tempfile::TempDir;

use super::super::fixtures::{RECEIVER, Scene, all_to, at, event};
use super::super::schema_tests::sample;
use super::super::{History, Reader};
use super::*;
use crate::model::RequestStatus;

/// A history beside others in a folder, and a backup of an earlier state of it, which knows `early` and not `late`.
struct Case {
    folder: TempDir,
}

impl Case {
    /// As a daemon that was killed leaves it: what came last is in the log alone.
    fn killed() -> Self {
        let case = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let scene = Scene::new();
        scene.record(&[scene.seen(1, event("early", RequestStatus::Failed))]);
        back_up(&scene.path(), &case.backup(), &CancellationToken::new(), |_, _| ()).unwrap();
        scene.history.fold_all().unwrap();
        scene.record(&[scene.seen(2, event("late", RequestStatus::Failed))]);
        for suffix in ["", "-wal", "-shm"] {
            let name = format!("history.db{suffix}");
            fs::copy(scene.folder.path().join(&name), case.folder.path().join(&name)).unwrap();
        }
        case
    }

    fn stopped() -> Self {
        let case = Self::killed();
        drop(History::open(&case.path()).unwrap());
        assert_eq!(case.names(), ["", ".lock"]);
        case
    }

    /// What SQLite can't open, with a log and a journal.
    fn overwritten() -> Self {
        let case = Self::killed();
        let mut bytes = fs::read(case.path()).unwrap();
        bytes[..50].fill(b'x');
        fs::write(case.path(), bytes).unwrap();
        fs::write(case.folder.path().join("history.db-journal"), "journal").unwrap();
        case
    }

    /// The file was removed, and the log was not.
    fn removed() -> Self {
        let case = Self::killed();
        fs::remove_file(case.path()).unwrap();
        case
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn backup(&self) -> PathBuf {
        self.folder.path().join("backup.db")
    }

    fn copy(&self) -> PathBuf {
        self.folder.path().join("copy")
    }

    /// Copied, and not put in place yet.
    fn copied(&self) -> Restore {
        let restore = Restore::prepare(&self.backup(), &self.path()).unwrap();
        let file = File::create(self.copy()).unwrap();
        restore
            .copy(&file, &self.copy(), &CancellationToken::new(), |_, _| ())
            .unwrap();
        restore
    }

    fn restore(&self) -> Restored {
        self.copied().put(&self.copy(), at(0)).unwrap()
    }

    /// What lies there of the history, by what the names end with.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .filter_map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                name.strip_prefix("history.db").map(str::to_owned)
            })
            .collect();
        names.sort();
        names
    }

    fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let read = |name: String| {
            let path = self.folder.path().join(format!("history.db{name}"));
            (name, fs::read(path).unwrap())
        };
        self.names()
            .into_iter()
            .filter(|name| name != ".lock")
            .map(read)
            .collect()
    }
}

/// The requests that it knows, once it was found to keep all laws.
fn known(path: &Path) -> Vec<&'static str> {
    let reader = Reader::open(path).unwrap();
    let broken = reader.check(false, |_| ());
    assert!(broken.iter().all(super::super::Finding::is_well), "{broken:?}");
    let is_known = |token: &&str| !reader.find_tokens(token, None, 1).unwrap().is_empty();
    ["early", "late"].into_iter().filter(is_known).collect()
}

const OLD: [&str; 2] = ["early", "late"];
const NEW: [&str; 1] = ["early"];

/// What a kill leaves after so many steps. `None`: there are no more steps than were taken before.
fn killed_after(case: &Case, steps: usize) -> Option<bool> {
    let restore = case.copied();
    let path = case.path();
    let aside = steps::name_aside(&path, at(0)).unwrap();
    let there = steps::files(&path).unwrap();
    let plan = steps::plan(&case.copy(), &path, &aside, &there);
    let taken = plan.get(..steps)?;
    for step in taken {
        step.take().unwrap();
    }
    drop(restore);
    Some(taken.iter().any(|step| matches!(step, steps::Step::Rename { .. })))
}

/// In each state that a kill can leave, a daemon starts soundly, and a restore comes to its end.
fn at_every_step(make: fn() -> Case, before: &[&str], kept: &[&str]) {
    let mut outcomes = BTreeSet::new();
    for steps in 0.. {
        let case = make();
        let Some(is_restored) = killed_after(&case, steps) else {
            break;
        };
        outcomes.insert(is_restored);
        drop(History::open(&case.path()).unwrap());
        assert_eq!(known(&case.path()), if is_restored { &NEW } else { before }, "{steps}");

        let case = make();
        killed_after(&case, steps).unwrap();
        let restored = case.restore();
        assert_eq!(known(&case.path()), NEW, "{steps}");
        if let Some(before) = restored.before.filter(|before| before.exists()) {
            assert_eq!(known(&before), if is_restored { &NEW } else { kept }, "{steps}");
        }
    }
    assert_eq!(outcomes.len(), 2);
}

#[test]
fn a_kill_at_any_step_leaves_the_one_or_the_other_whole() {
    at_every_step(Case::killed, &OLD, &OLD);
    at_every_step(Case::stopped, &OLD, &OLD);
}

#[test]
fn a_log_without_its_file_comes_never_to_lie_beside_another_one() {
    at_every_step(Case::removed, &[], &[]);
    let case = Case::removed();
    let (log, restored) = (
        fs::read(case.folder.path().join("history.db-wal")).unwrap(),
        case.restore(),
    );
    assert_eq!(restored.before, None);
    let [kept, index] = &restored.beside[..] else {
        panic!("{restored:?}");
    };
    let aside = case.folder.path().join("history.db.before-20261122T062800Z");
    assert_eq!((kept, index), (&named(&aside, "-wal"), &named(&aside, "-shm")));
    assert!(fs::read(kept).unwrap() == log);
    assert!(!restored.is_counted_on && restored.damage.is_none());
}

#[test]
fn what_sqlite_can_not_open_is_kept_byte_for_byte_and_refused_until_it_is_replaced() {
    for steps in 0.. {
        let case = Case::overwritten();
        let before = case.contents();
        assert_eq!(before.len(), 4);
        let Some(is_restored) = killed_after(&case, steps) else {
            break;
        };
        let after = case.contents();
        let main = |contents: &[(String, Vec<u8>)]| contents[0].1.clone();
        if is_restored {
            assert_eq!(known(&case.path()), NEW);
        } else {
            assert!(main(&after) == main(&before));
            History::open(&case.path()).unwrap_err();
        }
        for (name, bytes) in &before {
            // Under its first name or its second one.
            let second = format!(".before-20261122T062800Z{name}");
            let mut found = after.iter().filter(|(found, _)| found == name || *found == second);
            assert!(found.any(|(_, found)| found == bytes), "{name} after {steps}");
        }
        let restored = case.restore();
        assert_eq!(known(&case.path()), NEW);
        assert_eq!(restored.damage.is_some(), !is_restored);
    }
}

#[test]
fn what_was_there_opens_as_it_did_and_nothing_else_is_left() {
    for case in [Case::killed(), Case::stopped()] {
        let restored = case.restore();
        let before = restored.before.clone().unwrap();
        assert_eq!(case.names(), ["", ".before-20261122T062800Z", ".lock"]);
        assert_eq!(known(&before), OLD);
        assert_eq!(known(&case.path()), NEW);
        assert!(restored.is_counted_on && restored.damage.is_none(), "{restored:?}");
        assert!(!case.copy().exists());
        // In the same second, and with a log that someone forgot.
        fs::write(case.folder.path().join("history.db.before-20261122T062800Z.2-wal"), "").unwrap();
        let again = case.restore().before.unwrap();
        assert_eq!(again, case.folder.path().join("history.db.before-20261122T062800Z.3"));
        assert_eq!((known(&before), known(&again)), (OLD.to_vec(), NEW.to_vec()));
        // What was put aside is a backup like any other.
        fs::copy(before, case.backup()).unwrap();
        case.restore();
        assert_eq!(known(&case.path()), OLD);
    }
}

#[test]
fn a_step_that_fails_undoes_those_before_it() {
    for make in [Case::killed, Case::stopped, Case::overwritten, Case::removed] {
        let case = make();
        let restore = case.copied();
        fs::remove_file(case.copy()).unwrap();
        let before = case.contents();
        let aside = steps::name_aside(&case.path(), at(0)).unwrap();
        let there = steps::files(&case.path()).unwrap();
        steps::take(&steps::plan(&case.copy(), &case.path(), &aside, &there)).unwrap_err();
        assert!(case.contents() == before);
        drop(restore);
    }
}

#[test]
fn whoever_has_the_history_open_is_not_pulled_away_from_under() {
    let case = Case::stopped();
    let prepare = || Restore::prepare(&case.backup(), &case.path());
    let history = History::open(&case.path()).unwrap();
    assert!(matches!(prepare(), Err(RestoreError::Open(OpenError::Held { .. }))));
    let reader = Reader::open(&case.path()).unwrap();
    reader.summary().unwrap();
    drop(history);
    let error = prepare().unwrap_err();
    assert!(matches!(error, RestoreError::InUse { .. }), "{error}");
    assert_eq!(reader.summary().unwrap().changes, 2);
    drop(reader);
    let restore = prepare().unwrap();
    // And no one comes meanwhile.
    assert!(matches!(History::open(&case.path()), Err(OpenError::Held { .. })));
    let connection = Connection::open(case.path()).unwrap();
    let error = connection.execute_batch("SELECT * FROM targets").unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy));
    drop(restore);
    assert_eq!(known(&case.path()), OLD, "a restore that is given up");
}

/// In WAL mode, or not, by the file's header.
fn is_in_wal_mode(path: &Path) -> bool {
    fs::read(path).unwrap()[18..20] == [2, 2]
}

#[test]
fn a_history_that_is_let_go_is_in_the_mode_in_which_it_was() {
    let case = Case::stopped();
    fs::write(case.backup(), &fs::read(case.backup()).unwrap()[..8192]).unwrap();
    let fails = || {
        let restore = Restore::prepare(&case.backup(), &case.path());
        let error = restore
            .and_then(|restore| {
                let copy = File::create(case.copy()).unwrap();
                restore.copy(&copy, &case.copy(), &CancellationToken::new(), |_, _| ())
            })
            .unwrap_err();
        assert!(matches!(error, RestoreError::BackupDamaged { .. }), "{error}");
        assert_eq!(case.names(), ["", ".lock"]);
    };
    fails();
    assert!(is_in_wal_mode(&case.path()));
    assert_eq!(known(&case.path()), OLD);

    let other = Connection::open(case.path()).unwrap();
    other
        .pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))
        .unwrap();
    drop(other);
    fails();
    assert!(!is_in_wal_mode(&case.path()));
    assert_eq!(known(&case.path()), OLD);
}

/// A program that opened it before, and waits, finds no place to leave a log at.
#[test]
fn who_waited_for_the_old_one_leaves_no_log_beside_the_new_one() {
    let case = Case::stopped();
    let restore = case.copied();
    let waiting = Connection::open(case.path()).unwrap();
    restore.put(&case.copy(), at(0)).unwrap();
    drop(restore);
    let turned: rusqlite::Result<String> =
        waiting.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0));
    assert!(turned.is_err() || turned.unwrap() != "wal");
    assert!(!case.names().contains(&"-wal".to_owned()), "{:?}", case.names());
    drop(waiting);
    assert_eq!(known(&case.path()), NEW);
}

#[test]
fn no_id_comes_again_though_one_backup_is_restored_twice() {
    let case = Case::stopped();
    let numbers = || {
        let history = History::open(&case.path()).unwrap();
        let target = Scene::new();
        let due = || {
            let due = history
                .read(|connection| super::super::outbox::due_deliveries(connection, RECEIVER, at(99), 100, None));
            due.unwrap()
                .iter()
                .map(|delivery| delivery.news.id().0.clone())
                .collect::<BTreeSet<_>>()
        };
        let before = due();
        let sighting = target.seen(3, event("news", RequestStatus::Failed));
        history.write(|tx| tx.record(&[sighting], &all_to(RECEIVER))).unwrap();
        &due() - &before
    };
    let first = numbers();
    assert!(!first.is_empty());
    case.restore();
    let second = numbers();
    case.restore();
    let third = numbers();
    assert_eq!((first.len(), second.len(), third.len()), (1, 1, 1));
    let all: BTreeSet<_> = first.into_iter().chain(second).chain(third).collect();
    assert_eq!(all.len(), 3, "{all:?}");
}

#[test]
fn a_backup_of_any_version_is_brought_along_and_counts_on_from_the_history_before() {
    for version in 1..=open::known_version() {
        let case = Case::stopped();
        fs::remove_file(case.backup()).unwrap();
        sample(&case.backup(), version);
        let counts = |path: &Path| -> Vec<(String, i64)> {
            let connection = Connection::open(path).unwrap();
            let mut statement = connection.prepare("SELECT name, seq FROM sqlite_sequence").unwrap();
            let counts = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            counts.map(Result::unwrap).collect()
        };
        // It was restored before, say.
        Connection::open(case.path())
            .unwrap()
            .execute_batch("UPDATE sqlite_sequence SET seq = seq + 5000000000")
            .unwrap();
        let before = counts(&case.path());
        assert!(!before.is_empty());
        case.restore();
        let after = counts(&case.path());
        for (table, count) in before {
            let found = after.iter().find(|(found, _)| *found == table).unwrap();
            assert!(found.1 >= count + AHEAD, "{table} of version {version}");
        }
        Reader::open(&case.path()).unwrap();
    }
}

#[test]
fn a_damaged_backup_is_refused_and_a_damaged_history_is_replaced() {
    let case = Case::stopped();
    let whole = fs::read(case.backup()).unwrap();
    let spoil = |path: &Path, from: usize| {
        let mut bytes = fs::read(path).unwrap();
        let end = bytes.len();
        bytes[from.min(end)..].fill(0xaa);
        fs::write(path, bytes).unwrap();
    };
    for from in [100, 4096] {
        fs::write(case.backup(), &whole).unwrap();
        spoil(&case.backup(), from);
        let refused = Restore::prepare(&case.backup(), &case.path()).and_then(|restore| {
            restore.copy(
                &File::create(case.copy()).unwrap(),
                &case.copy(),
                &CancellationToken::new(),
                |_, _| (),
            )
        });
        let error = refused.unwrap_err();
        assert!(matches!(error, RestoreError::BackupDamaged { .. }), "{error}");
    }
    assert_eq!(
        (known(&case.path()), case.names()),
        (OLD.to_vec(), vec![String::new(), ".lock".into()])
    );
    fs::write(case.backup(), &whole).unwrap();
    for from in [100, 4096] {
        spoil(&case.path(), from);
        let spoilt = fs::read(case.path()).unwrap();
        let restored = case.restore();
        assert_eq!(known(&case.path()), NEW);
        assert!(restored.damage.is_some() && !restored.is_counted_on, "{restored:?}");
        assert!(fs::read(restored.before.unwrap()).unwrap() == spoilt);
    }
}

/// A sound write-ahead log of another history, of the same version and so of the same tables.
fn log_of_another() -> Vec<u8> {
    let scene = Scene::new();
    scene.record(&[scene.seen(3, event("another", RequestStatus::Failed))]);
    fs::read(named(&scene.path(), "-wal")).unwrap()
}

#[test]
fn a_log_beside_a_backup_is_never_taken_for_the_backups_own() {
    let case = Case::stopped();
    let log = named(&case.backup(), "-wal");
    fs::write(&log, log_of_another()).unwrap();
    let before = (case.contents(), fs::read(case.backup()).unwrap());
    let error = Restore::prepare(&case.backup(), &case.path()).unwrap_err();
    assert!(
        matches!(&error, RestoreError::Open(OpenError::ForeignLog { log: found, .. }) if *found == log),
        "{error}"
    );
    assert!((case.contents(), fs::read(case.backup()).unwrap()) == before);
}

/// SQLite takes it for its own, and nothing tells that it is not: but once the log is gone, the backup is what it was.
#[test]
fn a_backup_in_wal_mode_is_not_changed_whatever_log_lies_beside_it() {
    let case = Case::stopped();
    fs::copy(case.path(), case.backup()).unwrap();
    fs::write(named(&case.backup(), "-wal"), log_of_another()).unwrap();
    let backup = fs::read(case.backup()).unwrap();
    case.restore();
    assert!(fs::read(case.backup()).unwrap() == backup);
    fs::remove_file(named(&case.backup(), "-wal")).unwrap();
    fs::remove_file(named(&case.backup(), "-shm")).unwrap();
    case.restore();
    assert_eq!(known(&case.path()), OLD);
}

#[test]
fn a_history_that_was_copied_over_anothers_log_is_kept_as_it_is_and_replaced() {
    let case = Case::stopped();
    fs::copy(case.backup(), case.path()).unwrap();
    let log = log_of_another();
    fs::write(named(&case.path(), "-wal"), &log).unwrap();
    let error = History::open(&case.path()).unwrap_err();
    assert!(matches!(error, OpenError::ForeignLog { .. }), "{error}");
    let restored = case.restore();
    assert_eq!(known(&case.path()), NEW);
    let kept = restored.before.unwrap();
    assert!(fs::read(&kept).unwrap() == fs::read(case.backup()).unwrap());
    assert_eq!(restored.beside, [named(&kept, "-wal")]);
    assert!(restored.damage.is_some() && !restored.is_counted_on);
    assert!(fs::read(&restored.beside[0]).unwrap() == log);
}

/// A restore has a history to itself until it is another one. Who asked for it meanwhile, and waited, is given that other one.
#[test]
fn who_waited_while_it_was_replaced_reads_what_took_its_place() {
    let case = Case::stopped();
    let restore = case.copied();
    let (path, waits) = (case.path(), std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            waits.wait();
            known(&path)
        });
        waits.wait();
        // Long enough for it to wait for the lock, as a rule; where it is not, it finds the new one at once.
        std::thread::park_timeout(std::time::Duration::from_millis(300));
        restore.put(&case.copy(), at(0)).unwrap();
        drop(restore);
        assert_eq!(reader.join().unwrap(), NEW);
    });
    assert_eq!(case.names(), ["", ".before-20261122T062800Z", ".lock"]);
}

#[test]
fn what_is_no_history_is_neither_replaced_nor_taken_for_a_backup() {
    let case = Case::stopped();
    let songs = case.folder.path().join("songs.db");
    Connection::open(&songs)
        .unwrap()
        .execute_batch("CREATE TABLE songs (title TEXT)")
        .unwrap();
    let gone = case.folder.path().join("gone.db");
    for (backup, path) in [
        (case.backup(), songs.clone()),
        (case.backup(), case.folder.path().to_owned()),
        (case.backup(), gone.join("history.db")),
        (songs, case.path()),
        (case.folder.path().to_owned(), case.path()),
        (gone.clone(), case.path()),
    ] {
        let before = fs::read_dir(case.folder.path()).unwrap().count();
        Restore::prepare(&backup, &path).unwrap_err();
        assert_eq!(fs::read_dir(case.folder.path()).unwrap().count(), before);
    }
    for part in ["history.db", "history.db.lock", "link", "second"] {
        let part = case.folder.path().join(part);
        let _ = symlink(case.path(), case.folder.path().join("link"));
        let _ = fs::hard_link(case.path(), case.folder.path().join("second"));
        let error = Restore::prepare(&part, &case.path()).unwrap_err();
        assert!(matches!(error, RestoreError::Itself { .. }), "{error}");
    }
    let dangling = case.folder.path().join("dangling.db");
    symlink(&gone, &dangling).unwrap();
    let error = Restore::prepare(&case.backup(), &dangling).unwrap_err().to_string();
    assert!(
        error.contains("dangling.db: it is a symbolic link that leads nowhere"),
        "{error}"
    );
}

#[test]
fn a_link_leads_to_the_file_that_is_replaced_and_the_mode_stays() {
    let case = Case::stopped();
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.db");
    symlink(case.path(), &link).unwrap();
    fs::set_permissions(case.path(), Permissions::from_mode(0o640)).unwrap();
    let restore = Restore::prepare(&case.backup(), &link).unwrap();
    assert_eq!(restore.path(), fs::canonicalize(case.path()).unwrap());
    let file = File::create(case.copy()).unwrap();
    restore
        .copy(&file, &case.copy(), &CancellationToken::new(), |_, _| ())
        .unwrap();
    restore.put(&case.copy(), at(0)).unwrap();
    assert_eq!(known(&link), NEW);
    assert_eq!(fs::metadata(case.path()).unwrap().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
}
