//! The disk that a history lies on: whether it has room for what is to be written, and how long it takes to hold on to it.
//!
//! The history itself answers neither. A page written to it proves little: it may be the last, or go where the write-ahead log
//! has been longer before. And whoever synced it to see how long that takes would hold everyone up meanwhile. So both are
//! asked with a file beside it that has no name, and is gone with the call, however that ends.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use rusqlite::ffi;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

use super::Failure;
use super::place::folder_of;
use crate::clock::Clock;

/// What an answer takes with its request, changes and deliveries, in bytes, and as much again: 32 pages were enough.
const ENOUGH: usize = 64 * PAGE;

const PAGE: usize = 4096;

/// Fails where the disk of the history at `path` has no room for a transaction or two.
pub(super) fn prove_room(path: &Path) -> Result<(), Failure> {
    let mut file = match nameless(path) {
        Ok(file) => file,
        Err(Errno::NOSPC | Errno::DQUOT) => return Err(full("no room for another file")),
        // Not every file system has them, nor may everyone who may write the history make files beside it.
        Err(_) => return Ok(()),
    };
    fill(&mut file)
}

fn fill(file: &mut File) -> Result<(), Failure> {
    match file.write_all(&vec![0; ENOUGH]) {
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            Err(full("less than 256 KiB are free"))
        }
        // Whatever else is wrong with it is told by whoever writes the history.
        Ok(()) | Err(_) => Ok(()),
    }
}

/// How long a page takes to be written to the disk of the history at `path`, and synced. A new file needs the file system's
/// journal as well, and with it what others have written: where they keep the disk busy it takes longer than a look's commit.
/// `None` where it can't be asked: as for [`prove_room`], or where there is no room.
pub(super) fn synced_in(path: &Path, clock: &Clock) -> Option<Duration> {
    let begun = clock.uptime();
    let mut file = nameless(path).ok()?;
    file.write_all(&[0; PAGE]).ok()?;
    file.sync_data().ok()?;
    Some(clock.uptime().saturating_sub(begun))
}

fn nameless(path: &Path) -> Result<File, Errno> {
    // The write-ahead log lies beside the file that a link leads to.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(&path);
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    Ok(File::from(open(folder, flags, Mode::RUSR | Mode::WUSR)?))
}

fn full(why: &str) -> Failure {
    let full = ffi::Error::new(ffi::SQLITE_FULL);
    Failure::DiskFull(rusqlite::Error::SqliteFailure(full, Some(why.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_here_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        prove_room(&path).unwrap();
        // Not each file system has such files.
        synced_in(&path, &Clock::system());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_full_disk_is_said() {
        let mut full = File::options().write(true).open("/dev/full").unwrap();
        let failure = fill(&mut full).unwrap_err();
        assert!(matches!(failure, Failure::DiskFull(_)), "{failure}");
        assert!(failure.to_string().contains("less than 256 KiB"), "{failure}");
    }

    #[test]
    fn what_cannot_be_asked_is_no_failure() {
        let path = Path::new("/nowhere/to/be/found/history.db");
        prove_room(path).unwrap();
        assert_eq!(synced_in(path, &Clock::system()), None);
    }
}
