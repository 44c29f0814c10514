use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// No history is asked.
const NONE: &str = "/not/there.db";

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn write(path: &Path, text: &str, replace: bool) -> Result<(), Failure> {
    let new = NewFile::begin(path, replace, Path::new(NONE))?;
    new.file().write_all(text.as_bytes())?;
    new.keep(&Interruption::default())
}

#[test]
fn it_is_there_when_it_is_whole_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let new = NewFile::begin(&path, false, Path::new(NONE)).unwrap();
    new.file().write_all(b"whole").unwrap();
    assert!(!path.exists() && new.partial().exists());
    new.keep(&Interruption::default()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(folder.path()), ["new"]);
}

#[test]
fn what_is_not_kept_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    drop(NewFile::begin(&folder.path().join("new"), false, Path::new(NONE)).unwrap());
    assert!(names(folder.path()).is_empty());
}

#[test]
fn what_is_whole_when_a_signal_came_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let new = NewFile::begin(&folder.path().join("new"), false, Path::new(NONE)).unwrap();
    let interruption = Interruption::default();
    interruption.stop().cancel();
    assert!(matches!(new.keep(&interruption), Err(Failure::Interrupted(_))));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn what_is_there_is_replaced_only_if_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "old").unwrap();
    let refused = write(&path, "new", false).unwrap_err();
    assert!(
        matches!(&refused, Failure::Arguments(text) if text.contains("--force")),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    write(&path, "new", true).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
}

#[test]
fn it_has_the_mode_of_what_it_replaces_only_if_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let new = || NewFile::begin(&path, true, Path::new(NONE)).unwrap();
    new().keep_with_former_mode(&Interruption::default()).unwrap();
    assert_eq!(mode(), 0o600, "it replaces nothing");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    new().keep_with_former_mode(&Interruption::default()).unwrap();
    assert_eq!(mode(), 0o644, "who could read it still can");
    new().keep(&Interruption::default()).unwrap();
    assert_eq!(mode(), 0o600);
}

#[test]
fn what_came_meanwhile_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let new = NewFile::begin(&path, false, Path::new(NONE)).unwrap();
    fs::write(&path, "someone else's").unwrap();
    assert!(matches!(new.keep(&Interruption::default()), Err(Failure::Arguments(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "someone else's");
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn a_folder_and_a_device_are_refused_even_where_files_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path(), Path::new("/dev/null"), Path::new("/"), Path::new("..")] {
        assert!(
            matches!(NewFile::begin(path, true, Path::new(NONE)), Err(Failure::Arguments(_))),
            "{path:?}"
        );
    }
    let missing = folder.path().join("no/such/folder");
    assert!(matches!(
        NewFile::begin(&missing, true, Path::new(NONE)),
        Err(Failure::Arguments(_))
    ));
}

#[test]
fn whoever_writes_to_a_link_means_the_file_that_it_leads_to() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("old"), "old").unwrap();
    rustix::fs::mknodat(CWD, at("pipe"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    for (to, link) in [
        ("old", "file"),
        ("pipe", "to-pipe"),
        ("nothing", "to-nothing"),
        ("/dev/null", "device"),
    ] {
        symlink(to, at(link)).unwrap();
    }
    assert!(matches!(write(&at("file"), "new", false), Err(Failure::Arguments(_))));
    write(&at("file"), "new", true).unwrap();
    assert_eq!(fs::read_to_string(at("old")).unwrap(), "new");
    for link in ["to-pipe", "to-nothing", "device"] {
        let refused = write(&at(link), "new", true).unwrap_err();
        assert!(matches!(refused, Failure::Arguments(_)), "{link}: {refused}");
    }
    let links = ["file", "to-pipe", "to-nothing", "device"];
    assert!(links.iter().all(|link| at(link).is_symlink()));
}

/// A write-ahead log that stayed, or that someone writes, would be taken for the new file's own.
#[test]
fn a_name_beside_which_a_database_is_in_use_is_refused() {
    for suffix in ["-wal", "-shm", "-journal"] {
        for (is_there, replace) in [(true, true), (false, false), (false, true)] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("backup.db");
            let beside = folder.path().join(format!("backup.db{suffix}"));
            if is_there {
                fs::write(&path, "old").unwrap();
            }
            let begun = NewFile::begin(&path, replace, Path::new(NONE)).unwrap();
            fs::write(&beside, "").unwrap();
            let refused = write(&path, "new", replace).unwrap_err();
            assert!(
                matches!(&refused, Failure::Arguments(text) if text.contains(suffix)),
                "{refused}"
            );
            assert!(begun.keep(&Interruption::default()).is_err(), "it came meanwhile");
            assert_eq!(path.exists(), is_there);
            assert!(beside.exists());
        }
    }
}

#[test]
fn what_no_one_holds_is_removed_and_what_someone_writes_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    // Of a process that was killed, whatever its number was.
    let left = folder.path().join(partial_name("file", 1));
    let journal = folder.path().join(".file.1.partial-journal");
    let others = [".other.1.partial", ".file.1.partial2", ".file.x.partial"];
    fs::write(&left, "half").unwrap();
    fs::write(&journal, "half").unwrap();
    for other in others {
        fs::write(folder.path().join(other), "").unwrap();
    }
    let first = NewFile::begin(&path, true, Path::new(NONE)).unwrap();
    assert!(!journal.exists());
    assert_eq!(fs::read(&left).unwrap(), b"", "its name is free again");
    first.file().write_all(b"first").unwrap();
    // Someone else writes the same file meanwhile.
    write(&path, "second", true).unwrap();
    assert!(first.partial().exists());
    first.keep(&Interruption::default()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "first");
    for other in others {
        assert!(folder.path().join(other).exists(), "{other}");
    }
    assert_eq!(names(folder.path()).len(), 1 + others.len());
}

#[test]
fn what_belongs_to_a_history_is_not_replaced_whatever_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let [asked, other] = ["asked.db", "other.db"].map(|name| folder.path().join(name));
    let held = crate::history::History::open(&other).unwrap();
    fs::write(&asked, "").unwrap();
    let link = folder.path().join("link");
    symlink(&asked, &link).unwrap();
    fs::hard_link(&asked, folder.path().join("hard")).unwrap();
    let by = |name: &str, replace| NewFile::begin(&folder.path().join(name), replace, &link).map(drop);
    let of = |name: &str| by(name, true);
    for name in [
        "asked.db",
        "asked.db-wal",
        "asked.db.lock",
        "link",
        "hard",
        "./asked.db-shm",
        "other.db",
        "other.db-wal",
        "other.db-journal",
        "other.db.lock",
    ] {
        let refused = of(name).unwrap_err();
        assert_eq!(by(name, false).unwrap_err().to_string(), refused.to_string());
        assert!(matches!(refused, Failure::Arguments(_)), "{name}: {refused}");
        let told = refused.to_string();
        assert!(told.contains("belongs to the history"), "{name}: {told}");
    }
    for name in ["asked.db.bak", "wal", "-wal"] {
        of(name).unwrap();
    }
    drop(held);
    // An old backup may be replaced; what SQLite may need beside it may not.
    of("other.db").unwrap();
    of("other.db-wal").unwrap_err();
}
