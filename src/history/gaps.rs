//! Gaps: times in which a target was not looked at (law 7).

use rusqlite::params;

use super::{Failure, WriteTx};
use crate::model::{TargetId, Timestamp};

pub(super) const CLOSE_GAP: &str = "UPDATE gaps SET to_at = max(from_at, ?2) WHERE target_id = ?1 AND to_at IS NULL";

impl WriteTx<'_> {
    /// Opens a gap that began at `from`. A target has one open gap at the most: if there is one, it keeps its begin and
    /// takes the new reason.
    pub fn open_gap(&self, target: TargetId, from: Timestamp, reason: &str) -> Result<(), Failure> {
        self.target(target)?;
        self.transaction.execute(
            "INSERT INTO gaps (target_id, from_at, reason) VALUES (?1, ?2, ?3)
             ON CONFLICT (target_id) WHERE to_at IS NULL
             DO UPDATE SET reason = excluded.reason WHERE reason <> excluded.reason",
            params![target, from, reason],
        )?;
        Ok(())
    }

    /// Closes the open gap, if there is one, at `to`. It never ends before it began, whatever happened to the clock.
    pub fn close_gap(&self, target: TargetId, to: Timestamp) -> Result<(), Failure> {
        self.transaction.execute(CLOSE_GAP, params![target, to])?;
        Ok(())
    }
}
