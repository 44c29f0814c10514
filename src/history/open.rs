//! From a path to a connection that is safe to use.
//!
//! A file that is not ours is not touched: its first hundred bytes are read before SQLite sees it. For that to tell a
//! history from any other SQLite file at all times, a new one gets its `application_id` before anything else and before
//! it turns to WAL, so that the id stands in the file itself from the first byte on.
//! Nor is a file of ours opened beside what would damage it ([`Beside`]).

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::beside::{self, Beside};
use super::error::OpenError;
use super::owner::Owner;
use super::place::Place;

/// `CCWT`: marks an SQLite file as a ccwatch history. <https://www.sqlite.org/pragma.html#pragma_application_id>
pub(super) const APPLICATION_ID: i32 = 0x4343_5754;

/// How long a statement waits for another process's lock before it fails.
const BUSY_TIME_OUT: Duration = Duration::from_secs(5);

/// What the WAL file is cut back to after a checkpoint, in bytes: a reader that took long does not leave a giant behind.
const WAL_SIZE_LIMIT: i64 = 64 * 1024 * 1024;

/// How often a file that is replaced while it is opened is opened again.
const TRIES: u32 = 5;

/// Room for every statement that the program runs.
const STATEMENTS_KEPT: usize = 64;

/// Numbered SQL, embedded, append-only.
mod embedded {
    refinery::embed_migrations!("migrations");
}
pub(super) use embedded::migrations;

/// The schema version that this program knows: the number of the last migration.
pub(super) fn known_version() -> i32 {
    let versions = migrations::runner();
    let latest = versions.get_migrations().iter().map(refinery::Migration::version).max();
    latest.unwrap_or_default()
}

/// Makes the folder and an empty file where there are none, for their owner alone, and refuses a file that is someone
/// else's before a lock is put next to it. Returns the file's real path, so that two names of one file (a symbolic link)
/// lead to one lock.
pub(super) fn prepare(path: &Path) -> Result<PathBuf, OpenError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = |source| {
        OpenError::from_io(path, source, |source| OpenError::Folder {
            folder: folder.to_owned(),
            source,
        })
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match created {
        Ok(new) => {
            let given = Owner::of(folder)?.give_what_root_made(&new);
            given.map_err(failed).inspect_err(|_| {
                // It would keep them out.
                let _ = fs::remove_file(path);
            })?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    is_history(path)?;
    fs::canonicalize(path).map_err(|source| OpenError::File {
        path: path.to_owned(),
        source,
    })
}

/// Whether the file at `path` is a history, as far as its first hundred bytes tell.
/// <https://www.sqlite.org/fileformat2.html#the_database_header>
pub(super) fn is_history(path: &Path) -> Result<bool, OpenError> {
    let not_readable = |source| OpenError::File {
        path: path.to_owned(),
        source,
    };
    // Asked first: to open a pipe would be to wait for whoever writes into it.
    if !fs::metadata(path).map_err(not_readable)?.is_file() {
        return Err(OpenError::NotAFile { path: path.to_owned() });
    }
    let beside = Beside::of(path)?;
    let mut header = Vec::new();
    let length = File::open(path)
        .and_then(|mut file| {
            (&mut file).take(100).read_to_end(&mut header)?;
            Ok(file.metadata()?.len())
        })
        .map_err(not_readable)?;
    if header.is_empty() {
        return Ok(false);
    }
    if header.len() < 100 || !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::NotSqlite { path: path.to_owned() });
    }
    if header.get(68..72) != Some(APPLICATION_ID.to_be_bytes().as_slice()) {
        return Err(OpenError::NotAHistory { path: path.to_owned() });
    }
    beside.belongs_to(path, &header, length)?;
    Ok(true)
}

/// The connection that writes: marks an empty file as a history, and brings an older one up to date.
pub(super) fn writer(path: &Path) -> Result<Connection, OpenError> {
    let is_history = is_history(path)?;
    let mut connection = connect(path)?;
    let sorted = |source| OpenError::from_sqlite(path, source);
    if connection.is_readonly(rusqlite::MAIN_DB).map_err(sorted)? {
        return Err(OpenError::ReadOnly { path: path.to_owned() });
    }
    if !is_history {
        connection
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(sorted)?;
    }
    let found = version(&connection).map_err(sorted)?;
    let known = known_version();
    if found > known {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    keep_safe(&connection).map_err(sorted)?;
    if found < known {
        if found > 0 {
            tracing::info!(history = %path.display(), from = found, to = known,
                "the history is brought up to this version's schema, which takes a large one minutes; nothing is looked at before");
        }
        migrate(path, &mut connection)?;
    }
    Ok(connection)
}

/// Brings the schema up to date in one transaction: a crash, or a full disk, in the middle leaves the version that was.
pub(super) fn migrate(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let outcome = migrations::runner().set_grouped(true).run(connection);
    outcome.map(drop).map_err(|error| migration_error(path, &error))
}

/// A connection that reads only.
///
/// It is opened for writing where the file allows that, so that the last one to leave may tidy the WAL away, and then
/// forbidden to write.
pub(super) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = connect(path)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|source| OpenError::from_sqlite(path, source))?;
    Ok(connection)
}

/// A connection that reads, and may fold the WAL into the file.
pub(super) fn at_leisure(path: &Path) -> Result<Connection, OpenError> {
    let connection = reader(path)?;
    // SQLite knows of no WAL, and so folds none, before it has read something.
    version(&connection).map_err(|source| OpenError::from_sqlite(path, source))?;
    Ok(connection)
}

/// A writer for a process that is not the daemon, which may hold the file meanwhile: SQLite lets the two take turns.
/// It makes no file and no schema.
pub(super) fn outside_writer(path: &Path) -> Result<Connection, OpenError> {
    let connection = outside_reader(path)?;
    let sorted = |source| OpenError::from_sqlite(path, source);
    if connection.is_readonly(rusqlite::MAIN_DB).map_err(sorted)? {
        return Err(OpenError::ReadOnly { path: path.to_owned() });
    }
    connection.pragma_update(None, "query_only", false).map_err(sorted)?;
    keep_safe(&connection).map_err(sorted)?;
    Ok(connection)
}

/// A reader for a process that is not the daemon: of a file that may be missing, foreign, older or newer.
pub(super) fn outside_reader(path: &Path) -> Result<Connection, OpenError> {
    let (connection, found) = older_reader(path)?;
    let known = known_version();
    if found < known {
        let path = path.to_owned();
        return Err(OpenError::Older { path, found, known });
    }
    // This program's own: the last one to leave may tidy the WAL away, as in [`reader`].
    fold_on_close(&connection, true).map_err(|source| OpenError::from_sqlite(path, source))?;
    Ok(connection)
}

/// The same, of a file that may also be older; with the version of its schema.
pub(super) fn older_reader(path: &Path) -> Result<(Connection, i32), OpenError> {
    let (connection, found) = unguarded(path)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|source| OpenError::from_sqlite(path, source))?;
    Ok((connection, found))
}

/// The same, but not forbidden to write: `VACUUM INTO` writes to no history, yet `query_only` refuses it.
///
/// What lies in a WAL stays there: the file may be anyone's copy, and the log beside it another's.
pub(super) fn unguarded(path: &Path) -> Result<(Connection, i32), OpenError> {
    for _ in 0..TRIES {
        match is_history(path) {
            Ok(true) => {}
            // Empty: a daemon is about to fill it, or was killed before it could.
            Ok(false) => return Err(OpenError::Missing { path: path.to_owned() }),
            Err(OpenError::File { path, source }) => {
                return Err(match source.kind() {
                    io::ErrorKind::NotFound => OpenError::Missing { path },
                    io::ErrorKind::PermissionDenied => OpenError::NotAllowed { path },
                    _ => OpenError::File { path, source },
                });
            }
            Err(error) => return Err(error),
        }
        let place = Place::of(path)?;
        let connection = connect(path)?;
        let sorted = |source| OpenError::from_sqlite(path, source);
        let found = version(&connection).map_err(|source| match source.sqlite_error_code() {
            // `-wal` and `-shm`: without them there is no reading in WAL mode.
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => unreadable_beside(path),
            _ => sorted(source),
        });
        // A restore may have had it while this waited to read, and this would be what was put aside, read with the log of what
        // took its place. From the first read on, no restore has it.
        let is_replaced = !place.is_held();
        // What SQLite made beside it goes with the connection; what lay there stays.
        if is_replaced || Beside::of(path)?.has_log() {
            fold_on_close(&connection, false).map_err(sorted)?;
        }
        if is_replaced {
            continue;
        }
        let (found, known) = (found?, known_version());
        if found == 0 {
            // Being made, or its maker was killed.
            return Err(OpenError::Missing { path: path.to_owned() });
        }
        if found > known {
            let path = path.to_owned();
            return Err(OpenError::Newer { path, found, known });
        }
        return Ok((connection, found));
    }
    Err(OpenError::Replaced { path: path.to_owned() })
}

/// Why a file that may be read itself can't be read: what is beside it may not be read, or is not there and can't be made.
fn unreadable_beside(path: &Path) -> OpenError {
    let is_forbidden = |beside: &PathBuf| access(beside, Access::READ_OK) == Err(Errno::ACCESS);
    let beside = ["-wal", "-shm"].map(|suffix| beside::named(path, suffix));
    let path = path.to_owned();
    match beside.into_iter().find(is_forbidden) {
        Some(beside) => OpenError::NotAllowedBeside { path, beside },
        None => OpenError::ReadOnlyFolder { path },
    }
}

pub(super) fn connect(path: &Path) -> Result<Connection, OpenError> {
    // NO_MUTEX: a mutex of ours stands around each connection already.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sorted = |source| OpenError::from_sqlite(path, source);
    let connection = Connection::open_with_flags(path, flags).map_err(sorted)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.busy_timeout(BUSY_TIME_OUT).map_err(sorted)?;
    Ok(connection)
}

/// Whether the last connection to leave folds the WAL into the file and removes it.
/// <https://www.sqlite.org/c3ref/c_dbconfig_defensive.html#sqlitedbconfignockptonclose>
pub(super) fn fold_on_close(connection: &Connection, is_folded: bool) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !is_folded)
        .map(drop)
}

/// Sets what makes a commit last, and keeps references whole.
fn keep_safe(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        // Not an error to SQLite, which then goes on without. Readers would block the daemon, so it is one to us.
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
            Some(format!(
                "its file system does not allow a write-ahead log (journal mode is {mode})"
            )),
        ));
    }
    // FULL: what was committed survives a power cut. NORMAL would lose the last commits, and with them changes that were
    // told already.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted is overwritten: models and messages are to be gone from the file, not only from its tables.
    let _: i64 = connection.pragma_update_and_check(None, "secure_delete", true, |row| row.get(0))?;
    let _: i64 = connection.pragma_update_and_check(None, "journal_size_limit", WAL_SIZE_LIMIT, |row| row.get(0))?;
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn migration_error(path: &Path, error: &refinery::Error) -> OpenError {
    if let refinery::error::Kind::Connection(_, source) = error.kind()
        && let Some(rusqlite::Error::SqliteFailure(failure, message)) = source.downcast_ref()
    {
        let source = rusqlite::Error::SqliteFailure(*failure, message.clone());
        match OpenError::from_sqlite(path, source) {
            OpenError::Sqlite { .. } => {}
            sorted => return sorted,
        }
    }
    OpenError::Migration {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
