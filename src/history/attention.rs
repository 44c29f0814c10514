//! What is told because something did not happen: a request that is stuck, a receiver that fails and goes on failing.
//!
//! Both are looked for from time to time, by reading; what is found is written in a transaction of its own, which looks
//! again at what it writes about, since a request may have ended meanwhile.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::announcements::Errand;
use super::outbox::{FORGET_HEALTH, Put};
use super::sql::{NoticeId, RequestId};
use super::telling::{Stored, Telling};
use super::{Failure, WriteTx};
use crate::decide::routing::Routing;
use crate::decide::stuck::{self, Patience, Reason, SOONEST, Usual};
use crate::model::{Change, ChangeKind, RequestKey, RequestToken, TargetId, Timestamp};

/// Durations of so many requests of a type and operation, the newest, say what is usual.
const SAMPLES: i64 = 500;

/// A request that was not seen for so long says nothing: it may have ended while its target could not be looked at, which
/// is told as a gap. Longer than the longest pause between two looks.
const SEEN_WITHIN: Duration = Duration::from_mins(15);

/// Spelled as in the index of open requests.
pub(super) const OPEN_FOR_LONG: &str = "
SELECT r.id, r.target_id, r.token, r.type_name, r.operation, coalesce(r.started_at, r.first_seen_at) AS started_at,
    r.retry_after, r.stuck_told_at, r.first_seen_at,
    (SELECT max(c.at) FROM changes AS c WHERE c.request_id = r.id AND c.kind <> 'request.stuck') AS last_change_at
FROM requests AS r
WHERE r.phase = 'open' AND r.announced = 1 AND coalesce(r.started_at, r.first_seen_at) < ?1 AND r.last_seen_at > ?2
ORDER BY coalesce(r.started_at, r.first_seen_at)";

pub(super) const DURATIONS: &str = "
SELECT finished_at - started_at FROM requests
WHERE type_name = ?1 AND operation = ?2 AND status = 'SUCCESS' AND phase = 'finished' AND finished_at > started_at
ORDER BY finished_at DESC
LIMIT ?3";

pub(super) const TOLD: &str = "UPDATE requests SET stuck_told_at = :at, stuck_told = stuck_told + 1 WHERE id = :id";

pub(super) const RECEIVER: &str = "SELECT failing_since, last_error, told_at FROM receivers WHERE name = ?1";

pub(super) const WAITING: &str = "SELECT count(*) FROM deliveries WHERE state = 'pending' AND receiver = ?1";

pub(super) const LAST_NOTICE: &str = "SELECT since FROM notices WHERE receiver = ?1 ORDER BY id DESC LIMIT 1";

pub(super) const FIRST_NOTICE: &str = "SELECT -min(id) FROM notices WHERE receiver = ?1";

const NOTICE: &str = "
INSERT INTO notices (at, receiver, since, failing, waiting, error)
VALUES (:at, :receiver, :since, :failing, :waiting, :error)
RETURNING id";

/// A request that is stuck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    pub key: RequestKey,
    pub reason: Reason,
}

/// A receiver whose failing is told through another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    pub receiver: String,
    pub to: String,
    /// For how long it must have failed.
    pub after: Duration,
}

/// The open requests that are stuck at `now` and are to be told of: for the first time, or again, `remind_every` after the
/// last time. The oldest first.
pub(super) fn stuck(
    connection: &Connection,
    now: Timestamp,
    patience: Patience,
    remind_every: Option<Duration>,
) -> Result<Vec<Stuck>, Failure> {
    let mut usual: HashMap<(String, String), Option<Usual>> = HashMap::new();
    let mut found = Vec::new();
    let mut statement = connection.prepare_cached(OPEN_FOR_LONG)?;
    let mut rows = statement.query([now.minus(SOONEST), now.minus(SEEN_WITHIN)])?;
    while let Some(row) = rows.next()? {
        let told_at: Option<Timestamp> = row.get("stuck_told_at")?;
        if told_at.is_some_and(|told_at| stuck::remind_at(told_at, remind_every).is_none_or(|again| again > now)) {
            continue;
        }
        let (type_name, operation): (Option<String>, Option<String>) = (row.get("type_name")?, row.get("operation")?);
        let usual = match type_name.zip(operation) {
            None => None,
            Some(sort) => {
                if let Some(learnt) = usual.get(&sort) {
                    *learnt
                } else {
                    let learnt = usual_of(connection, &sort)?;
                    usual.insert(sort, learnt);
                    learnt
                }
            }
        };
        let first_seen_at: Timestamp = row.get("first_seen_at")?;
        let last_change_at: Option<Timestamp> = row.get("last_change_at")?;
        let reason = stuck::is_stuck(
            now,
            row.get("started_at")?,
            row.get("retry_after")?,
            last_change_at.unwrap_or(first_seen_at),
            usual,
            patience,
        );
        if let Some(reason) = reason {
            let (target, token): (TargetId, RequestToken) = (row.get("target_id")?, row.get("token")?);
            let key = RequestKey { target, token };
            found.push(Stuck { key, reason });
        }
    }
    Ok(found)
}

/// How long such requests usually take.
pub(super) fn usual_of(
    connection: &Connection,
    (type_name, operation): &(String, String),
) -> Result<Option<Usual>, Failure> {
    let mut statement = connection.prepare_cached(DURATIONS)?;
    let durations = statement.query_map(params![type_name, operation, SAMPLES], |row| {
        let millis: i64 = row.get(0)?;
        Ok(Duration::from_millis(millis.unsigned_abs()))
    })?;
    let mut durations: Vec<Duration> = durations.collect::<rusqlite::Result<_>>()?;
    Ok(stuck::usual(&mut durations))
}

impl WriteTx<'_> {
    /// Tells of requests that are stuck, those of them that are still open. Returns how many deliveries were put into the
    /// outbox.
    pub fn tell_stuck(&self, stuck: &[Stuck], routing: &Routing, now: Timestamp) -> Result<usize, Failure> {
        let mut telling = Telling::new(routing);
        let mut deliveries = 0;
        for Stuck { key, reason } in stuck {
            let Some(known) = self
                .known(key)?
                .filter(|known| known.state.phase == crate::model::Phase::Open)
            else {
                continue;
            };
            let target = self.target(key.target)?;
            let status = known.state.status.as_ref().map(|status| status.as_str().to_owned());
            let change = Change {
                kind: ChangeKind::RequestStuck,
                at: now,
                event_time: None,
                from: status.clone(),
                to: status,
                error_code: None,
                message: Some(reason.to_string()),
                hook: None,
            };
            let id = self.store_change(known.id, None, &change)?;
            self.transaction
                .prepare_cached(TOLD)?
                .execute(named_params! { ":id": known.id, ":at": now })?;
            let stored = Stored {
                id,
                request: known.id,
                target: key.target,
                change: &change,
                subject: super::record::subject(&change, &target, &known.state),
                at: now,
            };
            deliveries += self.tell(&stored, &mut telling)?;
        }
        Ok(deliveries)
    }

    /// Tells of receivers that have failed for long, and of those that are well again, through the receivers that their
    /// escalations name. Returns how many deliveries were put into the outbox.
    pub fn escalate(&self, escalations: &[Escalation], now: Timestamp) -> Result<usize, Failure> {
        let mut deliveries = 0;
        for Escalation { receiver, to, after } in escalations {
            let mut statement = self.transaction.prepare_cached(RECEIVER)?;
            let health = statement.query_row([receiver], |row| {
                let (failing_since, told_at): (Option<Timestamp>, Option<Timestamp>) =
                    (row.get("failing_since")?, row.get("told_at")?);
                let error: Option<String> = row.get("last_error")?;
                Ok((failing_since, told_at, error))
            });
            match health.optional()? {
                Some((Some(since), None, error)) if now.since(since) >= *after => {
                    self.put_notice(receiver, to, now, since, error.as_deref())?;
                    let mut told = self
                        .transaction
                        .prepare_cached("UPDATE receivers SET told_at = ?2 WHERE name = ?1")?;
                    told.execute(params![receiver, now])?;
                    deliveries += 1;
                }
                Some((None, Some(told_at), _)) => {
                    let mut last = self.transaction.prepare_cached(LAST_NOTICE)?;
                    let since = last.query_row([receiver], |row| row.get(0)).optional()?;
                    self.put_notice(receiver, to, now, since.unwrap_or(told_at), None)?;
                    let mut forget = self
                        .transaction
                        .prepare_cached("UPDATE receivers SET told_at = NULL WHERE name = ?1")?;
                    forget.execute([receiver])?;
                    self.transaction
                        .prepare_cached(FORGET_HEALTH)?
                        .execute(params![receiver, now])?;
                    deliveries += 1;
                }
                _ => {}
            }
        }
        Ok(deliveries)
    }

    /// With an error the receiver is failing; without one it is well again.
    fn put_notice(
        &self,
        receiver: &str,
        to: &str,
        now: Timestamp,
        since: Timestamp,
        error: Option<&str>,
    ) -> Result<(), Failure> {
        let mut waiting = self.transaction.prepare_cached(WAITING)?;
        let waiting: u32 = waiting.query_row([receiver], |row| row.get(0))?;
        let mut statement = self.transaction.prepare_cached(NOTICE)?;
        let notice: NoticeId = statement.query_row(
            named_params! {
                ":at": now,
                ":receiver": receiver,
                ":since": since,
                ":failing": error.is_some(),
                ":waiting": waiting,
                ":error": error,
            },
            |row| row.get(0),
        )?;
        // All notices about a receiver are one line, so that "well again" never overtakes "failing". Requests' lines have
        // numbers above zero.
        let mut line = self.transaction.prepare_cached(FIRST_NOTICE)?;
        let line: RequestId = line.query_row([receiver], |row| row.get(0))?;
        self.put_into_outbox(Put {
            change: None,
            notice: Some(notice),
            request: Some(line),
            receiver: to,
            group: "",
            at: now,
            not_before: now,
            skipped: None,
            errand: Errand::default(),
        })?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "attention_tests.rs"]
mod tests;
