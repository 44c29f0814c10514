//! The outbox: what is still to be told, to whom, and when to try again.
//!
//! The pending deliveries of one request to one receiver form a line, in the order in which the changes came. Its head
//! alone has a `next_attempt_at`; the others get theirs when it is their turn. So the index of times holds heads and
//! nothing else: finding what is due costs the same with ten thousand deliveries waiting behind a receiver that is down,
//! and no later one can overtake an earlier one (law 4). The alternative, to ask for each due delivery whether an
//! earlier one is pending, walks the whole backlog each time that it is asked.
//!
//! - **A receiver that asked to be left alone is**: nothing is due to it until then, after a restart too.
//! - **Each attempt is kept**, in the transaction that says what became of its deliveries.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::announcements::{Errand, announcement};
use super::digests;
use super::sql::{ChangeId, NoticeId, RequestId};
use super::{Failure, WriteTx};
use crate::decide::retry::{self, Attempted, Verdict};
use crate::model::{Delivery, DeliveryId, DeliveryState, EventId, News, ReceiverNotice, Timestamp};

/// What is kept of an error or an answer, in bytes.
const LONGEST: usize = 1024;

/// What is put at the end of a line that has a pending delivery waits for its turn.
pub(super) const PUT: &str = "
INSERT INTO deliveries (
    change_id, notice_id, request_id, receiver, group_key, state, attempts, since, not_before, next_attempt_at,
    last_error, incident_id, resolves, replayed)
VALUES (
    :change, :notice, :request, :receiver, :group, :state, 0, :at, :not_before,
    CASE WHEN :state <> 'pending' OR EXISTS (
        SELECT 1 FROM deliveries WHERE state = 'pending' AND receiver = :receiver AND request_id = :request
    ) THEN NULL ELSE :not_before END,
    :reason, :incident, :resolves, :replayed)
RETURNING id";

/// What stands before an urgent delivery in its line is no longer held: it could not be told otherwise.
pub(super) const HURRY: &str = "
UPDATE deliveries SET not_before = min(not_before, :not_before), next_attempt_at = CASE
    WHEN next_attempt_at IS NULL OR attempts > 0 THEN next_attempt_at ELSE min(next_attempt_at, :not_before) END
WHERE state = 'pending' AND receiver = :receiver AND request_id = :request AND not_before > :not_before";

pub(super) const DUE: &str = "
SELECT id, change_id, notice_id, request_id, receiver, group_key, attempts, since, incident_id, resolves, replayed
FROM deliveries
WHERE receiver = ?1 AND next_attempt_at <= ?2
ORDER BY next_attempt_at, id
LIMIT ?3";

pub(super) const NEXT_ATTEMPT: &str = "
SELECT min(next_attempt_at) FROM deliveries WHERE receiver = ?1 AND next_attempt_at IS NOT NULL";

pub(super) const QUIET_UNTIL: &str = "SELECT quiet_until FROM receivers WHERE name = ?1";

pub(super) const THREAD: &str = "SELECT reference FROM threads WHERE request_id = ?1 AND receiver = ?2";

pub(super) const NOTICE: &str = "
SELECT m.history_id, n.at, n.receiver, n.since, n.failing, n.waiting, n.error
FROM notices AS n
JOIN meta AS m ON m.id = 1
WHERE n.id = ?1";

pub(super) const ATTEMPTS_SO_FAR: &str = "SELECT attempts FROM deliveries WHERE id = ?1";

/// Only a head has a time for its next attempt, and keeps one; the others of a digest have none.
pub(super) const SETTLE: &str = "
UPDATE deliveries SET
    state = :state,
    attempts = attempts + 1,
    next_attempt_at = CASE WHEN next_attempt_at IS NOT NULL THEN :next_attempt_at END,
    sent_at = :sent_at,
    last_error = coalesce(:error, last_error)
WHERE id = :id AND state = 'pending'
RETURNING receiver, request_id, group_key";

pub(super) const MOVE_UP: &str = "
UPDATE deliveries SET next_attempt_at = max(:at, not_before)
WHERE next_attempt_at IS NULL AND id = (
    SELECT min(id) FROM deliveries WHERE state = 'pending' AND receiver = :receiver AND request_id = :request)";

pub(super) const PENDING_RECEIVERS: &str = "SELECT DISTINCT receiver FROM deliveries WHERE state = 'pending'";

pub(super) const SKIP: &str = "
UPDATE deliveries SET state = 'skipped', next_attempt_at = NULL, last_error = 'its receiver is no longer configured'
WHERE state = 'pending' AND receiver = ?1";

pub(super) const SKIP_NO_INCIDENTS: &str = "
UPDATE deliveries SET state = 'skipped', next_attempt_at = NULL, last_error = 'its receiver keeps incidents, and this is none'
WHERE state = 'pending' AND receiver = ?1 AND incident_id IS NULL AND notice_id IS NULL";

const KEEP_ATTEMPT: &str = "
INSERT INTO attempts (delivery_id, told_with, number, at, took_ms, outcome, answer_status, answer, error)
SELECT :delivery, :told_with, attempts, :at, :took_ms, :outcome, :answer_status, :answer, :error
FROM deliveries WHERE id = :delivery";

const KEEP_THREAD: &str = "
INSERT INTO threads (request_id, receiver, reference)
SELECT id, :receiver, :reference FROM requests WHERE id = :request
ON CONFLICT (request_id, receiver) DO UPDATE SET reference = excluded.reference";

const TOLD_GROUP: &str = "
INSERT INTO delivery_groups (receiver, group_key, told_at) VALUES (:receiver, :group, :at)
ON CONFLICT (receiver, group_key) DO UPDATE SET told_at = excluded.told_at";

const HEALTH: &str = "SELECT 1 FROM receivers WHERE name = ?1";

const FAILED: &str = "
INSERT INTO receivers (name, failing_since, last_error, quiet_until) VALUES (:receiver, :at, :error, :quiet_until)
ON CONFLICT (name) DO UPDATE SET
    failing_since = coalesce(failing_since, excluded.failing_since),
    last_error = excluded.last_error,
    quiet_until = nullif(max(coalesce(quiet_until, 0), coalesce(excluded.quiet_until, 0)), 0)";

/// An answer that came while another one asked for quiet does not break it.
const WELL: &str = "UPDATE receivers SET failing_since = NULL WHERE name = ?1";
/// What failed in an outage is tried again when the outage is over, and does not wait for what is left of its pause. Only
/// after a minute of failures: a single message that always fails is not tried again with each one that does not.
pub(super) const OUTAGE_IS_OVER: &str = "
UPDATE deliveries SET next_attempt_at = :at
WHERE receiver = :receiver AND next_attempt_at > :at AND attempts > 0
    AND EXISTS (SELECT 1 FROM receivers WHERE name = :receiver AND failing_since <= :long_ago)";

const OUTAGE: Duration = Duration::from_mins(1);

/// The row stays until the receiver is told of as well again, if it was told of as failing.
pub(super) const FORGET_HEALTH: &str = "
DELETE FROM receivers
WHERE name = ?1 AND failing_since IS NULL AND told_at IS NULL AND (quiet_until IS NULL OR quiet_until <= ?2)";

/// What is due to a receiver. See [`History::due_deliveries`](super::History::due_deliveries).
pub(super) fn due_deliveries(
    connection: &Connection,
    receiver: &str,
    now: Timestamp,
    limit: usize,
    digest_over: Option<u32>,
) -> Result<Vec<Delivery>, Failure> {
    if quiet_until(connection, receiver)?.is_some_and(|until| until > now) {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(DUE)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let heads = statement.query_map(params![receiver, now, limit], Head::from_row)?;
    let heads: Vec<Head> = heads.collect::<rusqlite::Result<_>>()?;
    if let (Some(over), Some(oldest)) = (digest_over, heads.first())
        && oldest.notice.is_none()
        && let Some(digest) = digests::digest(connection, receiver, &oldest.group, now, over)?
    {
        return Ok(vec![digest]);
    }
    let due = heads.into_iter().map(|head| head.delivery(connection));
    Ok(due.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn next_attempt_at(connection: &Connection, receiver: &str) -> Result<Option<Timestamp>, Failure> {
    let mut statement = connection.prepare_cached(NEXT_ATTEMPT)?;
    let next: Option<Timestamp> = statement.query_row([receiver], |row| row.get(0))?;
    let quiet_until = quiet_until(connection, receiver)?;
    Ok(next.map(|next| quiet_until.map_or(next, |until| next.max(until))))
}

fn quiet_until(connection: &Connection, receiver: &str) -> Result<Option<Timestamp>, Failure> {
    let mut statement = connection.prepare_cached(QUIET_UNTIL)?;
    let until: Option<Option<Timestamp>> = statement.query_row([receiver], |row| row.get(0)).optional()?;
    Ok(until.flatten())
}

/// The first of a line.
struct Head {
    id: DeliveryId,
    change: Option<ChangeId>,
    notice: Option<NoticeId>,
    request: Option<RequestId>,
    receiver: String,
    group: String,
    attempts: u32,
    since: Timestamp,
    errand: Errand,
}

impl Head {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            change: row.get("change_id")?,
            notice: row.get("notice_id")?,
            request: row.get("request_id")?,
            receiver: row.get("receiver")?,
            group: row.get("group_key")?,
            attempts: row.get("attempts")?,
            since: row.get("since")?,
            errand: Errand {
                incident: row.get("incident_id")?,
                resolves: row.get("resolves")?,
                replayed: row.get("replayed")?,
            },
        })
    }

    fn delivery(self, connection: &Connection) -> rusqlite::Result<Delivery> {
        let news = match (self.change, self.notice) {
            (Some(change), _) => News::Change(Box::new(announcement(connection, change, self.errand)?)),
            (None, Some(notice)) => News::Receiver(Box::new(receiver_notice(connection, notice)?)),
            // The schema allows no such row.
            (None, None) => return Err(rusqlite::Error::QueryReturnedNoRows),
        };
        let thread = match self.request {
            Some(request) => {
                let mut statement = connection.prepare_cached(THREAD)?;
                let thread = statement.query_row(params![request, self.receiver], |row| row.get(0));
                thread.optional()?
            }
            None => None,
        };
        Ok(Delivery {
            ids: vec![self.id],
            receiver: self.receiver,
            attempts: self.attempts,
            since: self.since,
            news,
            thread,
        })
    }
}

fn receiver_notice(connection: &Connection, notice: NoticeId) -> rusqlite::Result<ReceiverNotice> {
    let mut statement = connection.prepare_cached(NOTICE)?;
    statement.query_row([notice], |row| {
        let history_id: String = row.get("history_id")?;
        Ok(ReceiverNotice {
            id: EventId(format!("{history_id}-n{}", notice.0)),
            at: row.get("at")?,
            receiver: row.get("receiver")?,
            since: row.get("since")?,
            is_failing: row.get("failing")?,
            waiting: row.get("waiting")?,
            error: row.get("error")?,
        })
    })
}

/// A row for the outbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Put<'a> {
    pub(super) change: Option<ChangeId>,
    pub(super) notice: Option<NoticeId>,
    pub(super) request: Option<RequestId>,
    pub(super) receiver: &'a str,
    pub(super) group: &'a str,
    pub(super) at: Timestamp,
    pub(super) not_before: Timestamp,
    /// Why it is not told at all.
    pub(super) skipped: Option<&'a str>,
    pub(super) errand: Errand,
}

impl WriteTx<'_> {
    /// Puts something into the outbox, at the end of its line.
    pub(super) fn put_into_outbox(&self, put: Put<'_>) -> Result<DeliveryId, Failure> {
        let state = if put.skipped.is_some() {
            DeliveryState::Skipped
        } else {
            DeliveryState::Pending
        };
        if state == DeliveryState::Pending && put.request.is_some() {
            let mut hurry = self.transaction.prepare_cached(HURRY)?;
            hurry.execute(named_params! {
                ":not_before": put.not_before,
                ":receiver": put.receiver,
                ":request": put.request,
            })?;
        }
        let mut statement = self.transaction.prepare_cached(PUT)?;
        let parameters = named_params! {
            ":change": put.change,
            ":notice": put.notice,
            ":request": put.request,
            ":receiver": put.receiver,
            ":group": put.group,
            ":state": state,
            ":at": put.at,
            ":not_before": put.not_before,
            ":reason": put.skipped,
            ":incident": put.errand.incident,
            ":resolves": put.errand.resolves,
            ":replayed": put.errand.replayed,
        };
        Ok(statement.query_row(parameters, |row| row.get(0))?)
    }

    /// Writes down how attempts went, and what became of their deliveries. The next in a line moves up where its head is
    /// done with. A delivery that is no longer pending stays as it is.
    pub fn record_attempts(&self, attempts: &[Attempted], at: Timestamp) -> Result<(), Failure> {
        for attempt in attempts {
            let mut lines: BTreeSet<(String, RequestId)> = BTreeSet::new();
            let mut groups: BTreeSet<(String, String)> = BTreeSet::new();
            let mut receiver = None;
            for (position, id) in attempt.ids.iter().enumerate() {
                let Some(settled) = self.settle(*id, attempt, at)? else {
                    continue;
                };
                self.keep_attempt(*id, attempt, position == 0)?;
                if let (0, Some(thread), Some(request)) = (position, &attempt.thread, settled.request) {
                    let mut statement = self.transaction.prepare_cached(KEEP_THREAD)?;
                    statement.execute(named_params! {
                        ":request": request, ":receiver": settled.receiver, ":reference": thread,
                    })?;
                }
                if !settled.group.is_empty() && attempt.verdict == Verdict::Sent {
                    groups.insert((settled.receiver.clone(), settled.group));
                }
                if let (Some(request), Verdict::Sent | Verdict::Dead { .. }) = (settled.request, &attempt.verdict) {
                    lines.insert((settled.receiver.clone(), request));
                }
                receiver = Some(settled.receiver);
            }
            for (receiver, request) in lines {
                let mut move_up = self.transaction.prepare_cached(MOVE_UP)?;
                move_up.execute(named_params! { ":receiver": receiver, ":request": request, ":at": at })?;
            }
            for (receiver, group) in groups {
                let mut told = self.transaction.prepare_cached(TOLD_GROUP)?;
                told.execute(named_params! { ":receiver": receiver, ":group": group, ":at": at })?;
            }
            if let Some(receiver) = receiver {
                self.note_health(&receiver, attempt, at)?;
            }
        }
        Ok(())
    }

    fn settle(&self, id: DeliveryId, attempt: &Attempted, at: Timestamp) -> Result<Option<Settled>, Failure> {
        let (state, next_attempt_at, error) = match &attempt.verdict {
            Verdict::Sent => (DeliveryState::Sent, None, None),
            Verdict::RetryAt { at: next, error } => {
                let next = if attempt.ids.len() == 1 {
                    *next
                } else {
                    let mut attempts = self.transaction.prepare_cached(ATTEMPTS_SO_FAR)?;
                    let so_far: Option<u32> = attempts.query_row([id], |row| row.get(0)).optional()?;
                    retry::of_a_digest(*next, so_far.unwrap_or(0).saturating_add(1), at)
                };
                (DeliveryState::Pending, Some(next), Some(error))
            }
            Verdict::Dead { error } => (DeliveryState::Dead, None, Some(error)),
        };
        let mut settle = self.transaction.prepare_cached(SETTLE)?;
        let settled = settle.query_row(
            named_params! {
                ":id": id,
                ":state": state,
                ":next_attempt_at": next_attempt_at,
                ":sent_at": (state == DeliveryState::Sent).then_some(at),
                ":error": error.map(|error| kept(error)),
            },
            |row| {
                Ok(Settled {
                    receiver: row.get("receiver")?,
                    request: row.get("request_id")?,
                    group: row.get("group_key")?,
                })
            },
        );
        Ok(settled.optional()?)
    }

    /// `has_words`: of a digest the first alone has them, or a thousand rows would repeat the same page.
    fn keep_attempt(&self, id: DeliveryId, attempt: &Attempted, has_words: bool) -> Result<(), Failure> {
        let (outcome, error) = match &attempt.verdict {
            Verdict::Sent => ("sent", None),
            Verdict::RetryAt { error, .. } => ("retry", Some(error)),
            Verdict::Dead { error } => ("dead", Some(error)),
        };
        let mut statement = self.transaction.prepare_cached(KEEP_ATTEMPT)?;
        statement.execute(named_params! {
            ":delivery": id,
            ":told_with": attempt.ids.first().unwrap_or(&id),
            ":at": attempt.began_at,
            ":took_ms": i64::try_from(attempt.took.as_millis()).unwrap_or(i64::MAX),
            ":outcome": outcome,
            ":answer_status": attempt.answer_status,
            ":answer": attempt.answer.as_ref().filter(|_| has_words).map(|answer| kept(answer)),
            ":error": error.filter(|_| has_words).map(|error| kept(error)),
        })?;
        Ok(())
    }

    fn note_health(&self, receiver: &str, attempt: &Attempted, at: Timestamp) -> Result<(), Failure> {
        match &attempt.verdict {
            Verdict::Sent => {
                // Nearly always there is no row, and then nothing is written.
                let mut health = self.transaction.prepare_cached(HEALTH)?;
                if health.exists([receiver])? {
                    let mut over = self.transaction.prepare_cached(OUTAGE_IS_OVER)?;
                    over.execute(named_params! {
                        ":receiver": receiver, ":at": at, ":long_ago": at.minus(OUTAGE),
                    })?;
                    self.transaction.prepare_cached(WELL)?.execute([receiver])?;
                    self.transaction
                        .prepare_cached(FORGET_HEALTH)?
                        .execute(params![receiver, at])?;
                }
            }
            // One message that was refused says little of its receiver.
            Verdict::Dead { .. } => {}
            Verdict::RetryAt { error, .. } => {
                let mut failed = self.transaction.prepare_cached(FAILED)?;
                failed.execute(named_params! {
                    ":receiver": receiver,
                    ":at": at,
                    ":error": kept(error),
                    ":quiet_until": attempt.quiet_until,
                })?;
            }
        }
        Ok(())
    }

    /// Skips what waits for receivers that are no longer configured, and what is no incident for those that keep incidents, as
    /// one may have become that was of another type. Returns how many deliveries that were.
    pub fn skip_unknown_receivers(
        &self,
        known: &[String],
        incident_receivers: &BTreeSet<String>,
    ) -> Result<usize, Failure> {
        let mut statement = self.transaction.prepare_cached(PENDING_RECEIVERS)?;
        let receivers: Vec<String> = statement
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut skipped = 0;
        for receiver in receivers.iter().filter(|receiver| !known.contains(receiver)) {
            skipped += self.transaction.prepare_cached(SKIP)?.execute([receiver])?;
        }
        for receiver in incident_receivers {
            skipped += self
                .transaction
                .prepare_cached(SKIP_NO_INCIDENTS)?
                .execute([receiver])?;
        }
        Ok(skipped)
    }
}

/// A delivery that an attempt was made at.
struct Settled {
    receiver: String,
    request: Option<RequestId>,
    group: String,
}

/// What is kept of a text.
fn kept(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
