//! The outbox: what is still to be told, to whom, and when to try again.
//!
//! The pending deliveries of one request to one receiver form a line, in the order in which the changes came. Its head
//! alone has a `next_attempt_at`; the others get theirs when it is their turn. So the index of times holds heads and
//! nothing else: finding what is due costs the same with ten thousand deliveries waiting behind a receiver that is down,
//! and no later one can overtake an earlier one (law 4). The alternative, to ask for each due delivery whether an
//! earlier one is pending, walks the whole backlog each time that it is asked.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::sql::{ChangeId, RequestId};
use super::{Failure, WriteTx, rows};
use crate::decide::retry::{Attempted, Verdict};
use crate::model::{Announcement, Delivery, DeliveryState, EventId, News, Timestamp};

/// What is kept of an error, in bytes.
const LONGEST_ERROR: usize = 1024;

pub(super) const PUT: &str = "
INSERT INTO deliveries (change_id, request_id, receiver, state, attempts, since, next_attempt_at)
VALUES (:change, :request, :receiver, 'pending', 0, :at, CASE WHEN EXISTS (
    SELECT 1 FROM deliveries WHERE state = 'pending' AND receiver = :receiver AND request_id = :request
) THEN NULL ELSE :at END)";

pub(super) const DUE: &str = "
SELECT id, change_id, request_id, receiver, attempts, since
FROM deliveries
WHERE receiver = ?1 AND next_attempt_at <= ?2
ORDER BY next_attempt_at, id
LIMIT ?3";

pub(super) const NEXT_ATTEMPT: &str = "
SELECT min(next_attempt_at) FROM deliveries WHERE receiver = ?1 AND next_attempt_at IS NOT NULL";

pub(super) const CHANGE: &str = "
SELECT m.history_id, c.hook_id, c.kind, c.from_status, c.to_status, c.at, c.event_time, c.error_code, c.message,
    t.name AS target, t.account_id, t.region,
    EXISTS (
        SELECT 1 FROM gaps AS g
        WHERE g.target_id = r.target_id AND g.from_at <= c.event_time AND (g.to_at IS NULL OR g.to_at >= c.event_time)
    ) AS observed_late
FROM changes AS c
JOIN requests AS r ON r.id = c.request_id
JOIN targets AS t ON t.id = r.target_id
JOIN meta AS m ON m.id = 1
WHERE c.id = ?1";

pub(super) const SETTLE: &str = "
UPDATE deliveries SET
    state = :state,
    attempts = attempts + 1,
    next_attempt_at = :next_attempt_at,
    sent_at = :sent_at,
    last_error = coalesce(:error, last_error)
WHERE id = :id AND state = 'pending'
RETURNING receiver, request_id";

pub(super) const MOVE_UP: &str = "
UPDATE deliveries SET next_attempt_at = :at
WHERE next_attempt_at IS NULL AND id = (
    SELECT min(id) FROM deliveries WHERE state = 'pending' AND receiver = :receiver AND request_id = :request)";

pub(super) const PENDING_RECEIVERS: &str = "SELECT DISTINCT receiver FROM deliveries WHERE state = 'pending'";

pub(super) const SKIP: &str = "
UPDATE deliveries SET state = 'skipped', next_attempt_at = NULL WHERE state = 'pending' AND receiver = ?1";

pub(super) fn due_deliveries(
    connection: &Connection,
    receiver: &str,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Delivery>, Failure> {
    let mut statement = connection.prepare_cached(DUE)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let due = statement.query_map(params![receiver, now, limit], |row| delivery_from(connection, row))?;
    Ok(due.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn next_attempt_at(connection: &Connection, receiver: &str) -> Result<Option<Timestamp>, Failure> {
    let mut statement = connection.prepare_cached(NEXT_ATTEMPT)?;
    Ok(statement.query_row([receiver], |row| row.get(0))?)
}

fn delivery_from(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        ids: vec![row.get("id")?],
        receiver: row.get("receiver")?,
        attempts: row.get("attempts")?,
        since: row.get("since")?,
        news: News::Change(Box::new(announcement(
            connection,
            row.get("change_id")?,
            row.get("request_id")?,
        )?)),
        thread: None,
    })
}

/// The change as it was, with its request and its hook as they are now.
fn announcement(connection: &Connection, change: ChangeId, request: RequestId) -> rusqlite::Result<Announcement> {
    let request = rows::request(connection, request)?;
    let mut statement = connection.prepare_cached(CHANGE)?;
    statement.query_row([change], |row| {
        let history_id: String = row.get("history_id")?;
        let hook = row.get::<_, Option<_>>("hook_id")?;
        Ok(Announcement {
            id: EventId(format!("{history_id}-{}", change.0)),
            kind: row.get("kind")?,
            from: row.get("from_status")?,
            to: row.get("to_status")?,
            at: row.get("at")?,
            event_time: row.get("event_time")?,
            observed_late: row.get("observed_late")?,
            error_code: row.get("error_code")?,
            message: row.get("message")?,
            target: row.get("target")?,
            account_id: row.get("account_id")?,
            region: row.get("region")?,
            request,
            hook: hook.map(|hook| rows::hook(connection, hook)).transpose()?,
            turns: 0,
            incident: None,
            replayed: false,
        })
    })
}

impl WriteTx<'_> {
    /// Puts a change into the outbox for `receiver`, at the end of its line.
    pub(super) fn put_into_outbox(
        &self,
        change: ChangeId,
        request: RequestId,
        receiver: &str,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let mut statement = self.transaction.prepare_cached(PUT)?;
        statement.execute(named_params! {
            ":change": change,
            ":request": request,
            ":receiver": receiver,
            ":at": at,
        })?;
        Ok(())
    }

    /// Writes down how attempts ended, each one counted. The next in a line moves up where its head is done with. A
    /// delivery that is no longer pending stays as it is.
    pub fn record_attempts(&self, attempts: &[Attempted], at: Timestamp) -> Result<(), Failure> {
        let verdicts = attempts
            .iter()
            .flat_map(|attempt| attempt.ids.iter().map(|id| (id, &attempt.verdict)));
        for (id, verdict) in verdicts {
            let (state, next_attempt_at, error) = match verdict {
                Verdict::Sent => (DeliveryState::Sent, None, None),
                Verdict::RetryAt { at, error } => (DeliveryState::Pending, Some(*at), Some(error)),
                Verdict::Dead { error } => (DeliveryState::Dead, None, Some(error)),
            };
            let error = error.map(|error| &error[..error.floor_char_boundary(LONGEST_ERROR)]);
            let mut settle = self.transaction.prepare_cached(SETTLE)?;
            let line: Option<(String, RequestId)> = settle
                .query_row(
                    named_params! {
                        ":id": id,
                        ":state": state,
                        ":next_attempt_at": next_attempt_at,
                        ":sent_at": (state == DeliveryState::Sent).then_some(at),
                        ":error": error,
                    },
                    |row| Ok((row.get("receiver")?, row.get("request_id")?)),
                )
                .optional()?;
            if let Some((receiver, request)) = line
                && state != DeliveryState::Pending
            {
                let mut move_up = self.transaction.prepare_cached(MOVE_UP)?;
                move_up.execute(named_params! { ":receiver": receiver, ":request": request, ":at": at })?;
            }
        }
        Ok(())
    }

    /// Skips what waits for receivers that are no longer configured. Returns how many deliveries that were.
    pub fn skip_unknown_receivers(&self, known: &[String]) -> Result<usize, Failure> {
        let mut statement = self.transaction.prepare_cached(PENDING_RECEIVERS)?;
        let receivers: Vec<String> = statement
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut skipped = 0;
        for receiver in receivers.iter().filter(|receiver| !known.contains(receiver)) {
            skipped += self.transaction.prepare_cached(SKIP)?.execute([receiver])?;
        }
        Ok(skipped)
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
