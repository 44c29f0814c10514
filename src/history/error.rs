//! What can go wrong, told to people: what happened, to which file, and what to do.
//!
//! SQLite's own text is only ever the second half of a message. No message holds a value that was to be stored.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;
use thiserror::Error;

use crate::model::TargetId;

/// Why a history could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("there is no history at {}: `ccwatch run` makes one; is this the path that it writes to?", path.display())]
    Missing { path: PathBuf },
    #[error(
        "this user may not read the history {}: read it as ccwatch's user or as root (with sudo), or name another one by \
         --history FILE",
        path.display()
    )]
    NotAllowed { path: PathBuf },
    #[error("cannot use the folder {} for a history: {source}; make it, or let ccwatch's user write to it", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("cannot read or write {}: {source}; see that ccwatch's user owns it", path.display())]
    File {
        /// The history, or its lock.
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "the history {} can't be written to: it, its folder or its file system is read-only for this user; change that, \
         or choose another path",
        path.display()
    )]
    ReadOnly { path: PathBuf },
    #[error(
        "the history {} can't be read: no ccwatch holds it, so reading makes files next to it, which its folder or file \
         system does not allow this user; read it as ccwatch's user, while ccwatch runs, or from a copy",
        path.display()
    )]
    ReadOnlyFolder { path: PathBuf },
    #[error(
        "the history {} can't be read: this user may read it, but not {} beside it, which has the permissions that the history \
         had when ccwatch started, and the folder's group if the folder is setgid (chmod g+s); start ccwatch again, or read it as \
         ccwatch's user, or from a copy",
        path.display(),
        beside.display()
    )]
    NotAllowedBeside {
        path: PathBuf,
        /// Its `-wal` or `-shm`.
        beside: PathBuf,
    },
    #[error(
        "the history {} can't be written to: this user may write it, but not {} beside it, which has the permissions that the \
         history had when that was made; give it those of the history",
        path.display(),
        beside.display()
    )]
    NotWritableBeside {
        path: PathBuf,
        /// Its `-wal` or `-shm`.
        beside: PathBuf,
    },
    #[error("{} is not a regular file; choose another path for the history", path.display())]
    NotAFile { path: PathBuf },
    #[error("{} is not an SQLite file, so it is left untouched; choose another path for the history", path.display())]
    NotSqlite { path: PathBuf },
    #[error(
        "{} is an SQLite file, but no ccwatch history, so it is left untouched; choose another path for the history",
        path.display()
    )]
    NotAHistory { path: PathBuf },
    #[error(
        "the history {} has no write-ahead log, since it is a copy, so {} beside it is another file's, and SQLite would write that \
         into it: both are left untouched. Move the log away; or, where the history was copied over the one whose log it is, \
         restore the backup with `ccwatch history restore`, which keeps both",
        path.display(),
        log.display()
    )]
    ForeignLog {
        path: PathBuf,
        /// What lies under the name of its `-wal`.
        log: PathBuf,
    },
    #[error(
        "{} beside the history {} is of a file of another size, and SQLite would cut the history to that: both are left untouched. \
         If another program was killed while it wrote to the history, have that program open it; else move the journal away",
        journal.display(),
        path.display()
    )]
    ForeignJournal {
        path: PathBuf,
        /// What lies under the name of its `-journal`.
        journal: PathBuf,
    },
    #[error("{} is not a regular file, so the history {} can't be used beside it; move it away", beside.display(), path.display())]
    Obstructed {
        path: PathBuf,
        /// What lies under the name of its `-wal`, `-shm` or `-journal`.
        beside: PathBuf,
    },
    #[error("the history {} was replaced while it was opened; try again", path.display())]
    Replaced { path: PathBuf },
    #[error(
        "the history {} is from a newer ccwatch: its schema is version {found}, and this ccwatch knows up to {known}; \
         run the newer ccwatch",
        path.display()
    )]
    Newer { path: PathBuf, found: i32, known: i32 },
    #[error(
        "the history {} is from an older ccwatch: its schema is version {found}, and this ccwatch reads {known}; \
         `ccwatch run` brings it up to date",
        path.display()
    )]
    Older { path: PathBuf, found: i32, known: i32 },
    #[error(
        "the history {} is held by another ccwatch ({holder}); stop that one, or choose another path. The lock is {}",
        path.display(),
        lock.display()
    )]
    Held {
        path: PathBuf,
        lock: PathBuf,
        /// Its process id and since when, as far as the lock file tells.
        holder: String,
    },
    #[error(
        "the history {} is damaged ({source}); restore a backup with `ccwatch history restore`, which keeps it, or save what \
         can be saved with `sqlite3 {} .recover`",
        path.display(),
        path.display()
    )]
    Damaged { path: PathBuf, source: rusqlite::Error },
    #[error("no space is left for the history {} ({reason}); make room on its disk", path.display())]
    DiskFull { path: PathBuf, reason: String },
    #[error("cannot bring the history {} up to date: {reason}", path.display())]
    Migration { path: PathBuf, reason: String },
    #[error("cannot open the history {}: {source}", path.display())]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

impl OpenError {
    /// Whether the configured path is what is wrong: trying again with the same configuration is of no use.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Folder { .. }
            | Self::File { .. }
            | Self::NotAllowed { .. }
            | Self::ReadOnly { .. }
            | Self::ReadOnlyFolder { .. }
            | Self::NotAllowedBeside { .. }
            | Self::NotWritableBeside { .. }
            | Self::NotAFile { .. }
            | Self::NotSqlite { .. }
            | Self::NotAHistory { .. }
            | Self::ForeignLog { .. }
            | Self::ForeignJournal { .. }
            | Self::Obstructed { .. }
            | Self::Newer { .. } => true,
            Self::Missing { .. }
            | Self::Replaced { .. }
            | Self::Older { .. }
            | Self::Held { .. }
            | Self::Damaged { .. }
            | Self::DiskFull { .. }
            | Self::Migration { .. }
            | Self::Sqlite { .. } => false,
        }
    }

    /// Sorts what the operating system said while the history at `path` was opened.
    pub(super) fn from_io(path: &Path, source: io::Error, otherwise: impl FnOnce(io::Error) -> Self) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull {
                path,
                reason: source.to_string(),
            },
            _ => otherwise(source),
        }
    }

    /// Sorts what SQLite said of the file at `path`.
    pub(super) fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        if is_disk_full(&source) {
            return Self::DiskFull {
                path,
                reason: source.to_string(),
            };
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotSqlite { path },
            // SQLite sees it, too, where it is about to write.
            Some(ErrorCode::ReadOnly) if is_moved(&source) => Self::Replaced { path },
            _ if is_damage(&source) => Self::Damaged { path, source },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            _ => Self::Sqlite { path, source },
        }
    }
}

/// Why a read or a write failed. A failed write has left nothing behind: its whole transaction is undone.
#[derive(Debug, Error)]
#[error("history {}: {failure}", path.display())]
pub struct HistoryError {
    pub path: Arc<Path>,
    pub failure: Failure,
}

impl HistoryError {
    /// Whether the same call may succeed later: a disk has room again, another process lets go of the file.
    pub fn may_pass(&self) -> bool {
        match &self.failure {
            Failure::DiskFull(_) => true,
            Failure::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::SystemIoFailure)
            ),
            Failure::Damaged(_)
            | Failure::Displaced(_)
            | Failure::NoSuchTarget(_)
            | Failure::NoBaseline(_)
            | Failure::Interrupted => false,
        }
    }
}

/// What went wrong.
#[derive(Debug, Error)]
pub enum Failure {
    #[error("no space is left ({0}); make room on its disk")]
    DiskFull(rusqlite::Error),
    #[error(
        "the file is damaged ({0}); stop ccwatch, then restore a backup with `ccwatch history restore`, which keeps it, or use \
         `sqlite3 … .recover`"
    )]
    Damaged(rusqlite::Error),
    #[error(
        "{} was removed or replaced while ccwatch ran: what it would write from now on would be lost; start it again, \
         and stop it before a history is moved or restored",
        .0.display()
    )]
    Displaced(PathBuf),
    #[error("no target has the id {}: it was not registered with this history", .0.0)]
    NoSuchTarget(TargetId),
    /// What was finished before could not be told from what is news (law 6).
    #[error("the baseline of the target with the id {} was not begun", .0.0)]
    NoBaseline(TargetId),
    #[error("given up half-way: the program is ending")]
    Interrupted,
    #[error("{0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            error if is_disk_full(&error) => Self::DiskFull(error),
            error if is_damage(&error) => Self::Damaged(error),
            error => Self::Sqlite(error),
        }
    }
}

/// SQLite says FULL where the file itself can't grow, and an I/O error where the `-shm` beside it can't.
/// <https://www.sqlite.org/rescode.html#ioerr_shmsize>
fn is_disk_full(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    error.sqlite_error_code() == Some(ErrorCode::DiskFull) || extended == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

/// <https://www.sqlite.org/rescode.html#readonly_dbmoved>
fn is_moved(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    extended == Some(rusqlite::ffi::SQLITE_READONLY_DBMOVED)
}

/// What is missing though it was always there is damage as well: a file that was overwritten in place is read without an
/// error now and then.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    ) || matches!(error, rusqlite::Error::QueryReturnedNoRows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(extended_code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(extended_code), None)
    }

    #[test]
    fn a_full_disk_is_told_as_one_whichever_file_could_not_grow() {
        for code in [rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_IOERR_SHMSIZE] {
            let failure = Failure::from(sqlite(code));
            assert!(matches!(failure, Failure::DiskFull(_)), "{failure}");
            let error = OpenError::from_sqlite(Path::new("history.db"), sqlite(code));
            assert!(matches!(error, OpenError::DiskFull { .. }), "{error}");
        }
        let failure = Failure::from(sqlite(rusqlite::ffi::SQLITE_IOERR_READ));
        assert!(matches!(failure, Failure::Sqlite(_)), "{failure}");
    }

    #[test]
    fn rows_that_must_be_there_and_are_not_are_damage() {
        let failure = Failure::from(rusqlite::Error::QueryReturnedNoRows);
        assert!(matches!(failure, Failure::Damaged(_)), "{failure}");
    }
}
