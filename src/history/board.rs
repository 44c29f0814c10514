//! How things stand at this moment, for a screen that is looked at while they change.
//!
//! It costs milliseconds on a history of any size, since nothing that it reads grows with the history: what is open,
//! found by an index of that alone, and beyond it the newest few of each list. Each list has a limit, given here, and each
//! limit says what lies beyond it. All of it is one state of the history. *(`board_tests`, `schema_tests`)*
//!
//! Ages are not among it: who shows them computes them from the times, so that a second that passes is no reason to read.
//! [`Reader::version`] says whether anything else is.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;

use super::attention::usual_of;
use super::reader::rows;
use super::rows::Stored;
use super::sql::RequestId;
use super::{Failure, History, HistoryError, Reader};
use crate::decide::stuck::Usual;
use crate::model::rows::{InvocationRow, RequestRow};
use crate::model::{RequestToken, TargetId, TargetName, Timestamp};

/// How things stand.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Board {
    /// The oldest first, up to [`Board::OPEN_LIMIT`].
    pub open: Vec<OpenRequest>,
    /// All of them.
    pub open_total: usize,
    /// Hooks of open requests that have not ended; those of the oldest requests first, up to [`Board::HOOKS_LIMIT`].
    pub hooks_running: Vec<InvocationRow>,
    /// All of the open requests some of whose hooks have not ended, or were not read yet.
    pub hooks_pending: usize,
    /// Hooks in WARN mode that found fault, which no one but the history was told; the newest first, up to [`Board::LATEST_LIMIT`].
    pub warnings: Vec<InvocationRow>,
    /// Requests that FAILED, the last one first, up to [`Board::LATEST_LIMIT`].
    pub failures: Vec<RequestRow>,
    /// By name.
    pub targets: Vec<TargetHealth>,
    /// Those that have something waiting, have given something up, or are failing, by name. What is well and idle is not in
    /// the history.
    pub receivers: Vec<ReceiverHealth>,
}

/// How things stand, in two numbers, which stand for that many or more from [`Brief::LIMIT`] on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Brief {
    /// Requests that have not ended.
    pub open: u32,
    /// Deliveries that wait.
    pub waiting: u32,
}

/// A request that has not ended, and how long its like take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRequest {
    pub target: TargetName,
    pub token: RequestToken,
    pub type_name: Option<String>,
    pub identifier: Option<String>,
    pub operation: Option<String>,
    pub status: Option<String>,
    /// Its start, or when it was first seen.
    pub started_at: Timestamp,
    /// When it was last told to be stuck.
    pub stuck_told_at: Option<Timestamp>,
    /// `None`: too few like it have succeeded.
    pub usual: Option<Usual>,
}

/// Whether a target is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealth {
    pub name: TargetName,
    pub account_id: Option<String>,
    pub region: String,
    /// When it was last looked at with success; `None`: never yet. Written down about once a minute.
    pub last_looked_at: Option<Timestamp>,
    /// Since when it is not, or cannot be, looked at, and why.
    pub gap: Option<(Timestamp, String)>,
    /// Its open requests.
    pub open: usize,
}

/// How a receiver is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiverHealth {
    pub name: String,
    /// Deliveries that wait, up to [`Board::WAITING_LIMIT`], which stands for that many or more.
    pub waiting: u32,
    /// Its deliveries among the last [`Board::DEAD_LIMIT`], of all receivers, that were given up.
    pub dead: u32,
    /// Since when each attempt has failed.
    pub failing_since: Option<Timestamp>,
    /// What the last attempt failed of, while it is failing.
    pub last_error: Option<String>,
}

/// Every open request is visited, for the counts. Spelled as in the index.
pub(super) const OPEN: &str = "
SELECT r.id, r.target_id, r.token, r.type_name, r.identifier, r.operation, r.status,
    coalesce(r.started_at, r.first_seen_at) AS started_at, r.stuck_told_at, r.hooks_pending
FROM requests AS r
WHERE r.phase = 'open'
ORDER BY coalesce(r.started_at, r.first_seen_at)";

pub(super) const RUNNING_HOOKS: &str = "WHERE r.id = ?1 AND h.finished_at IS NULL ORDER BY h.id";

/// The index is named: without statistics SQLite takes the one by status, and sorts every failure there ever was.
pub(super) const FAILURES: &str = "
WHERE r.id IN (
    SELECT id FROM requests INDEXED BY requests_failed_by_end WHERE status = 'FAILED' ORDER BY finished_at DESC LIMIT ?1
)
ORDER BY r.finished_at DESC";

pub(super) const WARNINGS: &str = "
WHERE h.id IN (
    SELECT id FROM hooks INDEXED BY hooks_warned_by_time
    WHERE status IN ('HOOK_COMPLETE_FAILED', 'HOOK_FAILED') AND failure_mode = 'WARN'
    ORDER BY first_seen_at DESC LIMIT ?1
)
ORDER BY h.first_seen_at DESC";

/// As many rows as targets.
pub(super) const TARGETS: &str = "
SELECT t.id, t.name, t.account_id, t.region, t.last_looked_at, g.from_at, g.reason
FROM targets AS t
LEFT JOIN gaps AS g ON g.target_id = t.id AND g.to_at IS NULL
ORDER BY t.name";

/// By indexes of what is open, and of what waits, alone.
pub(super) const BRIEF: &str = "
SELECT (SELECT count(*) FROM (SELECT 1 FROM requests WHERE phase = 'open' LIMIT ?1)),
    (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state = 'pending' LIMIT ?1))";

/// From one receiver to the next, without a step for each delivery.
pub(super) const WAITING: &str = "
WITH RECURSIVE waiting (receiver) AS (
    SELECT min(receiver) FROM deliveries WHERE state = 'pending'
    UNION ALL
    SELECT (SELECT min(d.receiver) FROM deliveries AS d WHERE d.state = 'pending' AND d.receiver > w.receiver)
    FROM waiting AS w WHERE w.receiver IS NOT NULL
)
SELECT w.receiver, (
    SELECT count(*) FROM (SELECT 1 FROM deliveries AS d WHERE d.state = 'pending' AND d.receiver = w.receiver LIMIT ?1)
)
FROM waiting AS w WHERE w.receiver IS NOT NULL";

pub(super) const DEAD: &str = "
SELECT receiver, count(*)
FROM (SELECT receiver FROM deliveries WHERE state = 'dead' ORDER BY id DESC LIMIT ?1)
GROUP BY receiver";

/// As many rows as receivers that are not well.
pub(super) const FAILING: &str = "
SELECT name, failing_since, last_error FROM receivers WHERE failing_since IS NOT NULL";

impl Reader {
    /// How things stand.
    pub fn board(&self) -> Result<Board, HistoryError> {
        self.read(|connection| {
            let mut board = Board {
                failures: RequestRow::all(connection, FAILURES, [rows(Board::LATEST_LIMIT)])?,
                warnings: InvocationRow::all(connection, WARNINGS, [rows(Board::LATEST_LIMIT)])?,
                receivers: receivers(connection)?,
                ..Board::default()
            };
            let (ids, targets) = targets(connection)?;
            board.targets = targets;
            board.read_open(connection, &ids)?;
            Ok(board)
        })
    }

    /// A number that another process's commit changes, and nothing else: while it is the same, there is nothing new to read.
    /// It says nothing in another process, nor to another reader. <https://www.sqlite.org/pragma.html#pragma_data_version>
    pub fn version(&self) -> Result<i64, HistoryError> {
        self.read(|connection| Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?))
    }
}

impl History {
    /// How things stand, in short.
    pub async fn brief(&self) -> Result<Brief, HistoryError> {
        self.reading(|connection| {
            let mut statement = connection.prepare_cached(BRIEF)?;
            Ok(statement.query_row([Brief::LIMIT], |row| {
                Ok(Brief {
                    open: row.get(0)?,
                    waiting: row.get(1)?,
                })
            })?)
        })
        .await
    }
}

impl Brief {
    /// Up to so many are counted.
    pub const LIMIT: u32 = 100_000;
}

impl Board {
    /// So many open requests are read, the oldest of them; beyond that they are counted.
    pub const OPEN_LIMIT: usize = 5000;
    /// So many running hooks are read, those of the oldest requests; beyond that their requests are counted.
    pub const HOOKS_LIMIT: usize = 200;
    /// So many of the last failures are read, and so many of the last warnings.
    pub const LATEST_LIMIT: usize = 50;
    /// Up to so many waiting deliveries are counted for each receiver.
    pub const WAITING_LIMIT: u32 = 10_000;
    /// Of so many deliveries that were given up last, each receiver's are counted.
    pub const DEAD_LIMIT: u32 = 1000;

    /// `ids` has the place of each target in `self.targets`.
    fn read_open(&mut self, connection: &Connection, ids: &HashMap<TargetId, usize>) -> Result<(), Failure> {
        let mut sorts: HashMap<(String, String), Option<Usual>> = HashMap::new();
        let mut statement = connection.prepare_cached(OPEN)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let target: TargetId = row.get("target_id")?;
            let target = ids.get(&target).and_then(|place| self.targets.get_mut(*place));
            // A reference holds each to its target.
            let Some(target) = target else { continue };
            target.open += 1;
            self.open_total += 1;
            if row.get("hooks_pending")? {
                self.hooks_pending += 1;
                if self.hooks_running.len() < Board::HOOKS_LIMIT {
                    let id: RequestId = row.get("id")?;
                    self.hooks_running
                        .extend(InvocationRow::all(connection, RUNNING_HOOKS, [id])?);
                }
            }
            if self.open.len() == Board::OPEN_LIMIT {
                continue;
            }
            let (type_name, operation): (Option<String>, Option<String>) =
                (row.get("type_name")?, row.get("operation")?);
            let usual = match type_name.clone().zip(operation.clone()) {
                None => None,
                Some(sort) => {
                    if let Some(usual) = sorts.get(&sort) {
                        *usual
                    } else {
                        let usual = usual_of(connection, &sort)?;
                        sorts.insert(sort, usual);
                        usual
                    }
                }
            };
            self.open.push(OpenRequest {
                target: target.name.clone(),
                token: row.get("token")?,
                type_name,
                identifier: row.get("identifier")?,
                operation,
                status: row.get("status")?,
                started_at: row.get("started_at")?,
                stuck_told_at: row.get("stuck_told_at")?,
                usual,
            });
        }
        self.hooks_running.truncate(Board::HOOKS_LIMIT);
        Ok(())
    }
}

/// The targets by name, and where in that order each one is.
fn targets(connection: &Connection) -> rusqlite::Result<(HashMap<TargetId, usize>, Vec<TargetHealth>)> {
    let mut statement = connection.prepare_cached(TARGETS)?;
    let mut rows = statement.query([])?;
    let (mut ids, mut targets) = (HashMap::new(), Vec::new());
    while let Some(row) = rows.next()? {
        ids.insert(row.get("id")?, targets.len());
        let gap: (Option<Timestamp>, Option<String>) = (row.get("from_at")?, row.get("reason")?);
        targets.push(TargetHealth {
            name: row.get("name")?,
            account_id: row.get("account_id")?,
            region: row.get("region")?,
            last_looked_at: row.get("last_looked_at")?,
            gap: gap.0.zip(gap.1),
            open: 0,
        });
    }
    Ok((ids, targets))
}

fn receivers(connection: &Connection) -> rusqlite::Result<Vec<ReceiverHealth>> {
    let mut receivers: BTreeMap<String, ReceiverHealth> = BTreeMap::new();
    for (name, waiting) in counts(connection, WAITING, Board::WAITING_LIMIT)? {
        receivers.entry(name).or_default().waiting = waiting;
    }
    for (name, dead) in counts(connection, DEAD, Board::DEAD_LIMIT)? {
        receivers.entry(name).or_default().dead = dead;
    }
    let mut statement = connection.prepare_cached(FAILING)?;
    let mut failing = statement.query([])?;
    while let Some(row) = failing.next()? {
        let receiver = receivers.entry(row.get("name")?).or_default();
        receiver.failing_since = row.get("failing_since")?;
        receiver.last_error = row.get("last_error")?;
    }
    let named = |(name, health)| ReceiverHealth { name, ..health };
    Ok(receivers.into_iter().map(named).collect())
}

fn counts(connection: &Connection, sql: &str, limit: u32) -> rusqlite::Result<Vec<(String, u32)>> {
    let mut statement = connection.prepare_cached(sql)?;
    statement
        .query_map([limit], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
