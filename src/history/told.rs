//! What was told, what is to be told, and what is not: read from outside, for whoever looks after the receivers.

use std::ops::Range;

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params, params_from_iter};
use serde::Serialize;

use super::announcements::{Errand, announcement};
use super::reader::rows;
use super::rows::Stored;
use super::sql::ChangeId;
use super::{HistoryError, Reader};
use crate::model::rows::{AttemptRow, ChangeRow, DeliveryRow, NoticeRow, SilenceRow};
use crate::model::{Announcement, DeliveryId, DeliveryState, Timestamp};

/// In the order of time, and of numbers where times are the same.
pub(super) const CHANGES_BETWEEN: &str = "
SELECT id FROM changes WHERE at >= ?1 AND at < ?2 AND (at, id) > (?3, ?4) ORDER BY at, id LIMIT ?5";
pub(super) const CHANGE_BY_ID: &str = "WHERE c.id = ?1";
pub(super) const NOTICE_BY_ID: &str = "WHERE n.id = ?1";
pub(super) const DELIVERY_BY_ID: &str = "WHERE d.id = ?1";
pub(super) const ATTEMPTS_AT: &str = "WHERE a.delivery_id = ?1 ORDER BY a.id";
pub(super) const SILENCES_LEFT: &str = "WHERE s.ends_at > ?1 ORDER BY s.ends_at, s.id";
pub(super) const EVERY_SILENCE: &str = "ORDER BY s.id DESC";

/// Which deliveries to show. What is not given does not matter.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    pub receiver: Option<String>,
    pub state: Option<DeliveryState>,
    /// Only those that were put into the outbox at this time or later.
    pub since: Option<Timestamp>,
    /// At the most so many; `None`: all.
    pub limit: Option<usize>,
}

/// A delivery, with what it tells: a change or a notice.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Told {
    #[serde(flatten)]
    pub delivery: DeliveryRow,
    pub change: Option<ChangeRow>,
    pub notice: Option<NoticeRow>,
}

impl Reader {
    /// A change as receivers are handed it, if it is known: by its number, as `v_changes` has it.
    pub fn announcement(&self, change: i64) -> Result<Option<Announcement>, HistoryError> {
        self.read(|connection| Ok(announcement(connection, ChangeId(change), Errand::default()).optional()?))
    }

    /// Up to `limit` changes that were seen within `time`, the oldest first, with their numbers. `after` is the time and
    /// the number of the last one that was read before, to go on from there.
    pub fn announcements(
        &self,
        time: &Range<Timestamp>,
        after: Option<(Timestamp, i64)>,
        limit: usize,
    ) -> Result<Vec<(i64, Announcement)>, HistoryError> {
        self.read(|connection| {
            let (after_at, after_id) = after.unwrap_or((time.start, 0));
            let mut statement = connection.prepare_cached(CHANGES_BETWEEN)?;
            let changes = statement
                .query_map(params![time.start, time.end, after_at, after_id, rows(limit)], |row| {
                    row.get::<_, ChangeId>(0)
                })?;
            let told = changes.map(|change| {
                let change = change?;
                Ok((change.0, announcement(connection, change, Errand::default())?))
            });
            Ok(told.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The deliveries that `filter` lets through, newest first.
    pub fn told(&self, filter: &DeliveryFilter) -> Result<Vec<Told>, HistoryError> {
        self.read(|connection| {
            let (rest, params) = deliveries_where(filter);
            let deliveries = DeliveryRow::all(connection, &rest, params_from_iter(params))?;
            let told = deliveries.into_iter().map(|delivery| {
                let change = delivery
                    .change_id
                    .map(|id| ChangeRow::all(connection, CHANGE_BY_ID, [id]));
                let notice = delivery
                    .notice_id
                    .map(|id| NoticeRow::all(connection, NOTICE_BY_ID, [id]));
                Ok(Told {
                    change: change.transpose()?.and_then(|mut rows| rows.pop()),
                    notice: notice.transpose()?.and_then(|mut rows| rows.pop()),
                    delivery,
                })
            });
            Ok(told.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Every attempt at a delivery, the first one first. `None` if there is no such delivery.
    pub fn attempts(&self, delivery: DeliveryId) -> Result<Option<Vec<AttemptRow>>, HistoryError> {
        self.read(|connection| {
            if DeliveryRow::all(connection, DELIVERY_BY_ID, [delivery])?.is_empty() {
                return Ok(None);
            }
            Ok(Some(AttemptRow::all(connection, ATTEMPTS_AT, [delivery])?))
        })
    }

    /// The silences that have not ended at `now`, the one that ends next first.
    pub fn silences(&self, now: Timestamp) -> Result<Vec<SilenceRow>, HistoryError> {
        self.read(|connection| Ok(SilenceRow::all(connection, SILENCES_LEFT, [now])?))
    }

    /// Every silence that there ever was, newest first.
    pub fn all_silences(&self) -> Result<Vec<SilenceRow>, HistoryError> {
        self.read(|connection| Ok(SilenceRow::all(connection, EVERY_SILENCE, [])?))
    }
}

/// The statement from WHERE on, with its parameters.
pub(super) fn deliveries_where(filter: &DeliveryFilter) -> (String, Vec<Value>) {
    let mut conditions = Vec::new();
    let mut params = Vec::new();
    if let Some(receiver) = &filter.receiver {
        conditions.push("d.receiver = ?".to_owned());
        params.push(Value::from(receiver.clone()));
    }
    if let Some(state) = filter.state {
        // Written out, since the indexes of what waits and of what was given up hold one state alone.
        conditions.push(format!("d.state = '{}'", state.as_str()));
    }
    if let Some(since) = filter.since {
        conditions.push("d.since >= ?".to_owned());
        params.push(Value::from(since.as_millis()));
    }
    let mut rest = String::new();
    if !conditions.is_empty() {
        rest = format!("WHERE {}\n", conditions.join(" AND "));
    }
    rest.push_str("ORDER BY d.id DESC");
    if let Some(limit) = filter.limit {
        rest.push_str("\nLIMIT ?");
        params.push(Value::from(rows(limit)));
    }
    (rest, params)
}

#[cfg(test)]
#[path = "told_tests.rs"]
mod tests;
