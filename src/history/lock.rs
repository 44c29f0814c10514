//! One daemon a file.
//!
//! SQLite lets many processes write in turn, but two daemons would tell everything twice. So a daemon holds an advisory
//! lock (`flock`) on `<history>.lock` for as long as it lives. The kernel lets go of it however the process ends, SIGKILL
//! included: a lock file that merely lies there means nothing, and none is ever in the way after a crash. It is not
//! deleted at the end, since a daemon that had just opened it would then hold a lock that no one else can see.
//!
//! A file of its own, not the database: closing any descriptor of a database file would drop SQLite's own POSIX locks.
//!
//! On network file systems `flock` may reach no further than one machine, or not work at all; SQLite's WAL does not work
//! there either. A history belongs on a local disk.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;

use super::beside;
use super::error::OpenError;
use super::owner::Owner;
use super::place::Place;
use crate::model::Timestamp;

/// Held until it is dropped, or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    place: Place,
}

/// What the lock file may hold at the most; whatever else lies there is not ours to read.
const LONGEST_HOLDER: u64 = 64;

/// How often, and after how long each time, a lock that is held is tried again before it is believed.
const MOMENTS: u32 = 5;
const MOMENT: Duration = Duration::from_millis(20);

/// Whether a daemon holds the history at `path`. Where that can't be told (its lock may not be read), none is taken to.
///
/// Asked by a shared lock that is let go at once: there is no way to ask the kernel without one.
pub(super) fn is_held(path: &Path) -> bool {
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let lock = lock_path(&real);
    // Asked first: to open a pipe would be to wait for whoever writes into it.
    if !fs::metadata(&lock).is_ok_and(|about| about.is_file()) {
        return false;
    }
    let Ok(file) = File::open(lock) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

impl Lock {
    /// Takes the lock that belongs to the history at `path`, or says who holds it.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let lock = lock_path(path);
        let failed = |source| {
            OpenError::from_io(path, source, |source| {
                if lock.exists() {
                    let path = lock.clone();
                    OpenError::File { path, source }
                } else {
                    let folder = path.parent().unwrap_or(path).to_owned();
                    OpenError::Folder { folder, source }
                }
            })
        };
        let mut file = open(path, &lock).map_err(failed)?;
        let mut taken = file.try_lock();
        // Whoever only asks whether it is held ([`is_held`]) has it for an instant.
        for _ in 0..MOMENTS {
            if !matches!(taken, Err(TryLockError::WouldBlock)) {
                break;
            }
            std::thread::park_timeout(MOMENT);
            taken = file.try_lock();
        }
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Held {
                    path: path.to_owned(),
                    lock: lock.clone(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let name = format!("process {}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.write_all(name.as_bytes()))
            .map_err(failed)?;
        let place = Place::of(&lock)?;
        Ok(Self { _file: file, place })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }
}

/// Opens the lock, and makes it where there is none: for whom the history belongs to, who could not take it later if it were
/// root's. One that is there is given to no one, and no link is followed.
fn open(history: &Path, lock: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    // Whoever may write in the folder may have put a link to something else there, which is not to be overwritten.
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    match options.clone().create_new(true).open(lock) {
        Ok(new) => {
            let given = Owner::of(history)
                .map_err(io::Error::other)
                .and_then(|owner| owner.give_what_root_made(&new));
            given.inspect_err(|_| {
                // It would keep them out.
                let _ = fs::remove_file(lock);
            })?;
            Ok(new)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(lock),
        Err(error) => Err(error),
    }
}

fn lock_path(path: &Path) -> PathBuf {
    beside::named(path, ".lock")
}

/// What the holder wrote when it took the lock, which is when the file was last changed.
fn holder(file: &mut File) -> String {
    let mut name = String::new();
    let read = file.take(LONGEST_HOLDER).read_to_string(&mut name);
    let name = match read {
        Ok(_) if !name.trim().is_empty() => crate::model::printable(name.trim()).into_owned(),
        _ => "a process that has not said which".to_owned(),
    };
    let since = file.metadata().and_then(|about| about.modified()).ok();
    match since.and_then(|time| jiff::Timestamp::try_from(time).ok()) {
        Some(time) => format!("{name}, since {}", Timestamp::from(time)),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_asked_whether_a_daemon_holds_the_history_and_asking_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        assert!(!is_held(&path), "there is none");
        std::fs::write(&path, "").unwrap();
        let lock = Lock::take(&path).unwrap();
        assert!(is_held(&path));
        assert!(is_held(
            &folder.path().join("../").join(folder.path()).join("history.db")
        ));
        drop(lock);
        assert!(!is_held(&path), "a lock file that merely lies there");
        let _lock = Lock::take(&path).unwrap();
    }
}
