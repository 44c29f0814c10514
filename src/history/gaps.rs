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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Scene, at};
    use super::*;

    #[test]
    fn a_gap_keeps_its_begin_and_tells_its_last_reason() {
        let scene = Scene::new();
        let open = |second, reason| {
            scene
                .history
                .write(|tx| tx.open_gap(scene.target, at(second), reason))
                .unwrap();
        };
        let close = |second| {
            let closed = scene.history.write(|tx| tx.close_gap(scene.target, at(second)));
            closed.unwrap();
        };
        let gaps = || scene.rows("SELECT * FROM v_gaps");
        close(1);
        assert_eq!(gaps(), json!([]));
        open(10, "no route to host");
        open(20, "AccessDenied");
        let from = "2026-11-22T06:28:10.000Z";
        assert_eq!(gaps(), json!([["prod/eu-west-1", from, null, "AccessDenied"]]));
        let changes = scene.total_changes();
        open(30, "AccessDenied");
        assert_eq!(scene.total_changes(), changes);
        close(40);
        close(50);
        let to = "2026-11-22T06:28:40.000Z";
        assert_eq!(gaps(), json!([["prod/eu-west-1", from, to, "AccessDenied"]]));
    }

    #[test]
    fn a_clock_that_stepped_back_makes_an_empty_gap_and_no_error() {
        let scene = Scene::new();
        scene
            .history
            .write(|tx| tx.open_gap(scene.target, at(10), "asleep"))
            .unwrap();
        scene.history.write(|tx| tx.close_gap(scene.target, at(5))).unwrap();
        assert_eq!(scene.count("SELECT count(*) FROM gaps WHERE from_at = to_at"), 1);
    }

    #[test]
    fn a_target_that_was_never_registered_has_no_gap() {
        let scene = Scene::new();
        let error = scene
            .history
            .write(|tx| tx.open_gap(TargetId(99), at(0), ""))
            .unwrap_err();
        assert!(matches!(error.failure, Failure::NoSuchTarget(_)), "{error}");
    }
}
