//! What a person asks of a history that a daemon may hold: silences, and deliveries that are to be made again.
//!
//! The history is the only door between the command line and the daemon, which finds what was put there when its clock
//! next comes by. Nothing that was written is changed but for where a delivery stands: one that is tried again is a new
//! delivery at the end of its line, so that it overtakes nothing and nothing is on the way twice.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::announcements::Errand;
use super::outbox::Put;
use super::sql::{ChangeId, NoticeId, RequestId};
use super::{Failure, HistoryError, OpenError, WriteTx, disk, open, transaction};
use crate::decide::route::Matcher;
use crate::model::{DeliveryId, Timestamp};

pub(super) const DEAD: &str = "
SELECT id, change_id, notice_id, request_id, receiver, state, incident_id, resolves, replayed FROM deliveries
WHERE state = 'dead' AND (?1 IS NULL OR receiver = ?1) ORDER BY id";

pub(super) const BY_ID: &str = "
SELECT id, change_id, notice_id, request_id, receiver, state, incident_id, resolves, replayed FROM deliveries
WHERE id = ?1";

pub(super) const TRIED_AGAIN: &str = "
UPDATE deliveries SET state = 'skipped', last_error = 'tried again as delivery ' || :again WHERE id = :id";

pub(super) const NOW: &str = "
UPDATE deliveries SET next_attempt_at = min(next_attempt_at, ?2) WHERE id = ?1 AND next_attempt_at IS NOT NULL";

pub(super) const IS_RESOLVED: &str = "SELECT 1 FROM incidents WHERE id = ?1 AND resolved_at IS NOT NULL";

/// What became of a wish to try a delivery again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// It was given up, and is in the outbox anew.
    As(DeliveryId),
    /// It waits for its next attempt, which is due now.
    Sooner,
    /// It waits behind an earlier change of its request.
    InLine,
    /// It was sent, or skipped.
    Settled,
    Unknown,
}

/// Writes into a history beside its daemon.
#[derive(Debug)]
pub struct Editor {
    pub(super) connection: Connection,
    pub(super) path: Arc<Path>,
}

struct Kept {
    id: DeliveryId,
    change: Option<ChangeId>,
    notice: Option<NoticeId>,
    request: Option<RequestId>,
    receiver: String,
    state: String,
    errand: Errand,
}

impl Editor {
    /// Opens a history that is there, and of this version. Whoever reads it already asks the [`Reader`](super::Reader) instead.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self {
            connection: open::outside_writer(path)?,
            path: path.into(),
        })
    }

    /// Writes something that says nothing new, where there is room for a transaction or two. May fail where something small
    /// could still be written.
    pub fn prove_writable(&mut self) -> Result<(), HistoryError> {
        disk::prove_room(&self.path).map_err(|failure| HistoryError {
            path: Arc::clone(&self.path),
            failure,
        })?;
        self.write(transaction::prove_writable)
    }

    /// See [`WriteTx::add_silence`].
    pub fn add_silence(
        &mut self,
        matchers: &[Matcher],
        from_to: (Timestamp, Timestamp),
        by_and_reason: (&str, &str),
        now: Timestamp,
    ) -> Result<i64, HistoryError> {
        self.write(|tx| tx.add_silence(matchers, from_to, by_and_reason, now))
    }

    /// See [`WriteTx::end_silence`].
    pub fn end_silence(&mut self, id: i64, now: Timestamp) -> Result<bool, HistoryError> {
        self.write(|tx| tx.end_silence(id, now))
    }

    /// Has a delivery tried again.
    pub fn retry(&mut self, id: DeliveryId, now: Timestamp) -> Result<Retried, HistoryError> {
        self.write(|tx| tx.retry(id, now))
    }

    /// Has every delivery tried again that was given up, or those of one receiver. Returns the old number of each with the
    /// new one.
    pub fn retry_dead(
        &mut self,
        receiver: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<(DeliveryId, DeliveryId)>, HistoryError> {
        self.write(|tx| tx.retry_dead(receiver, now))
    }

    /// Puts changes into the outbox for `receiver` once more, marked as replayed. `changes` are their numbers, in the order
    /// in which they are to be told; those that are not known any more are left out. Returns how many were put there.
    pub fn replay(&mut self, changes: &[i64], receiver: &str, now: Timestamp) -> Result<usize, HistoryError> {
        self.write(|tx| tx.replay(changes, receiver, now))
    }

    /// See [`transaction::rehearsing`].
    pub(super) fn rehearse<T>(
        &mut self,
        work: impl FnOnce(&WriteTx<'_>) -> Result<T, Failure>,
    ) -> Result<T, HistoryError> {
        transaction::rehearsing(&mut self.connection, &self.path, work)
    }

    /// See [`transaction::reading`].
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, HistoryError> {
        transaction::reading(&self.connection, &self.path, work)
    }

    /// See [`transaction::writing`].
    pub(super) fn write<T>(
        &mut self,
        work: impl FnOnce(&WriteTx<'_>) -> Result<T, Failure>,
    ) -> Result<T, HistoryError> {
        transaction::writing(&mut self.connection, &self.path, work)
    }
}

impl WriteTx<'_> {
    fn retry(&self, id: DeliveryId, now: Timestamp) -> Result<Retried, Failure> {
        let mut statement = self.transaction.prepare_cached(BY_ID)?;
        let Some(found) = statement.query_row([id], Kept::from_row).optional()? else {
            return Ok(Retried::Unknown);
        };
        Ok(match found.state.as_str() {
            "dead" if self.is_resolved(&found)? => Retried::Settled,
            "dead" => Retried::As(self.put_again(&found, now)?),
            "pending" => {
                if self.transaction.prepare_cached(NOW)?.execute(params![id, now])? > 0 {
                    Retried::Sooner
                } else {
                    Retried::InLine
                }
            }
            _ => Retried::Settled,
        })
    }

    fn retry_dead(&self, receiver: Option<&str>, now: Timestamp) -> Result<Vec<(DeliveryId, DeliveryId)>, Failure> {
        let mut statement = self.transaction.prepare_cached(DEAD)?;
        let dead: Vec<Kept> = statement
            .query_map([receiver], Kept::from_row)?
            .collect::<rusqlite::Result<_>>()?;
        let mut again = Vec::new();
        for dead in &dead {
            if !self.is_resolved(dead)? {
                again.push((dead.id, self.put_again(dead, now)?));
            }
        }
        Ok(again)
    }

    /// Whether it opened an incident that is resolved by now, and would open it for ever.
    fn is_resolved(&self, dead: &Kept) -> Result<bool, Failure> {
        let (Some(incident), false) = (dead.errand.incident, dead.errand.resolves) else {
            return Ok(false);
        };
        let mut statement = self.transaction.prepare_cached(IS_RESOLVED)?;
        Ok(statement.exists([incident])?)
    }

    fn put_again(&self, dead: &Kept, now: Timestamp) -> Result<DeliveryId, Failure> {
        let again = self.put_into_outbox(Put {
            change: dead.change,
            notice: dead.notice,
            request: dead.request,
            receiver: &dead.receiver,
            group: "",
            at: now,
            not_before: now,
            skipped: None,
            errand: dead.errand,
        })?;
        let mut statement = self.transaction.prepare_cached(TRIED_AGAIN)?;
        statement.execute(named_params! { ":id": dead.id, ":again": again })?;
        Ok(again)
    }

    fn replay(&self, changes: &[i64], receiver: &str, now: Timestamp) -> Result<usize, Failure> {
        let mut put = 0;
        for change in changes {
            let mut statement = self
                .transaction
                .prepare_cached("SELECT request_id FROM changes WHERE id = ?1")?;
            let Some(request) = statement.query_row([change], |row| row.get(0)).optional()? else {
                continue;
            };
            self.put_into_outbox(Put {
                change: Some(ChangeId(*change)),
                notice: None,
                request: Some(request),
                receiver,
                group: "",
                at: now,
                not_before: now,
                skipped: None,
                errand: Errand {
                    replayed: true,
                    ..Errand::default()
                },
            })?;
            put += 1;
        }
        Ok(put)
    }
}

impl Kept {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            change: row.get("change_id")?,
            notice: row.get("notice_id")?,
            request: row.get("request_id")?,
            receiver: row.get("receiver")?,
            state: row.get("state")?,
            errand: Errand {
                incident: row.get("incident_id")?,
                resolves: row.get("resolves")?,
                replayed: row.get("replayed")?,
            },
        })
    }
}

#[cfg(test)]
#[path = "editor_tests.rs"]
mod tests;
