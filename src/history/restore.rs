//! A backup in the place of the history.
//!
//! Whatever ends it, a kill or a power cut included, the history is the one that was there or the backup, and whole:
//!
//! 1. **No one else has it.** A daemon's lock is taken and kept to the end. SQLite folds the write-ahead log into the present
//!    file and removes it, which it refuses while anyone else has the file open, and then locks it against everyone
//!    ([`present`]). Of a file that SQLite can't open, the kernel is asked whether anyone has it. From here on the present
//!    history is one file, with nothing beside it.
//! 2. **All that takes long, or can fail for want of room, comes first.** The backup is checked and copied, beside the history
//!    and under a hidden name, and the copy is read back, brought to this version's schema and synced.
//! 3. **One `rename` decides.** The present file gets a second name, which it keeps, and the copy takes its first one
//!    ([`steps`], where what a kill leaves between any two of them is told).
//!
//! **No id comes again**, not even where one backup is restored twice. A backup counts on from [`AHEAD`] further than its
//! original, which may have counted on since, and may itself be what the same backup became the last time. So the copy also
//! counts on from [`AHEAD`] further than the history that it replaces. Where that one can't be read, or is not there, this can't
//! be done, and [`Restored::is_counted_on`] says so.
//!
//! The owner, the group and the mode are those of the present file, or where there is none, its folder's owner and group and no one
//! else: restoring is done by root, and the service's user is another one.

mod present;
mod steps;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use self::present::Present;
use super::backup::AHEAD;
use super::beside::named;
use super::lock::Lock;
use super::owner::Owner;
use super::place::folder_of;
use super::{BackupError, Failure, OpenError, back_up, open};
use crate::model::Timestamp;

/// A history that is to be replaced, and is held for that.
#[derive(Debug)]
pub struct Restore {
    /// Before the lock, so that it is let go while that is held.
    present: Present,
    backup: PathBuf,
    path: PathBuf,
    owner: Owner,
    _lock: Lock,
}

/// Why no backup was restored. The history is as it was.
#[derive(Debug, Error)]
pub enum RestoreError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{} is no backup: {what}", path.display())]
    NotThere { path: PathBuf, what: &'static str },
    #[error("{} is no backup: {what}", path.display())]
    NoBackup { path: PathBuf, what: &'static str },
    #[error("{} is the history itself, or belongs to it; name a backup", path.display())]
    Itself { path: PathBuf },
    #[error("the backup {} is damaged ({reason}), so the history was left as it is; restore another one", path.display())]
    BackupDamaged { path: PathBuf, reason: String },
    #[error(
        "no space is left in {} for a copy of the backup ({reason}), so the history was left as it is; make room there",
        folder.display()
    )]
    DiskFull { folder: PathBuf, reason: String },
    #[error(transparent)]
    Copy(BackupError),
    #[error(
        "the history {} is open in another program (sqlite3, or a ccwatch that reads it); end that, and restore again",
        path.display()
    )]
    InUse { path: PathBuf },
    #[error(
        "the history {} belongs to the user {user}, whom this user can't give a file ({source}); restore as that user or as root \
         (with sudo)",
        path.display()
    )]
    Owner {
        path: PathBuf,
        user: u32,
        source: io::Error,
    },
    #[error("the backup can't take the place of the history {} ({source}); see what lies beside it", path.display())]
    Place { path: PathBuf, source: io::Error },
    #[error("the backup {} can't be restored: {failure}", path.display())]
    Failed { path: PathBuf, failure: Failure },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The size of the history now, in bytes.
    pub bytes: u64,
    /// What the history that was there is called now. `None`: there was none.
    pub before: Option<PathBuf>,
    /// What lay beside its name and was not folded into it, as it is called now: a log, a journal.
    pub beside: Vec<PathBuf>,
    /// Why SQLite can't read that one, if it can't.
    pub damage: Option<String>,
    /// Whether its ids are surely further on than those of the history that was there.
    pub is_counted_on: bool,
}

impl Restore {
    /// Takes the history at `path`, which need not be there, as a daemon would, and locks everyone else out. Says who has it
    /// where that is not possible.
    pub fn prepare(backup: &Path, path: &Path) -> Result<Self, RestoreError> {
        let path = real(path)?;
        if steps::is_part(backup, &path) {
            return Err(RestoreError::Itself {
                path: backup.to_owned(),
            });
        }
        // Both are looked at before a lock is made.
        open::unguarded(backup).map(drop).map_err(no_backup)?;
        present::look(&path)?;
        let owner = Owner::of(&path)?;
        let lock = Lock::take(&path)?;
        Ok(Self {
            present: Present::hold(&path)?,
            backup: backup.to_owned(),
            path,
            owner,
            _lock: lock,
        })
    }

    /// Where the history lies, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks the backup and copies it into the empty `file`, which lies at `into` in the history's folder.
    ///
    /// `progress` is told what [`back_up`] tells it, and `stop` ends it as it ends that.
    pub fn copy(
        &self,
        file: &File,
        into: &Path,
        stop: &CancellationToken,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<(), RestoreError> {
        self.owner.give(file).map_err(|source| RestoreError::Owner {
            path: self.path.clone(),
            user: self.owner.user,
            source,
        })?;
        self.check()?;
        let made = back_up(&self.backup, into, stop, progress).map_err(|error| match error {
            BackupError::Damaged { path, reason } => RestoreError::BackupDamaged { path, reason },
            BackupError::DiskFull { reason, .. } => self.disk_full(reason),
            BackupError::Open(error) => no_backup(error),
            error => RestoreError::Copy(error),
        })?;
        let failed = |failure: Failure| match failure {
            Failure::DiskFull(source) => self.disk_full(source.to_string()),
            failure => RestoreError::Failed {
                path: self.backup.clone(),
                failure,
            },
        };
        let mut copy = Connection::open(into).map_err(|source| failed(source.into()))?;
        // A copy that is cut short is not kept, so it needs no journal to be mended from.
        copy.pragma_update_and_check(None, "journal_mode", "memory", |_| Ok(()))
            .map_err(|source| failed(source.into()))?;
        if made.version < open::known_version() {
            open::migrate(&self.backup, &mut copy).map_err(|error| match error {
                OpenError::DiskFull { reason, .. } => self.disk_full(reason),
                error => error.into(),
            })?;
        }
        count_on(&mut copy, self.present.counts()).map_err(|source| failed(source.into()))?;
        // As whoever opens it would make it: what they would need a journal for beside the history, where someone who still
        // has the one that was there might take it for that one's.
        copy.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))
            .map_err(|source| failed(source.into()))?;
        drop(copy);
        file.sync_all().map_err(|source| self.misplaced(source))
    }

    /// Keeps the present history under another name, and gives its own to the copy.
    pub fn put(&self, copy: &Path, now: Timestamp) -> Result<Restored, RestoreError> {
        let place = |source| self.misplaced(source);
        let aside = steps::name_aside(&self.path, now).map_err(place)?;
        let there = steps::files(&self.path).map_err(place)?;
        let bytes = fs::metadata(copy).map_err(place)?.len();
        steps::take(&steps::plan(copy, &self.path, &aside, &there)).map_err(place)?;
        let (before, beside): (Vec<&str>, _) = there.iter().partition(|suffix| suffix.is_empty());
        let now_called = |suffix| named(&aside, suffix);
        Ok(Restored {
            bytes,
            before: before.into_iter().map(now_called).next(),
            beside: beside.into_iter().map(now_called).collect(),
            damage: self.present.damage().map(str::to_owned),
            is_counted_on: !self.present.counts().is_empty(),
        })
    }

    /// What `VACUUM` leaves out of a copy, an index that lacks a row, say, is damage all the same.
    fn check(&self) -> Result<(), RestoreError> {
        let connection = open::older_reader(&self.backup).map_err(no_backup)?.connection;
        let found = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        let reason = match found.map_err(Failure::from) {
            Ok(found) if found == "ok" => return Ok(()),
            Ok(found) => found,
            Err(Failure::Damaged(source)) => source.to_string(),
            Err(failure) => {
                let path = self.backup.clone();
                return Err(RestoreError::Failed { path, failure });
            }
        };
        Err(RestoreError::BackupDamaged {
            path: self.backup.clone(),
            reason,
        })
    }

    fn disk_full(&self, reason: String) -> RestoreError {
        RestoreError::DiskFull {
            folder: folder_of(&self.path).to_owned(),
            reason,
        }
    }

    fn misplaced(&self, source: io::Error) -> RestoreError {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => self.disk_full(source.to_string()),
            _ => RestoreError::Place {
                path: self.path.clone(),
                source,
            },
        }
    }
}

/// A backup is a history, but what is said of one that can't be opened does not fit it.
fn no_backup(error: OpenError) -> RestoreError {
    let (path, what) = match error {
        OpenError::Missing { path } => {
            let what = "there is no such file, or it is empty";
            return RestoreError::NotThere { path, what };
        }
        OpenError::NotAFile { path } => {
            let what = "it is not a regular file";
            return RestoreError::NotThere { path, what };
        }
        OpenError::NotSqlite { path } => (path, "it is not an SQLite file"),
        OpenError::NotAllowed { path } => (path, "this user may not read it"),
        OpenError::NotAHistory { path } => (path, "it is an SQLite file, but no ccwatch history"),
        OpenError::Damaged { path, source } => {
            let reason = source.to_string();
            return RestoreError::BackupDamaged { path, reason };
        }
        error => return error.into(),
    };
    RestoreError::NoBackup { path, what }
}

/// Has each table that never uses a number again count on from [`AHEAD`] further than `counts` at the least. A table that the copy
/// lacks will count on from there when it is made.
fn count_on(copy: &mut Connection, counts: &[(String, i64)]) -> rusqlite::Result<()> {
    let transaction = copy.transaction()?;
    for (table, count) in counts {
        let from = params![table, count.saturating_add(AHEAD)];
        let known = transaction.execute("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", from)?;
        if known == 0 {
            transaction.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", from)?;
        }
    }
    transaction.commit()
}

/// The path without symbolic links, of a file that need not be there.
fn real(path: &Path) -> Result<PathBuf, OpenError> {
    let failed = |source| OpenError::File {
        path: path.to_owned(),
        source,
    };
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(failed(io::Error::other("it is a symbolic link that leads nowhere")));
            }
        }
        real => return real.map_err(failed),
    }
    let Some(name) = path.file_name() else {
        return Err(OpenError::NotAFile { path: path.to_owned() });
    };
    let folder = folder_of(path);
    let real = fs::canonicalize(folder).map_err(|source| OpenError::Folder {
        folder: folder.to_owned(),
        source,
    })?;
    Ok(real.join(name))
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
