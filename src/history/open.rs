//! From a path to a connection that is safe to use.
//!
//! A file that is not ours is not touched: its first hundred bytes are read before SQLite sees it. For that to tell a
//! history from any other SQLite file at all times, a new one gets its `application_id` before anything else and before
//! it turns to WAL, so that the id stands in the file itself from the first byte on.
//! Nor is a file of ours opened beside what would damage it ([`Beside`]).
//!
//! # Whoever has it open does not look at it again
//!
//! When a process closes any descriptor of a file, the kernel drops every POSIX lock that the process holds on that file,
//! SQLite's among them. SQLite does not notice: its connection goes on, and another program, to which no one seems to have
//! the file open, removes the write-ahead log that is still written to. So **a process that has a connection to a file
//! neither opens nor copies that file by other means than SQLite**, which knows its own descriptors and keeps them until
//! the last lock is let go. The first hundred bytes are read before the first connection, and the second connection comes
//! of the first one: [`beside_reader`], which relies on what was seen then.
//! <https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_>

use std::cmp::Ordering;
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
use super::place::{Place, folder_of};

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
    let folder = folder_of(path);
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

/// Whether the file at `path` is a history, as far as its first hundred bytes tell. Not for a file that this process has open
/// already, the locks of which it would lose.
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
    let mut file = File::open(path).map_err(not_readable)?;
    (&mut file).take(100).read_to_end(&mut header).map_err(not_readable)?;
    if header.is_empty() {
        return Ok(false);
    }
    if header.len() < 100 || !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::NotSqlite { path: path.to_owned() });
    }
    if header.get(68..72) != Some(APPLICATION_ID.to_be_bytes().as_slice()) {
        return Err(OpenError::NotAHistory { path: path.to_owned() });
    }
    beside.belongs_to(path, &header, &file)?;
    Ok(true)
}

/// The connection that writes: marks an empty file as a history, and brings an older one up to date.
pub(super) fn writer(path: &Path) -> Result<Connection, OpenError> {
    let is_history = is_history(path)?;
    let mut connection = connect(path)?;
    let sorted = |source| OpenError::from_sqlite(path, source);
    is_writable(path, &connection)?;
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

/// A file that was there, opened from outside the daemon.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Connection,
    /// Of its schema.
    pub(super) version: i32,
    /// The file that was looked at, and is read.
    pub(super) place: Place,
}

/// A writer for a process that is not the daemon, which may hold the file meanwhile: SQLite lets the two take turns.
/// It makes no file and no schema.
pub(super) fn outside_writer(path: &Path) -> Result<Connection, OpenError> {
    let connection = outside_reader(path)?.connection;
    connection
        .pragma_update(None, "query_only", false)
        .map_err(|source| OpenError::from_sqlite(path, source))?;
    to_write(path, connection)
}

/// The same, in a process that reads the file at `place` at this moment, and goes on to do so.
pub(super) fn beside_reader(place: &Place) -> Result<Connection, OpenError> {
    let path = place.path();
    let connection = connect(path)?;
    // SQLite has not read it so far, nor what lies beside it.
    if !place.is_held() {
        return Err(OpenError::Replaced { path: path.to_owned() });
    }
    let found = version(&connection).map_err(|source| OpenError::from_sqlite(path, source))?;
    known(path, found)?;
    to_write(path, connection)
}

fn to_write(path: &Path, connection: Connection) -> Result<Connection, OpenError> {
    is_writable(path, &connection)?;
    keep_safe(&connection).map_err(|source| OpenError::from_sqlite(path, source))?;
    Ok(connection)
}

/// Fails where the file, or what SQLite has beside it, may not be written: a reader of a file that could only be read leaves a
/// `-wal` and a `-shm` of its mode.
fn is_writable(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let is_readonly = connection.is_readonly(rusqlite::MAIN_DB);
    if is_readonly.map_err(|source| OpenError::from_sqlite(path, source))? {
        return Err(OpenError::ReadOnly { path: path.to_owned() });
    }
    match forbidden_beside(path, Access::WRITE_OK) {
        Some(beside) => Err(OpenError::NotWritableBeside {
            path: path.to_owned(),
            beside,
        }),
        None => Ok(()),
    }
}

/// A reader for a process that is not the daemon: of a file that may be missing, foreign, older or newer.
pub(super) fn outside_reader(path: &Path) -> Result<Opened, OpenError> {
    let opened = older_reader(path)?;
    known(path, opened.version)?;
    // This program's own: the last one to leave may tidy the WAL away, as in [`reader`].
    fold_on_close(&opened.connection, true).map_err(|source| OpenError::from_sqlite(path, source))?;
    Ok(opened)
}

/// The same, of a file that may also be older.
pub(super) fn older_reader(path: &Path) -> Result<Opened, OpenError> {
    let opened = unguarded(path)?;
    opened
        .connection
        .pragma_update(None, "query_only", true)
        .map_err(|source| OpenError::from_sqlite(path, source))?;
    Ok(opened)
}

/// The same, but not forbidden to write: `VACUUM INTO` writes to no history, yet `query_only` refuses it.
///
/// What lies in a WAL stays there: the file may be anyone's copy, and the log beside it another's.
pub(super) fn unguarded(path: &Path) -> Result<Opened, OpenError> {
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
        return Ok(Opened {
            connection,
            version: found,
            place,
        });
    }
    Err(OpenError::Replaced { path: path.to_owned() })
}

/// Why a file that may be read itself can't be read: what is beside it may not be read, or is not there and can't be made.
fn unreadable_beside(path: &Path) -> OpenError {
    let path = path.to_owned();
    match forbidden_beside(&path, Access::READ_OK) {
        Some(beside) => OpenError::NotAllowedBeside { path, beside },
        None => OpenError::ReadOnlyFolder { path },
    }
}

/// The first that SQLite has beside the file and that this user has not this access to.
fn forbidden_beside(path: &Path, wanted: Access) -> Option<PathBuf> {
    let beside = ["-wal", "-shm"].map(|suffix| beside::named(path, suffix));
    beside
        .into_iter()
        .find(|beside| access(beside, wanted) == Err(Errno::ACCESS))
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

/// Refuses a schema that is not the one that this program reads and writes.
fn known(path: &Path, found: i32) -> Result<(), OpenError> {
    let (path, known) = (path.to_owned(), known_version());
    match found.cmp(&known) {
        Ordering::Less => Err(OpenError::Older { path, found, known }),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(OpenError::Newer { path, found, known }),
    }
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
