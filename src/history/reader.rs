//! Reading a history from outside: the CLI, while a daemon writes, or when none does.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, params};

use super::open::{self, Opened};
use super::place::Place;
use super::rows::Stored;
use super::{Editor, Failure, HistoryError, OpenError, transaction};
use crate::model::rows::{ChangeRow, DeliveryRow, GapRow, HookEventRow, HookRow, ProgressEventRow, RequestRow};
use crate::model::{RequestToken, TargetName, Timestamp};

/// Reads a history and cannot write to it.
///
/// Each call sees one state of the history, but the next call may see a later one.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    pub(super) path: Arc<Path>,
    pub(super) place: Place,
}

/// How much of what a history holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Requests by status, in the alphabet's order; `None`: no status was ever seen.
    pub requests: Vec<(Option<String>, u32)>,
    /// Invocations of hooks by status.
    pub hooks: Vec<(Option<String>, u32)>,
    pub changes: u32,
    /// Deliveries by state.
    pub deliveries: Vec<(String, u32)>,
}

pub(super) const BY_TOKEN: &str = "WHERE r.token = ?2 AND t.name = ?1";
pub(super) const TOKENS: &str = "
SELECT t.name, r.token
FROM requests AS r
JOIN targets AS t ON t.id = r.target_id
WHERE r.token >= ?1 AND r.token < ?2 AND (?3 IS NULL OR t.name = ?3 OR t.name = ?3 || '/' || t.region)
ORDER BY r.token
LIMIT ?4";
pub(super) const GAPS_OF: &str = "
WHERE t.name = ?1 AND g.from_at <= ?3 AND (g.to_at IS NULL OR g.to_at >= ?2)
ORDER BY g.from_at, g.id";

impl Reader {
    /// Opens the history at `path` for reading. It does not make one, and does not bring an older one up to date.
    ///
    /// Where no daemon holds the history, SQLite makes `-wal` and `-shm` files next to it, so a folder in which this user
    /// may not write is refused then.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let Opened { connection, place, .. } = open::outside_reader(path)?;
        Ok(Self {
            connection,
            path: path.into(),
            place,
        })
    }

    /// Someone who writes into the same history while this reads it. To open it by its path once more would cost this process
    /// its locks on the file.
    pub fn editor(&self) -> Result<Editor, OpenError> {
        Ok(Editor {
            connection: open::beside_reader(&self.place)?,
            path: Arc::clone(&self.path),
        })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The requests whose token begins with `prefix`, up to `limit` of them: in all targets, or in those that `target` names,
    /// as `entry/region` or by the entry alone.
    pub fn find_tokens(
        &self,
        prefix: &str,
        target: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(TargetName, RequestToken)>, HistoryError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(TOKENS)?;
            let end = format!("{prefix}{}", char::MAX);
            let tokens = statement.query_map(params![prefix, end, target, rows(limit)], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            Ok(tokens.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// One request, if it is known.
    pub fn request(&self, target: &TargetName, token: &RequestToken) -> Result<Option<RequestRow>, HistoryError> {
        Ok(self.of_request(target, token, "")?.pop())
    }

    /// A request's events, in the order in which they were seen.
    pub fn progress_events(
        &self,
        target: &TargetName,
        token: &RequestToken,
    ) -> Result<Vec<ProgressEventRow>, HistoryError> {
        self.of_request(target, token, "ORDER BY e.id")
    }

    /// A request's hooks, in the order in which they were first seen.
    pub fn hooks(&self, target: &TargetName, token: &RequestToken) -> Result<Vec<HookRow>, HistoryError> {
        self.of_request(target, token, "ORDER BY h.id")
    }

    /// The events of a request's hooks, in the order in which they were seen.
    pub fn hook_events(&self, target: &TargetName, token: &RequestToken) -> Result<Vec<HookEventRow>, HistoryError> {
        self.of_request(target, token, "ORDER BY e.id")
    }

    /// A request's changes, oldest first.
    pub fn changes(&self, target: &TargetName, token: &RequestToken) -> Result<Vec<ChangeRow>, HistoryError> {
        self.of_request(target, token, "ORDER BY c.id")
    }

    /// The deliveries of a request's changes, oldest first.
    pub fn deliveries(&self, target: &TargetName, token: &RequestToken) -> Result<Vec<DeliveryRow>, HistoryError> {
        self.read(|connection| {
            Ok(DeliveryRow::all(
                connection,
                &deliveries_of_request(),
                params![target, token],
            )?)
        })
    }

    /// The gaps of one target that have a moment in common with the time between `from` and `to`, both included, oldest
    /// first. One that is still open has no end.
    pub fn gaps_of(&self, target: &TargetName, from: Timestamp, to: Timestamp) -> Result<Vec<GapRow>, HistoryError> {
        self.read(|connection| Ok(GapRow::all(connection, GAPS_OF, params![target, from, to])?))
    }

    /// How much of what there is. Walks the whole history.
    pub fn summary(&self) -> Result<Summary, HistoryError> {
        self.read(|connection| {
            Ok(Summary {
                requests: counts(
                    connection,
                    "SELECT status, count(*) FROM requests GROUP BY 1 ORDER BY 1",
                )?,
                hooks: counts(connection, "SELECT status, count(*) FROM hooks GROUP BY 1 ORDER BY 1")?,
                changes: connection.query_row("SELECT count(*) FROM changes", [], |row| row.get(0))?,
                deliveries: counts(
                    connection,
                    "SELECT state, count(*) FROM deliveries GROUP BY 1 ORDER BY 1",
                )?,
            })
        })
    }

    fn of_request<R: Stored>(
        &self,
        target: &TargetName,
        token: &RequestToken,
        order: &str,
    ) -> Result<Vec<R>, HistoryError> {
        self.read(|connection| {
            let rest = format!("{BY_TOKEN}\n{order}");
            Ok(R::all(connection, &rest, params![target, token])?)
        })
    }

    /// See [`transaction::reading`].
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, HistoryError> {
        transaction::reading(&self.connection, &self.path, work)
    }
}

pub(super) fn deliveries_of_request() -> String {
    format!(
        "JOIN changes AS c ON c.id = d.change_id
JOIN requests AS r ON r.id = c.request_id
JOIN targets AS t ON t.id = r.target_id
{BY_TOKEN}
ORDER BY d.id"
    )
}

fn counts<K: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<(K, u32)>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

pub(super) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
