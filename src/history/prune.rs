//! Forgetting, in small steps.

use std::time::Duration;

use rusqlite::params;

use super::{Failure, WriteTx};
use crate::decide::retention;
use crate::model::Timestamp;

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

/// What was told of receivers, in which nothing is still to be told.
pub(super) const PRUNE_NOTICES: &str = "
DELETE FROM notices WHERE id IN (
    SELECT n.id FROM notices AS n
    WHERE n.at < ?1
        AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.notice_id = n.id AND d.state = 'pending')
    LIMIT ?2)";

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

impl WriteTx<'_> {
    /// Forgets up to `limit` requests, with all that hangs on them, that ended and were last seen more than `retention`
    /// ago. Returns how many; call it again while that is `limit`.
    ///
    /// Never an open request, nor one of which something is still to be told, nor one that the service itself may still
    /// list: a sweep would take that for new, and tell it again. So a `retention` below [`retention::SHORTEST`] counts
    /// as that.
    ///
    /// With them goes what is as old and hangs on no request: silences, notices, resolved incidents.
    pub fn prune(&self, now: Timestamp, retention: Duration, limit: usize) -> Result<usize, Failure> {
        let before = now.minus(retention.max(retention::SHORTEST));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        for rest in [PRUNE_NOTICES, PRUNE_INCIDENTS, PRUNE_SILENCES] {
            self.transaction.prepare_cached(rest)?.execute(params![before, limit])?;
        }
        let mut statement = self.transaction.prepare_cached(PRUNE)?;
        Ok(statement.execute(params![before, limit])?)
    }

    /// Forgets when groups were last told, of those whose interval has long passed.
    pub fn forget_groups(&self, now: Timestamp, limit: usize) -> Result<usize, Failure> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.transaction.prepare_cached(FORGET_GROUPS)?;
        Ok(statement.execute(params![now.minus(retention::SHORTEST), limit])?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixtures::{Scene, at, attempted, event, guarded, hook};
    use super::*;
    use crate::decide::retry::Verdict;
    use crate::model::{HookStatus, RequestStatus};

    const DAY: i64 = 24 * 3600;

    fn prune(scene: &Scene, now: i64, days: u64, limit: usize) -> usize {
        let retention = Duration::from_hours(24 * days);
        scene.history.write(|tx| tx.prune(at(now), retention, limit)).unwrap()
    }

    fn tokens(scene: &Scene) -> serde_json::Value {
        scene.rows("SELECT request_token FROM v_requests ORDER BY 1")
    }

    fn tell_all(scene: &Scene) {
        while let Some(delivery) = scene.due(1000 * DAY).first() {
            let attempt = attempted(delivery.ids[0], Verdict::Sent);
            scene.history.write(|tx| tx.record_attempts(&[attempt], at(0))).unwrap();
        }
    }

    #[test]
    fn what_ended_long_ago_goes_with_all_that_hangs_on_it() {
        let scene = Scene::new();
        scene.record(&[
            scene.got(
                1,
                guarded("old", RequestStatus::Failed),
                vec![
                    hook("A::B::C", HookStatus::Failed),
                    hook("D::E::F", HookStatus::Pending),
                ],
            ),
            scene.seen(20 * DAY, event("new", RequestStatus::Success)),
        ]);
        scene.execute("INSERT INTO resource_models SELECT id, '{}' FROM requests");
        tell_all(&scene);
        assert_eq!(prune(&scene, 30 * DAY, 30, 10), 0, "not before its time");
        assert_eq!(prune(&scene, 30 * DAY + 2, 30, 10), 1);
        assert_eq!(tokens(&scene), json!([["new"]]));
        for table in ["progress_events", "changes", "deliveries", "resource_models"] {
            assert_eq!(scene.count(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
        }
        for table in ["hooks", "hook_events"] {
            assert_eq!(scene.count(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
        }
    }

    #[test]
    fn what_is_open_or_still_to_be_told_stays() {
        let scene = Scene::new();
        scene.record(&[
            scene.seen(1, event("open", RequestStatus::Pending)),
            scene.seen(1, event("told", RequestStatus::Success)),
        ]);
        tell_all(&scene);
        scene.record(&[scene.seen(2, event("untold", RequestStatus::Success))]);
        assert_eq!(prune(&scene, 400 * DAY, 30, 10), 1);
        assert_eq!(tokens(&scene), json!([["open"], ["untold"]]));
    }

    #[test]
    fn what_the_service_may_still_list_stays_however_short_the_retention() {
        let scene = Scene::new();
        scene.record(&[scene.seen(0, event("a", RequestStatus::Success))]);
        tell_all(&scene);
        assert_eq!(prune(&scene, 8 * DAY, 0, 10), 0);
        assert_eq!(prune(&scene, 8 * DAY + 1, 0, 10), 1);
    }

    #[test]
    fn what_hangs_on_no_request_goes_as_well_once_nothing_is_told_of_it() {
        let scene = Scene::new();
        scene.execute(
            "INSERT INTO silences (matchers, starts_at, ends_at, created_at, created_by, reason)
                 VALUES ('kind=*', 0, 1, 0, 'a', 'b'), ('kind=*', 0, 9223372036854775807, 0, 'a', 'b');
             INSERT INTO notices (at, receiver, since, failing, waiting) VALUES (1, 'r', 0, 1, 0), (1, 'r', 0, 0, 0);
             INSERT INTO deliveries (notice_id, receiver, group_key, state, attempts, since, not_before, next_attempt_at,
                 resolves, replayed)
                 VALUES (1, 'm', '', 'pending', 0, 1, 1, 1, 0, 0), (2, 'm', '', 'dead', 0, 1, 1, NULL, 0, 0);
             INSERT INTO incidents (receiver, target_id, line, by_hook, opened_at, resolved_at)
                 SELECT 'p', id, 1, 0, 1, NULL FROM targets UNION ALL SELECT 'p', id, 1, 0, 1, 2 FROM targets;
             INSERT INTO delivery_groups VALUES ('r', 'g', 1)",
        );
        assert_eq!(prune(&scene, 100 * DAY, 30, 10), 0);
        for table in ["silences", "notices", "incidents", "deliveries"] {
            assert_eq!(scene.count(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
        }
        let forget = |tx: &WriteTx<'_>| tx.forget_groups(at(100 * DAY), 10);
        assert_eq!(scene.history.write(forget).unwrap(), 1);
    }

    #[test]
    fn it_goes_in_steps_the_oldest_first_and_no_id_comes_back() {
        let scene = Scene::new();
        for second in 0..5 {
            let token = format!("t{second}");
            scene.record(&[scene.seen(second, event(&token, RequestStatus::Success))]);
        }
        tell_all(&scene);
        assert_eq!(prune(&scene, 100 * DAY, 30, 2), 2);
        assert_eq!(tokens(&scene), json!([["t2"], ["t3"], ["t4"]]));
        assert_eq!(prune(&scene, 100 * DAY, 30, 9), 3);
        scene.record(&[scene.seen(200 * DAY, event("t9", RequestStatus::Success))]);
        for view in ["v_progress_events", "v_changes", "v_deliveries"] {
            assert_eq!(scene.count(&format!("SELECT id FROM {view}")), 6, "{view}");
        }
    }
}
