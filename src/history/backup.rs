//! A copy of a history, while a daemon writes to it.
//!
//! `VACUUM INTO` copies one state of the file: what a single read transaction sees. The other way, SQLite's backup steps,
//! begins anew whenever another process commits in between, which beside a busy daemon may be for ever; and it copies free
//! pages along. The copy is compact, in one file, with no WAL beside it: it can be read where nothing may be written.
//!
//! What it costs: until the copy is done, the WAL is not folded into the file past the state that is copied, so it grows by
//! what is written meanwhile; the next checkpoint cuts it back to 64 MiB. Neither looks nor readers wait.
//!
//! **A restored copy gives no id again.** Receivers know what they were told by the history's name and the number of a change
//! or an incident, and drop what comes twice. After the copy was made, the original goes on counting; a copy that took its
//! place would give the same numbers to other changes. So a copy counts on from [`AHEAD`] further. A new name would not do:
//! what is still pending is to be recognised where it comes again, and an open incident to be resolved under its own key.
//!
//! SQLite does not sync the copy: whoever keeps it does. Nothing is said of success before the copy was read back:
//! `integrity_check`, since `VACUUM INTO` copies an index as it is, and that it is a history of the same version.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::open::{self, APPLICATION_ID, Opened};
use super::stop::heed;
use super::{Failure, OpenError};

/// How far ahead of the original a copy counts its changes, deliveries, incidents and the like. No history comes so far
/// between its backup and its restore, at ten thousand changes a second for a day; and nine thousand million such steps fit
/// into SQLite's numbers.
pub(super) const AHEAD: i64 = 1_000_000_000;

/// Moves the counts of all tables that never use a number again, and begins those that have none yet.
/// <https://www.sqlite.org/autoinc.html#the_autoincrement_keyword>
const COUNT_FROM_AHEAD: [&str; 2] = [
    "UPDATE sqlite_sequence SET seq = seq + ?1",
    "INSERT INTO sqlite_sequence (name, seq)
     SELECT name, ?1 FROM sqlite_schema
     WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%' AND name NOT IN (SELECT name FROM sqlite_sequence)",
];

/// A copy that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    /// The copy's size in bytes.
    pub bytes: u64,
    /// The version of its schema, which is the original's.
    pub version: i32,
}

/// Why no copy was made.
#[derive(Debug, Error)]
pub enum BackupError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("no space is left for {} ({reason}); make room on its disk, or choose another one", path.display())]
    DiskFull { path: PathBuf, reason: String },
    #[error(
        "the history {} can't be copied, since it is damaged ({reason}); `ccwatch history check` says more. Keep your last \
         backup",
        path.display()
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("the copy of the history {} is not as it should be ({reason}), so it was not kept; try again", path.display())]
    NotTheSame { path: PathBuf, reason: String },
    #[error("cannot copy the history {}: {reason}", path.display())]
    Sqlite { path: PathBuf, reason: String },
}

/// Copies the history at `path` into the file `into`, which is empty or not there, and reads the copy back.
///
/// `progress` is told from time to time how many bytes are written and how many there will be, roughly. The history may
/// be of an older version, and may be written to meanwhile. It fails soon after `stop`. After a failure `into` may hold half
/// a copy: remove it.
pub fn back_up(
    path: &Path,
    into: &Path,
    stop: &CancellationToken,
    mut progress: impl FnMut(u64, u64) + Send + 'static,
) -> Result<BackedUp, BackupError> {
    let Opened {
        mut connection,
        version,
        ..
    } = open::unguarded(path)?;
    let failed = |source| sorted(path, into, source);
    let expected = size(&connection).map_err(failed)?.used;
    let watched = into.to_owned();
    let look = move || {
        let so_far = fs::metadata(&watched).map_or(0, |about| about.len());
        progress(so_far, expected);
    };
    heed(&mut connection, stop, look).map_err(failed)?;
    // As bytes: a path need not be UTF-8.
    let name = ToSqlOutput::Borrowed(ValueRef::Text(into.as_os_str().as_encoded_bytes()));
    connection.execute("VACUUM INTO ?1", [name]).map_err(failed)?;
    count_from_ahead(into).map_err(failed)?;
    read_back(path, into, version, stop)?;
    let bytes = fs::metadata(into).map_or(expected, |about| about.len());
    Ok(BackedUp { bytes, version })
}

fn count_from_ahead(copy: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(copy, flags)?;
    // A copy that is cut short is not kept, so it needs no journal to be mended from.
    let _: String = connection.pragma_update_and_check(None, "journal_mode", "memory", |row| row.get(0))?;
    let transaction = connection.transaction()?;
    for sql in COUNT_FROM_AHEAD {
        transaction.execute(sql, [AHEAD])?;
    }
    transaction.commit()
}

fn read_back(path: &Path, copy: &Path, version: i32, stop: &CancellationToken) -> Result<(), BackupError> {
    let not_the_same = |reason: String| BackupError::NotTheSame {
        path: path.to_owned(),
        reason,
    };
    let read = || -> rusqlite::Result<(String, i32, i32)> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(copy, flags)?;
        heed(&mut connection, stop, || ())?;
        Ok((
            connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?,
            connection.pragma_query_value(None, "application_id", |row| row.get(0))?,
            connection.pragma_query_value(None, "user_version", |row| row.get(0))?,
        ))
    };
    let (check, application_id, found) = read().map_err(|error| not_the_same(error.to_string()))?;
    if check != "ok" {
        return Err(BackupError::Damaged {
            path: path.to_owned(),
            reason: check,
        });
    }
    if (application_id, found) != (APPLICATION_ID, version) {
        return Err(not_the_same(format!("its schema is version {found}, not {version}")));
    }
    Ok(())
}

/// How large a history is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The file, as far as it is folded into it.
    pub file: u64,
    /// What of it holds something.
    pub used: u64,
}

pub(super) fn size(connection: &Connection) -> rusqlite::Result<Size> {
    let pragma = |name: &str| -> rusqlite::Result<u64> {
        let number: i64 = connection.pragma_query_value(None, name, |row| row.get(0))?;
        Ok(number.unsigned_abs())
    };
    let (page, pages, free) = (pragma("page_size")?, pragma("page_count")?, pragma("freelist_count")?);
    Ok(Size {
        file: page * pages,
        used: page * pages.saturating_sub(free),
    })
}

fn sorted(path: &Path, into: &Path, source: rusqlite::Error) -> BackupError {
    let reason = source.to_string();
    match Failure::from(source) {
        Failure::DiskFull(_) => BackupError::DiskFull {
            path: into.to_owned(),
            reason,
        },
        Failure::Damaged(_) => BackupError::Damaged {
            path: path.to_owned(),
            reason,
        },
        _ => BackupError::Sqlite {
            path: path.to_owned(),
            reason,
        },
    }
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
