//! Reading rows for statistics: a few columns each, handed on one by one, never all of them in memory.
//!
//! What began in a span of time is found by the index of its beginning, so a month of a history costs the same whatever
//! years came before it. What is counted over the whole history is counted in the smallest index that has it; ProgressEvents,
//! ten to a request, are not counted but sampled.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::HistoryError;
use super::asking::{Filter, Narrowed, START};
use super::backup::AHEAD;
use super::reader::{Reader, rows};
use super::sql::RequestId;
use crate::model::rows::RequestRow;
use crate::model::{HookStatus, Phase, Timestamp};
use crate::statistics::{HookFacts, HookOutcome, Outcome, RequestFacts, Size};

/// The index is named, and stands first (`CROSS JOIN`), so that no filter can make SQLite begin elsewhere: what is asked for
/// is a time, and most of what is in it. <https://www.sqlite.org/optoverview.html#crossjoin>
const REQUESTS: &str = "
SELECT coalesce(r.started_at, r.first_seen_at), t.name, t.region, r.type_name, r.operation, r.error_code, r.status,
    r.phase, CASE WHEN r.finished_at > r.started_at THEN r.finished_at - r.started_at END
FROM requests AS r INDEXED BY requests_by_start
CROSS JOIN targets AS t ON t.id = r.target_id";

/// When a hook ended is when ccwatch saw that, as when it began is: the service's clock, which `finished_at` is of, and ours
/// would make seconds out of nothing.
const HOOKS: &str = "
SELECT h.first_seen_at, h.hook_type_name, h.hook_type_version_id, h.status, h.failure_mode,
    CASE WHEN h.finished_at IS NOT NULL THEN (
        SELECT min(e.observed_at) FROM hook_events AS e WHERE e.hook_id = h.id AND e.status = h.status
    ) END
FROM hooks AS h INDEXED BY hooks_by_time";

const OF_REQUEST: &str = "
CROSS JOIN requests AS r ON r.id = h.request_id";

const OPEN: &str = "
SELECT r.id FROM requests AS r INDEXED BY requests_open_by_start";

pub(super) const FIRST_REQUEST: &str = "
SELECT coalesce(started_at, first_seen_at) FROM requests ORDER BY coalesce(started_at, first_seen_at) LIMIT 1";

pub(super) const FIRST_ENDED: &str =
    "SELECT last_seen_at FROM requests WHERE phase <> 'open' ORDER BY last_seen_at LIMIT 1";

pub(super) const FIRST_HOOK: &str = "SELECT first_seen_at FROM hooks ORDER BY first_seen_at LIMIT 1";

/// Counted by the pages of an index, whichever SQLite takes for the smallest, and not row by row.
pub(super) const COUNT_REQUESTS: &str = "SELECT count(*) FROM requests";

pub(super) const COUNT_RECENT: &str = "SELECT count(*) FROM requests WHERE coalesce(started_at, first_seen_at) >= ?1";

pub(super) const COUNT_BEFORE: &str = "SELECT count(*) FROM requests WHERE coalesce(started_at, first_seen_at) < ?1";

pub(super) const FIRST_EVENT: &str = "SELECT min(id) FROM progress_events WHERE id > ?1";

pub(super) const LAST_EVENT: &str = "SELECT max(id) FROM progress_events WHERE id < ?1";

pub(super) const HAS_EVENT: &str = "SELECT EXISTS (SELECT 1 FROM progress_events WHERE id = ?1)";

/// Ids looked up to learn how many of a span are taken.
const PROBES: i64 = 1024;

impl Reader {
    /// Hands on the requests that `filter`, but for its limit, lets through, oldest first.
    pub fn request_facts(&self, filter: &Filter, mut each: impl FnMut(&RequestFacts<'_>)) -> Result<(), HistoryError> {
        self.read(|connection| {
            let (sql, params) = requests_of(&Narrowed::new(connection, filter)?);
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(params))?;
            while let Some(row) = rows.next()? {
                each(&request(row)?);
            }
            Ok(())
        })
    }

    /// Hands on the invocations of hooks that `filter`, but for its limit, lets through, oldest first.
    pub fn hook_facts(&self, filter: &Filter, mut each: impl FnMut(&HookFacts<'_>)) -> Result<(), HistoryError> {
        self.read(|connection| {
            let (sql, params) = hooks_of(&Narrowed::new(connection, filter)?);
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(params))?;
            while let Some(row) = rows.next()? {
                each(&hook(row)?);
            }
            Ok(())
        })
    }

    /// Up to `limit` of the open requests that `filter`, but for its time and its limit, lets through; the one that has
    /// been open for longest first.
    pub fn longest_open(&self, filter: &Filter, limit: usize) -> Result<Vec<RequestRow>, HistoryError> {
        self.read(|connection| {
            let (sql, params) = open_of(&Narrowed::new(connection, filter)?, limit);
            let mut statement = connection.prepare_cached(&sql)?;
            let ids = statement.query_map(params_from_iter(params), |row| row.get(0))?;
            let ids: Vec<RequestId> = ids.collect::<rusqlite::Result<_>>()?;
            let rows = ids.into_iter().map(|id| super::rows::request(connection, id));
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// When the oldest request started, or was first seen.
    pub fn first_request_at(&self) -> Result<Option<Timestamp>, HistoryError> {
        self.read(|connection| Ok(connection.query_row(FIRST_REQUEST, [], |row| row.get(0)).optional()?))
    }

    /// When the newest of the targets came to be known: before that, nothing is known of it, nor when it was not looked at.
    pub fn last_registered_at(&self) -> Result<Option<Timestamp>, HistoryError> {
        self.read(
            |connection| Ok(connection.query_row("SELECT max(registered_at) FROM targets", [], |row| row.get(0))?),
        )
    }

    /// When the first of all hooks was first seen.
    pub fn first_hook_at(&self) -> Result<Option<Timestamp>, HistoryError> {
        self.read(|connection| Ok(connection.query_row(FIRST_HOOK, [], |row| row.get(0)).optional()?))
    }

    /// How large the history is.
    pub fn size(&self, now: Timestamp) -> Result<Size, HistoryError> {
        self.read(|connection| {
            let pragma = |name: &str| connection.pragma_query_value(None, name, number);
            let (events, events_estimated) = events(connection)?;
            Ok(Size {
                file_bytes: pragma("page_count")? * pragma("page_size")?,
                wal_bytes: connection.path().map_or(0, wal_bytes),
                free_bytes: pragma("freelist_count")? * pragma("page_size")?,
                requests: connection.query_row(COUNT_REQUESTS, [], number)?,
                events,
                events_estimated,
                oldest_at: connection.query_row(FIRST_REQUEST, [], |row| row.get(0)).optional()?,
                oldest_ended_at: connection.query_row(FIRST_ENDED, [], |row| row.get(0)).optional()?,
                recent_requests: connection.query_row(COUNT_RECENT, [now.minus(Size::RECENT)], number)?,
            })
        })
    }

    /// How many requests started, or were first seen, before `time`.
    pub fn count_before(&self, time: Timestamp) -> Result<u64, HistoryError> {
        self.read(|connection| Ok(connection.query_row(COUNT_BEFORE, [time], number)?))
    }
}

pub(super) fn requests_of(narrowed: &Narrowed<'_>) -> (String, Vec<Value>) {
    let conditions = narrowed.time(START).and(narrowed.request(None));
    let sql = format!("{REQUESTS}{}\nORDER BY {START}", conditions.to_where());
    (sql, conditions.params)
}

pub(super) fn hooks_of(narrowed: &Narrowed<'_>) -> (String, Vec<Value>) {
    let about = narrowed.about_request(None);
    let join = if about.is_empty() { "" } else { OF_REQUEST };
    let conditions = narrowed.time("h.first_seen_at").and(narrowed.of_hook(None)).and(about);
    let sql = format!("{HOOKS}{join}{}\nORDER BY h.first_seen_at", conditions.to_where());
    (sql, conditions.params)
}

pub(super) fn open_of(narrowed: &Narrowed<'_>, limit: usize) -> (String, Vec<Value>) {
    let mut conditions = narrowed.request(None);
    conditions.add("r.phase = 'open'", []);
    let sql = format!("{OPEN}{}\nORDER BY {START} LIMIT ?", conditions.to_where());
    let params = conditions.params.into_iter().chain([Value::from(rows(limit))]);
    (sql, params.collect())
}

/// A count, which SQLite has as a signed integer.
fn number(row: &Row<'_>) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(0)?.unsigned_abs())
}

fn request<'a>(row: &'a Row<'_>) -> rusqlite::Result<RequestFacts<'a>> {
    let phase: Phase = row.get(7)?;
    Ok(RequestFacts {
        at: row.get(0)?,
        target: text(row, 1)?.unwrap_or_default(),
        region: text(row, 2)?.unwrap_or_default(),
        type_name: text(row, 3)?,
        operation: text(row, 4)?,
        error_code: text(row, 5)?,
        outcome: Outcome::of_request(text(row, 6)?, phase == Phase::Lost),
        took: row
            .get::<_, Option<i64>>(8)?
            .map(|millis| Duration::from_millis(millis.unsigned_abs())),
    })
}

fn hook<'a>(row: &'a Row<'_>) -> rusqlite::Result<HookFacts<'a>> {
    let first_seen_at: Timestamp = row.get(0)?;
    let seen_ended_at: Option<Timestamp> = row.get(5)?;
    let status = text(row, 3)?;
    Ok(HookFacts {
        first_seen_at,
        hook_type_name: text(row, 1)?,
        hook_type_version_id: text(row, 2)?,
        outcome: HookOutcome::of(status, text(row, 4)?),
        is_broken: status == Some(HookStatus::Failed.as_str()),
        latency: seen_ended_at
            .filter(|ended_at| *ended_at > first_seen_at)
            .map(|ended_at| ended_at.since(first_seen_at)),
    })
}

/// Borrowed from the row: a name is copied where it is new, not once for each row.
fn text<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<Option<&'a str>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        value => Ok(Some(value.as_str()?)),
    }
}

/// How many ProgressEvents there are, and whether that is an estimate.
///
/// Their ids only grow and are never used again, so the first and the last one bound their number, and where nothing was
/// pruned give it. Pruning takes the oldest first but leaves the open ones, so how much of the span is taken is learnt from
/// ids that are spread over it evenly. In a restored history the ids leap over [`AHEAD`] numbers: what lies before and after
/// a leap is a span of its own.
fn events(connection: &Connection) -> rusqlite::Result<(u64, bool)> {
    let id = |sql: &str, after: i64| -> rusqlite::Result<Option<i64>> {
        connection.prepare_cached(sql)?.query_row([after], |row| row.get(0))
    };
    let (mut events, mut is_estimate) = (0, false);
    let mut next = id(FIRST_EVENT, 0)?;
    while let Some(first) = next {
        let last = id(LAST_EVENT, first.saturating_add(AHEAD))?.unwrap_or(first);
        let (of_span, is_estimated) = events_between(connection, first, last)?;
        events += of_span;
        is_estimate |= is_estimated;
        next = id(FIRST_EVENT, last)?;
    }
    Ok((events, is_estimate))
}

fn events_between(connection: &Connection, first: i64, last: i64) -> rusqlite::Result<(u64, bool)> {
    let span = last.saturating_sub(first).saturating_add(1);
    let probes = span.min(PROBES);
    let mut probe = connection.prepare_cached(HAS_EVENT)?;
    let mut taken: i64 = 0;
    for number in 0..probes {
        let id = i128::from(first) + i128::from(span) * i128::from(number) / i128::from(probes);
        taken += probe.query_row([i64::try_from(id).unwrap_or(last)], |row| row.get::<_, i64>(0))?;
    }
    let events = i128::from(span) * i128::from(taken) / i128::from(probes);
    Ok((u64::try_from(events).unwrap_or(u64::MAX), span > PROBES))
}

/// None of a file that is not there: no one has written since the last checkpoint.
fn wal_bytes(database: &str) -> u64 {
    let wal = PathBuf::from(format!("{database}-wal"));
    Path::metadata(&wal).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
#[path = "learning_tests.rs"]
mod tests;
