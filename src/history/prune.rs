//! Forgetting, in small steps.
//!
//! - **A step removes a bounded number of rows**, not of requests: one request can have fifty thousand events, and they then
//!   go over many steps, the request itself with the last of them. Nothing is left to a cascade that could be long. How
//!   many rows is decided from how long the last step took ([`Stride`](crate::decide::retention::Stride)).
//! - **What is to go is found by reading**, and looked at again by the transaction that removes it. To find it may mean to
//!   walk past much that is old and still to be told, and meanwhile the history can be written. A [`Round`] goes on where it
//!   was, so that it walks past it once. What comes next is [read ahead](reading_ahead), so that the transaction does not wait for
//!   the disk.
//! - **A row is as heavy as it is long**: a resource model of 256 KiB counts as many.
//! - A request that is gone in part is one that ended long ago: its oldest rows go first, so what is still there of it is
//!   the end of its story, and its hooks are counted anew. No look, no telling, no law takes harm from that.

mod by_hand;
pub(super) mod reading_ahead;

use std::collections::VecDeque;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::sql::{NoticeId, RequestId};
use super::{Failure, History, HistoryError, WriteTx, locked, transaction};
use crate::clock::Clock;
use crate::decide::retention;
use crate::model::{DeliveryId, Timestamp};

pub use by_hand::Pruning;

/// Requests, or what hangs on none, looked up at once: more than are removed in one step.
const CANDIDATES: usize = 64;

/// Rows that one statement removes, between two looks at the clock: few, since any of them may need a page that was not read
/// ahead, a neighbour with which its own is put together.
const AT_ONCE: usize = 5;

/// Bytes of a resource model that count as a row.
const BYTES_OF_A_ROW: i64 = 4096;

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

/// What comes after a place in the order of its time, for the next candidates.
pub(super) const OLDEST: &str = concat!(
    "SELECT r.last_seen_at, r.id FROM requests AS r WHERE ",
    may_go!(),
    " AND (r.last_seen_at, r.id) > (?2, ?3) ORDER BY r.last_seen_at, r.id LIMIT ?4"
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

pub(super) const MODEL_LENGTH: &str = "SELECT octet_length(resource_model) FROM resource_models WHERE request_id = ?1";

/// What a request has besides, a row or a few.
pub(super) const BESIDES: [&str; 3] = [
    "DELETE FROM resource_models WHERE request_id = ?1",
    "DELETE FROM threads WHERE request_id = ?1",
    "DELETE FROM united WHERE request_id = ?1",
];

macro_rules! old_notice {
    () => {
        "n.at < ?1 AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.notice_id = n.id AND d.state = 'pending')"
    };
}

/// What was told of receivers, in which nothing is still to be told.
pub(super) const OLD_NOTICES: &str = concat!(
    "SELECT n.at, n.id FROM notices AS n WHERE ",
    old_notice!(),
    " AND (n.at, n.id) > (?2, ?3) ORDER BY n.at, n.id LIMIT ?4"
);

pub(super) const IS_OLD_NOTICE: &str = concat!("SELECT 1 FROM notices AS n WHERE ", old_notice!(), " AND n.id = ?2");

/// Incidents that are resolved, and of which no delivery is kept any more.
pub(super) const OLD_INCIDENTS: &str = "
SELECT i.resolved_at, i.id FROM incidents AS i
WHERE i.resolved_at < ?1 AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.incident_id = i.id)
    AND (i.resolved_at, i.id) > (?2, ?3)
ORDER BY i.resolved_at, i.id LIMIT ?4";

pub(super) const PRUNE_INCIDENT: &str = "
DELETE FROM incidents
WHERE id = ?2 AND resolved_at < ?1 AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.incident_id = incidents.id)";

pub(super) const OLD_SILENCES: &str = "
SELECT ends_at, id FROM silences
WHERE ends_at < ?1 AND (ends_at, id) > (?2, ?3)
ORDER BY ends_at, id LIMIT ?4";

pub(super) const PRUNE_SILENCE: &str = "DELETE FROM silences WHERE ends_at < ?1 AND id = ?2";

/// A group that was not told for longer than any interval is as good as new.
pub(super) const FORGET_GROUPS: &str = "
DELETE FROM delivery_groups WHERE (receiver, group_key) IN (
    SELECT receiver, group_key FROM delivery_groups WHERE told_at < ?1 LIMIT ?2)";

/// One walk over all that may go, from the oldest on.
#[derive(Debug)]
pub struct Round {
    before: Timestamp,
    /// The kinds that are not walked over to their end yet.
    kinds: VecDeque<Kind>,
    /// Up to where the first of them is walked over: its time and its number.
    after: (i64, i64),
    found: VecDeque<Found>,
}

#[derive(Debug, Clone, Copy)]
struct Found {
    kind: Kind,
    id: i64,
}

/// What is found by itself; everything else hangs on one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    Notice,
    /// After the requests, whose deliveries keep them.
    Incident,
    Silence,
}

/// What a step of forgetting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Requests that are gone, to their last row.
    pub requests: usize,
    /// Rows removed, of any table; a long one counts as several.
    pub rows: usize,
    /// Whether there is nothing more that may go for now.
    pub is_done: bool,
}

impl Round {
    /// Of what ended and was last seen more than `retention` ago.
    ///
    /// Never an open request, nor one of which something is still to be told, nor one that the service itself may still
    /// list: a sweep would take that for new, and tell it again. So a `retention` below [`retention::SHORTEST`] counts
    /// as that.
    ///
    /// With them goes what is as old and hangs on no request: silences, notices, resolved incidents.
    pub fn new(now: Timestamp, retention: Duration) -> Self {
        Self {
            before: now.minus(retention.max(retention::SHORTEST)),
            kinds: KINDS.into(),
            after: FROM_THE_FIRST,
            found: VecDeque::new(),
        }
    }

    /// Whether there is nothing more to find, and nothing left of what was found.
    pub fn is_done(&self) -> bool {
        self.found.is_empty() && self.kinds.is_empty()
    }

    /// Finds the next, if few are left. Returns how many of them are requests.
    fn find(&mut self, connection: &Connection) -> Result<usize, Failure> {
        let mut requests = 0;
        while self.found.len() < CANDIDATES / 2
            && let Some(kind) = self.kinds.front().copied()
        {
            let mut statement = connection.prepare_cached(kind.find())?;
            let (time, id) = self.after;
            let found = statement.query_map(params![self.before, time, id, count(CANDIDATES)], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            let found: Vec<(i64, i64)> = found.collect::<rusqlite::Result<_>>()?;
            if let Some(last) = found.last() {
                self.after = *last;
            }
            if found.len() < CANDIDATES {
                self.kinds.pop_front();
                self.after = FROM_THE_FIRST;
            }
            if kind == Kind::Request {
                requests += found.len();
            }
            self.found.extend(found.into_iter().map(|(_, id)| Found { kind, id }));
        }
        Ok(requests)
    }
}

/// In the order in which they are walked over.
const KINDS: [Kind; 4] = [Kind::Request, Kind::Notice, Kind::Incident, Kind::Silence];

const FROM_THE_FIRST: (i64, i64) = (i64::MIN, i64::MIN);

impl Kind {
    fn find(self) -> &'static str {
        match self {
            Self::Request => OLDEST,
            Self::Notice => OLD_NOTICES,
            Self::Incident => OLD_INCIDENTS,
            Self::Silence => OLD_SILENCES,
        }
    }
}

impl History {
    /// Finds what the next steps of a round may remove, without holding up anyone; nothing, if some is left from the last time.
    pub fn find_old(&self, round: &mut Round) -> Result<(), HistoryError> {
        let connection = locked(&self.shared.at_leisure);
        transaction::reading(&connection, &self.shared.path, |connection| round.find(connection)).map(drop)
    }

    /// Reads what the next step may remove, up to `rows` rows, without holding up anyone. To be called right before it.
    pub fn read_old(&self, round: &Round, rows: usize) -> Result<(), HistoryError> {
        let connection = locked(&self.shared.at_leisure);
        let requests = round.found.iter().filter(|found| found.kind == Kind::Request);
        reading_ahead::read_ahead(&connection, requests.map(|found| RequestId(found.id)), rows)
            .map_err(|failure| self.error(failure))
    }

    /// Forgets up to `rows` rows of what was found, and [read](History::read_old), for as long as [`retention::LONGEST_STEP`] by
    /// `clock`. Find more and call it again until it is done; and [fold](History::fold_beside) what it leaves in the WAL. `None`
    /// if it can't be done without a wait for the disk before something else is written ([`History::next_write`]).
    pub fn forget_old(&self, round: &mut Round, rows: usize, clock: &Clock) -> Result<Option<Pruned>, HistoryError> {
        if round.is_done() {
            return Ok(Some(Pruned {
                is_done: true,
                ..Pruned::default()
            }));
        }
        self.write_at_leisure(|tx| tx.forget(round, (rows, retention::LONGEST_STEP), clock))
    }
}

impl WriteTx<'_> {
    /// Forgets those that may still go, until `rows` are removed or its time is over.
    fn forget(&self, round: &mut Round, (rows, longest): (usize, Duration), clock: &Clock) -> Result<Pruned, Failure> {
        let before = round.before;
        let mut step = Step {
            transaction: &self.transaction,
            left: rows,
            clock,
            ends: clock.uptime() + longest,
        };
        let mut requests = 0;
        while let Some(Found { kind, id, .. }) = round.found.front().copied() {
            let is_gone = match kind {
                Kind::Request => {
                    let mut may_go = self.transaction.prepare_cached(MAY_STILL_GO)?;
                    if may_go.exists(params![before, id])? {
                        let is_gone = step.forget_request(RequestId(id))?;
                        requests += usize::from(is_gone);
                        is_gone
                    } else {
                        true
                    }
                }
                Kind::Notice => {
                    let mut may_go = self.transaction.prepare_cached(IS_OLD_NOTICE)?;
                    !may_go.exists(params![before, id])? || step.forget_notice(NoticeId(id))?
                }
                Kind::Incident => step.remove_old(PRUNE_INCIDENT, before, id)?,
                Kind::Silence => step.remove_old(PRUNE_SILENCE, before, id)?,
            };
            if is_gone {
                round.found.pop_front();
            }
            // Asked at the end: each step removes something, however slow the disk.
            if !step.goes_on() {
                break;
            }
        }
        Ok(Pruned {
            requests,
            rows: rows - step.left,
            is_done: round.is_done(),
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
    clock: &'a Clock,
    /// The clock's uptime at which it removes no more.
    ends: Duration,
}

impl Step<'_> {
    fn goes_on(&self) -> bool {
        self.left > 0 && self.clock.uptime() < self.ends
    }

    /// Returns whether it is gone altogether.
    fn forget_notice(&mut self, notice: NoticeId) -> Result<bool, Failure> {
        if !self.forget_deliveries(DELIVERIES_OF_NOTICE, notice)? {
            return Ok(false);
        }
        self.remove_one("DELETE FROM notices WHERE id = ?1", notice)?;
        Ok(true)
    }

    /// In one row. Returns that there is nothing left of it.
    fn remove_old(&mut self, sql: &str, before: Timestamp, id: i64) -> Result<bool, Failure> {
        self.left -= self.transaction.prepare_cached(sql)?.execute(params![before, id])?;
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
        let mut length = self.transaction.prepare_cached(MODEL_LENGTH)?;
        let length: Option<i64> = length.query_row([request], |row| row.get(0)).optional()?;
        let heavy = usize::try_from(length.unwrap_or(0) / BYTES_OF_A_ROW).unwrap_or(usize::MAX);
        self.left = self.left.saturating_sub(heavy);
        for sql in BESIDES {
            let removed = self.transaction.prepare_cached(sql)?.execute([request])?;
            self.left = self.left.saturating_sub(removed);
        }
        if self.left > 0 {
            self.remove_one("DELETE FROM requests WHERE id = ?1", request)?;
            return Ok(true);
        }
        Ok(false)
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

    /// Returns whether nothing is left of these.
    fn remove(&mut self, sql: &str, of: impl rusqlite::ToSql) -> Result<bool, Failure> {
        let mut statement = self.transaction.prepare_cached(sql)?;
        loop {
            let at_once = self.left.min(AT_ONCE);
            let removed = statement.execute(params![of, count(at_once)])?;
            self.left -= removed;
            if removed < at_once {
                return Ok(true);
            }
            if !self.goes_on() {
                return Ok(false);
            }
        }
    }

    /// Returns whether the step goes on.
    fn remove_one(&mut self, sql: &str, id: impl rusqlite::ToSql) -> Result<bool, Failure> {
        self.left -= self.transaction.prepare_cached(sql)?.execute([id])?;
        Ok(self.goes_on())
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "prune_tests.rs"]
mod tests;
