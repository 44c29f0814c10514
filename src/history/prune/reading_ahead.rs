//! What a step is to remove is read before the step takes the lock.
//!
//! The longest that anyone waited for a step was for one page that had to come from a busy disk, and one request can need
//! several: its row and what hangs on it lie where requests of the same time do, which the one before it has brought along,
//! but by its token and by its resource it may lie anywhere. Whatever was read once is in the system's memory, and the
//! step finds it there.

use rusqlite::{Connection, params};

use crate::history::Failure;
use crate::history::sql::RequestId;

/// Reads each row to its last page, and the places of the request in those indexes that are not in the order of time.
pub(in crate::history) const READ_AHEAD: &str = "
SELECT
    (SELECT count(*) FROM requests AS s INDEXED BY requests_by_token
        WHERE s.token = r.token AND s.target_id = r.target_id),
    (SELECT count(*) FROM requests AS s INDEXED BY requests_by_resource
        WHERE s.identifier = r.identifier AND s.type_name IS r.type_name AND s.target_id = r.target_id
            AND s.finished_at IS r.finished_at),
    (SELECT total(length(e.status_message)) FROM progress_events AS e WHERE e.request_id = r.id),
    (SELECT total(length(e.status_message)) FROM hooks AS h JOIN hook_events AS e ON e.hook_id = h.id
        WHERE h.request_id = r.id),
    (SELECT total(length(a.answer)) FROM changes AS c
        LEFT JOIN deliveries AS d ON d.change_id = c.id
        LEFT JOIN attempts AS a ON a.delivery_id = d.id
        WHERE c.request_id = r.id),
    (SELECT length(m.resource_model) FROM resource_models AS m WHERE m.request_id = r.id)
FROM requests AS r
WHERE r.id = ?1";

/// A transaction of its own for each request: nothing is held up, and no state of the file is held on to for long.
pub(super) fn read_ahead(connection: &Connection, requests: &[RequestId]) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(READ_AHEAD)?;
    for request in requests {
        // Not there any more is as well: someone else removed it.
        statement.exists(params![request])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::Scene;
    use super::*;

    /// In which requests that began or ended at one time lie side by side, or of which they are not a part once they have ended.
    const IN_ORDER_OF_TIME: [&str; 12] = [
        "requests_by_error",
        "requests_by_operation",
        "requests_by_shown_start",
        "requests_by_start",
        "requests_by_status",
        "requests_by_target",
        "requests_by_type",
        "requests_durations",
        "requests_ended",
        "requests_failed_by_end",
        "requests_open_by_start",
        "requests_to_look_at",
    ];

    #[test]
    fn each_index_of_requests_is_read_or_in_the_order_of_time() {
        let scene = Scene::new();
        let plan = scene.rows(&format!("EXPLAIN QUERY PLAN {READ_AHEAD}")).to_string();
        let indexes =
            scene.rows("SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'requests' AND sql <> ''");
        for index in indexes.as_array().unwrap() {
            let index = index[0].as_str().unwrap();
            let is_read = plan.contains(&format!("INDEX {index} "));
            assert_ne!(is_read, IN_ORDER_OF_TIME.contains(&index), "{index}\n{plan}");
        }
        for table in [
            "progress_events",
            "hooks",
            "hook_events",
            "changes",
            "deliveries",
            "attempts",
        ] {
            assert!(plan.contains(&format!("INDEX {table}_by_")), "{table}\n{plan}");
        }
        assert!(!plan.contains("SCAN"), "{plan}");
    }
}
