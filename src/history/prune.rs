//! Forgetting, in small steps.

use std::time::Duration;

use rusqlite::params;

use super::{Failure, WriteTx};
use crate::decide::diff::RETENTION;
use crate::model::Timestamp;

/// How much longer than the service a history remembers at least: `last_seen_at` of what has ended may lag by an hour,
/// and clocks differ.
const MARGIN: Duration = Duration::from_hours(24);

pub(super) const PRUNE: &str = "
DELETE FROM requests WHERE id IN (
    SELECT r.id
    FROM requests AS r
    WHERE r.phase <> 'open'
        AND r.last_seen_at < ?1
        AND coalesce(r.finished_at, r.last_seen_at) < ?1
        AND NOT EXISTS (
            SELECT 1
            FROM changes AS c
            JOIN deliveries AS d ON d.change_id = c.id
            WHERE c.request_id = r.id AND d.state = 'pending')
    ORDER BY r.last_seen_at
    LIMIT ?2)";

impl WriteTx<'_> {
    /// Forgets up to `limit` requests, with all that hangs on them, that ended and were last seen more than `retention`
    /// ago. Returns how many; call it again while that is `limit`.
    ///
    /// Never an open request, nor one of which something is still to be told, nor one that the service itself may still
    /// list: a sweep would take that for new, and tell it again. So a shorter retention than eight days counts as eight.
    pub fn prune(&self, now: Timestamp, retention: Duration, limit: usize) -> Result<usize, Failure> {
        let before = now.minus(retention.max(RETENTION + MARGIN));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.transaction.prepare_cached(PRUNE)?;
        Ok(statement.execute(params![before, limit])?)
    }
}
