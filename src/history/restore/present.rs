//! The history that is there, held so that no one else can open it.
//!
//! To hold it takes it out of WAL mode. One that is let go without being replaced is turned back, with its log folded in. Where
//! that fails, or a kill comes first, it is as whole without a log, and the next ccwatch that writes to it turns it back.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use super::RestoreError;
use crate::history::place::Place;
use crate::history::{Failure, OpenError, in_use, open};

/// A count beyond this was never counted: no history has used half of SQLite's numbers.
const HIGHEST_COUNT: i64 = i64::MAX / 2;

/// What is at the history's path, as far as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Nothing,
    History,
    /// Empty, or overwritten: SQLite can't open it.
    NoSqlite,
    /// SQLite must not open it, since it would write into it what lies beside it, which is another file's.
    BesideAnothers,
}

/// Refuses what is surely no history that was damaged: a folder, a pipe, another program's database.
pub(super) fn look(path: &Path) -> Result<Look, OpenError> {
    match open::is_history(path) {
        Ok(true) => Ok(Look::History),
        Ok(false) | Err(OpenError::NotSqlite { .. }) => Ok(Look::NoSqlite),
        Err(OpenError::ForeignLog { .. } | OpenError::ForeignJournal { .. }) => Ok(Look::BesideAnothers),
        Err(OpenError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(Look::Nothing),
        Err(error) => Err(error),
    }
}

/// The history that is there, if any. While this lives, no one else can open it.
#[derive(Debug, Default)]
pub(super) struct Present {
    /// If SQLite can open the file.
    _held: Option<Held>,
    counts: Vec<(String, i64)>,
    damage: Option<String>,
}

/// A file that SQLite has locked against everyone. This process must not open and close it meanwhile, by whatever name: that
/// would drop the lock ([`open`]).
#[derive(Debug)]
struct Held {
    connection: Connection,
    place: Place,
    /// Whether it was in WAL mode, and is no more.
    is_turned: bool,
}

impl Present {
    pub(super) fn hold(path: &Path) -> Result<Self, RestoreError> {
        match look(path)? {
            Look::Nothing => return Ok(Self::default()),
            Look::History => {}
            Look::NoSqlite | Look::BesideAnothers if others_have(path)? => {
                return Err(RestoreError::InUse { path: path.to_owned() });
            }
            Look::NoSqlite => {
                let length = fs::metadata(path).map_or(0, |about| about.len());
                let what = if length == 0 {
                    "it is empty"
                } else {
                    "it is not an SQLite file"
                };
                return Ok(Self::damaged(what.to_owned()));
            }
            Look::BesideAnothers => {
                return Ok(Self::damaged(
                    "what lies beside it seems to be another file's".to_owned(),
                ));
            }
        }
        let place = Place::of(path)?;
        let connection = match open::connect(path) {
            Ok(connection) => connection,
            Err(OpenError::Damaged { source, .. }) => return Ok(Self::damaged(source.to_string())),
            Err(error) => return Err(error.into()),
        };
        let mut held = Held {
            connection,
            place,
            is_turned: false,
        };
        match held.take() {
            Ok(true) => {}
            Ok(false) => return Err(RestoreError::InUse { path: path.to_owned() }),
            Err(Failure::Damaged(source)) => return Ok(Self::damaged(source.to_string())),
            Err(failure) => match failure {
                Failure::Sqlite(source) | Failure::DiskFull(source) => {
                    return Err(OpenError::from_sqlite(path, source).into());
                }
                failure => {
                    let path = path.to_owned();
                    return Err(RestoreError::Failed { path, failure });
                }
            },
        }
        let (counts, damage) = match counts(&held.connection) {
            Ok(counts) => (counts, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        Ok(Self {
            _held: Some(held),
            counts,
            damage,
        })
    }

    /// SQLite has not touched it, and what lies beside it stays there.
    fn damaged(reason: String) -> Self {
        Self {
            damage: Some(reason),
            ..Self::default()
        }
    }

    /// How far each table that never uses a number again has counted.
    pub(super) fn counts(&self) -> &[(String, i64)] {
        &self.counts
    }

    /// Why it can't be read, if it can't.
    pub(super) fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }
}

/// Asks the kernel who has a file that SQLite can't lock: whoever has it open since it was a history.
fn others_have(path: &Path) -> Result<bool, OpenError> {
    let in_use = File::open(path).and_then(|file| in_use::is_in_use(&file));
    in_use.map_err(|source| OpenError::File {
        path: path.to_owned(),
        source,
    })
}

impl Held {
    /// Folds the write-ahead log into the file, removes it, and locks the file against everyone. Returns whether no one else has it.
    fn take(&mut self) -> Result<bool, Failure> {
        match self.lock() {
            Ok(mode) => Ok(mode == "delete"),
            Err(error)
                if matches!(
                    error.sqlite_error_code(),
                    Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn lock(&mut self) -> rusqlite::Result<String> {
        // Where the rest fails, the log stays as it is beside a file that may be damaged.
        open::fold_on_close(&self.connection, false)?;
        let before = self.mode()?;
        // SQLite leaves WAL mode only when no one else has the file open: this folds the log, removes it and `-shm`, and marks the
        // file as one without.
        let now = self.turn_to("delete")?;
        self.is_turned = before == "wal" && now == "delete";
        self.connection.execute_batch("BEGIN EXCLUSIVE")?;
        // Someone may have turned it to WAL again in between.
        self.mode()
    }

    fn let_go(&self) -> rusqlite::Result<()> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        open::fold_on_close(&self.connection, true)?;
        self.turn_to("wal").map(drop)
    }

    fn mode(&self) -> rusqlite::Result<String> {
        self.connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
    }

    fn turn_to(&self, mode: &str) -> rusqlite::Result<String> {
        self.connection
            .pragma_update_and_check(None, "journal_mode", mode, |row| row.get(0))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Once it was replaced, another file has the name, and a log under it would be taken for that one's.
        if self.is_turned && self.place.is_held() {
            // Where this fails, it is whole all the same.
            let _ = self.let_go();
        }
    }
}

fn counts(connection: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    let is_there = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'";
    if connection.query_row(is_there, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT name, seq FROM sqlite_sequence WHERE seq <= ?1")?;
    let counts = statement.query_map([HIGHEST_COUNT], |row| Ok((row.get(0)?, row.get(1)?)))?;
    counts.collect()
}
