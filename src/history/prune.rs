//! Forgetting, in small steps.
//!
//! - **A step removes a bounded number of rows**, not of requests: one request can have fifty thousand events, and they then
//!   go over many steps, the request itself with the last of them. Nothing is left to a cascade that could be long. How
//!   many rows is decided from how long the last step took ([`Stride`](crate::decide::retention::Stride)).
//! - **What is to go is found by reading**, and looked at again by the transaction that removes it. To find it may mean to
//!   walk past much that is old and still to be told, and meanwhile the history can be written.
//! - A request that is gone in part is one that ended long ago: its oldest rows go first, so what is still there of it is
//!   the end of its story, and its hooks are counted anew. No look, no telling, no law takes harm from that.

use std::time::Duration;

use rusqlite::{Connection, Transaction, params};

use super::sql::{NoticeId, RequestId};
use super::{Failure, History, HistoryError, WriteTx};
use crate::decide::retention;
use crate::model::{DeliveryId, Timestamp};

/// Requests looked up for one step. More than that are seldom removed in one.
const CANDIDATES: usize = 256;

macro_rules! may_go {
    () => {
        "r.phase <> 'open'
    AND r.last_seen_at < ?1
    AND coalesce(r.finished_at, r.last_seen_at) < ?1
    AND NOT EXISTS (
        SELECT 1
        FROM changes AS c
        JOIN deliveries AS d ON d.change_id = c.id
        WHERE c.request_id = r.id AND d.state = 'pending')"
    };
}

pub(super) const OLDEST: &str = concat!(
    "SELECT r.id FROM requests AS r WHERE ",
    may_go!(),
    " ORDER BY r.last_seen_at LIMIT ?2"
);

pub(super) const MAY_STILL_GO: &str = concat!("SELECT 1 FROM requests AS r WHERE ", may_go!(), " AND r.id = ?2");

pub(super) const PROGRESS_EVENTS: &str = "
DELETE FROM progress_events WHERE id IN (
    SELECT id FROM progress_events WHERE request_id = ?1 ORDER BY id LIMIT ?2)";

pub(super) const CHANGES: &str = "SELECT id FROM changes WHERE request_id = ?1 ORDER BY id LIMIT ?2";

pub(super) const DELIVERIES_OF_CHANGE: &str = "SELECT id FROM deliveries WHERE change_id = ?1 LIMIT ?2";

pub(super) const DELIVERIES_OF_NOTICE: &str = "SELECT id FROM deliveries WHERE notice_id = ?1 LIMIT ?2";

pub(super) const ATTEMPTS: &str = "
DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE delivery_id = ?1 ORDER BY id LIMIT ?2)";

pub(super) const HOOKS: &str = "SELECT id FROM hooks WHERE request_id = ?1 ORDER BY id LIMIT ?2";

pub(super) const HOOK_EVENTS: &str = "
DELETE FROM hook_events WHERE id IN (SELECT id FROM hook_events WHERE hook_id = ?1 ORDER BY id LIMIT ?2)";

/// The counts are those of the hooks that are there, in every state that can be read.
pub(super) const COUNT_HOOKS: &str = "
UPDATE requests SET (hooks_total, hooks_failed) = (
    SELECT count(*), count(*) FILTER (WHERE status IN ('HOOK_COMPLETE_FAILED', 'HOOK_FAILED'))
    FROM hooks WHERE request_id = ?1)
WHERE id = ?1";

/// What was told of receivers, in which nothing is still to be told.
pub(super) const OLD_NOTICES: &str = "
SELECT n.id FROM notices AS n
WHERE n.at < ?1
    AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.notice_id = n.id AND d.state = 'pending')
LIMIT ?2";

/// Incidents that are resolved, and of which no delivery is kept any more.
pub(super) const PRUNE_INCIDENTS: &str = "
DELETE FROM incidents WHERE id IN (
    SELECT i.id FROM incidents AS i
    WHERE i.resolved_at < ?1 AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.incident_id = i.id)
    LIMIT ?2)";

pub(super) const PRUNE_SILENCES: &str = "
DELETE FROM silences WHERE id IN (SELECT id FROM silences WHERE ends_at < ?1 LIMIT ?2)";

/// A group that was not told for longer than any interval is as good as new.
pub(super) const FORGET_GROUPS: &str = "
DELETE FROM delivery_groups WHERE (receiver, group_key) IN (
    SELECT receiver, group_key FROM delivery_groups WHERE told_at < ?1 LIMIT ?2)";

/// What a step of forgetting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Requests that are gone, to their last row.
    pub requests: usize,
    /// Rows removed, of any table. A request's own row may have taken its resource model and its threads along.
    pub rows: usize,
    /// Whether there is nothing more that may go for now.
    pub is_done: bool,
}

impl History {
    /// Forgets up to `rows` rows of what ended and was last seen more than `retention` ago, the oldest first. Call it again
    /// until it is done.
    ///
    /// Never an open request, nor one of which something is still to be told, nor one that the service itself may still
    /// list: a sweep would take that for new, and tell it again. So a `retention` below [`retention::SHORTEST`] counts
    /// as that.
    ///
    /// With them goes what is as old and hangs on no request: silences, notices, resolved incidents.
    pub fn prune_some(&self, now: Timestamp, retention: Duration, rows: usize) -> Result<Pruned, HistoryError> {
        let before = now.minus(retention.max(retention::SHORTEST));
        let oldest = self.read(|connection| oldest(connection, before))?;
        self.write(|tx| tx.forget(&oldest, before, rows))
    }
}

fn oldest(connection: &Connection, before: Timestamp) -> Result<Vec<RequestId>, Failure> {
    let mut statement = connection.prepare_cached(OLDEST)?;
    let ids = statement.query_map(params![before, count(CANDIDATES)], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

impl WriteTx<'_> {
    /// Forgets those of `requests` that may still go, and what hangs on none, until `rows` are removed.
    fn forget(&self, requests: &[RequestId], before: Timestamp, rows: usize) -> Result<Pruned, Failure> {
        let mut step = Step {
            transaction: &self.transaction,
            left: rows,
        };
        let mut gone = 0;
        let mut is_done = step.forget_apart(before)?;
        for request in requests {
            let mut may_go = self.transaction.prepare_cached(MAY_STILL_GO)?;
            if step.left == 0 || !may_go.exists(params![before, request])? {
                continue;
            }
            gone += usize::from(step.forget_request(*request)?);
        }
        is_done &= requests.len() < CANDIDATES && step.left > 0;
        Ok(Pruned {
            requests: gone,
            rows: rows - step.left,
            is_done,
        })
    }

    /// Forgets when groups were last told, of those whose interval has long passed.
    pub fn forget_groups(&self, now: Timestamp, limit: usize) -> Result<usize, Failure> {
        let mut statement = self.transaction.prepare_cached(FORGET_GROUPS)?;
        Ok(statement.execute(params![now.minus(retention::SHORTEST), count(limit)])?)
    }
}

/// One transaction's work, which ends where no rows are left to it.
struct Step<'a> {
    transaction: &'a Transaction<'a>,
    /// How many rows it may still remove.
    left: usize,
}

impl Step<'_> {
    /// What hangs on no request. Returns whether all of it is gone.
    fn forget_apart(&mut self, before: Timestamp) -> Result<bool, Failure> {
        let mut statement = self.transaction.prepare_cached(OLD_NOTICES)?;
        let notices = statement.query_map(params![before, count(self.left)], |row| row.get(0))?;
        for notice in notices.collect::<rusqlite::Result<Vec<NoticeId>>>()? {
            if !self.forget_deliveries(DELIVERIES_OF_NOTICE, notice)?
                || !self.remove_one("DELETE FROM notices WHERE id = ?1", notice)?
            {
                return Ok(false);
            }
        }
        for sql in [PRUNE_INCIDENTS, PRUNE_SILENCES] {
            if !self.remove(sql, before)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether it is gone altogether.
    fn forget_request(&mut self, request: RequestId) -> Result<bool, Failure> {
        if !self.remove(PROGRESS_EVENTS, request)? {
            return Ok(false);
        }
        for change in self.ids(CHANGES, request)? {
            if !self.forget_deliveries(DELIVERIES_OF_CHANGE, change)?
                || !self.remove_one("DELETE FROM changes WHERE id = ?1", change)?
            {
                return Ok(false);
            }
        }
        for hook in self.ids(HOOKS, request)? {
            if !self.remove(HOOK_EVENTS, hook)? || !self.remove_one("DELETE FROM hooks WHERE id = ?1", hook)? {
                self.transaction.prepare_cached(COUNT_HOOKS)?.execute([request])?;
                return Ok(false);
            }
        }
        self.remove_one("DELETE FROM requests WHERE id = ?1", request)?;
        Ok(true)
    }

    fn forget_deliveries(&mut self, of: &str, id: impl rusqlite::ToSql) -> Result<bool, Failure> {
        for delivery in self.ids(of, id)? {
            let delivery = DeliveryId(delivery);
            if !self.remove(ATTEMPTS, delivery)?
                || !self.remove_one("DELETE FROM deliveries WHERE id = ?1", delivery)?
            {
                return Ok(false);
            }
        }
        Ok(self.left > 0)
    }

    /// As many as could be removed.
    fn ids(&self, sql: &str, of: impl rusqlite::ToSql) -> Result<Vec<i64>, Failure> {
        let mut statement = self.transaction.prepare_cached(sql)?;
        let ids = statement.query_map(params![of, count(self.left)], |row| row.get(0))?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns whether there is room for more, which means that nothing is left of these.
    fn remove(&mut self, sql: &str, of: impl rusqlite::ToSql) -> Result<bool, Failure> {
        let mut statement = self.transaction.prepare_cached(sql)?;
        self.left -= statement.execute(params![of, count(self.left)])?;
        Ok(self.left > 0)
    }

    /// Returns whether there is room for more.
    fn remove_one(&mut self, sql: &str, id: impl rusqlite::ToSql) -> Result<bool, Failure> {
        self.left -= self.transaction.prepare_cached(sql)?.execute([id])?;
        Ok(self.left > 0)
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "prune_tests.rs"]
mod tests;
