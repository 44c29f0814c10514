//! What a step is to remove is read right before the step takes the lock.
//!
//! The longest that anyone waited for a step was for one page that had to come from a busy disk, and one request can need
//! many: each of its rows stands in a table and in some indexes. Whatever was read once is in the system's memory, and the step
//! finds it there; but not for long, where memory is scarce or the kernel reclaims what was not used for some seconds.

use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, params};

use crate::history::Failure;
use crate::history::sql::RequestId;

/// Where a request, and what hangs on it, stands in the tables and in the indexes: from there on, and up to there. `start` and
/// `shown` are what some indexes are made of.
const PLACES: [&str; 27] = [
    "requests AS s WHERE s.id >= r.id ORDER BY s.id",
    "progress_events AS s
        WHERE s.id >= (SELECT min(e.id) FROM progress_events AS e WHERE e.request_id = r.id) ORDER BY s.id",
    "changes AS s WHERE s.id >= (SELECT min(c.id) FROM changes AS c WHERE c.request_id = r.id) ORDER BY s.id",
    "hooks AS s WHERE s.id >= (SELECT min(h.id) FROM hooks AS h WHERE h.request_id = r.id) ORDER BY s.id",
    "hook_events AS s
        WHERE s.id >= (SELECT min(e.id) FROM hooks AS h JOIN hook_events AS e ON e.hook_id = h.id WHERE h.request_id = r.id)
        ORDER BY s.id",
    "deliveries AS s
        WHERE s.id >= (SELECT min(d.id) FROM changes AS c JOIN deliveries AS d ON d.change_id = c.id WHERE c.request_id = r.id)
        ORDER BY s.id",
    "progress_events AS s INDEXED BY progress_events_by_request WHERE s.request_id >= r.id ORDER BY s.request_id",
    "changes AS s INDEXED BY changes_by_request WHERE s.request_id >= r.id ORDER BY s.request_id",
    "hooks AS s INDEXED BY hooks_by_request WHERE s.request_id >= r.id ORDER BY s.request_id",
    "requests AS s INDEXED BY requests_by_error
        WHERE s.error_code = r.error_code AND start(s) >= start(r) ORDER BY start(s)",
    "requests AS s INDEXED BY requests_by_operation
        WHERE s.operation IS r.operation AND start(s) >= start(r) ORDER BY start(s)",
    "requests AS s INDEXED BY requests_by_start WHERE start(s) >= start(r) ORDER BY start(s)",
    "requests AS s INDEXED BY requests_by_status WHERE s.status IS r.status AND start(s) >= start(r) ORDER BY start(s)",
    "requests AS s INDEXED BY requests_by_target
        WHERE s.target_id = r.target_id AND start(s) >= start(r) ORDER BY start(s)",
    "requests AS s INDEXED BY requests_by_type
        WHERE s.type_name IS r.type_name AND start(s) >= start(r) ORDER BY start(s)",
    "requests AS s INDEXED BY requests_by_shown_start WHERE shown(s) >= shown(r) ORDER BY shown(s)",
    "requests AS s INDEXED BY requests_durations
        WHERE s.type_name = r.type_name AND s.operation = r.operation AND s.finished_at >= r.finished_at
            AND s.status = 'SUCCESS' AND s.phase = 'finished'
        ORDER BY s.finished_at",
    "requests AS s INDEXED BY requests_ended
        WHERE s.phase <> 'open' AND s.last_seen_at >= r.last_seen_at ORDER BY s.last_seen_at",
    "requests AS s INDEXED BY requests_failed_by_end
        WHERE s.status = 'FAILED' AND s.finished_at >= r.finished_at ORDER BY s.finished_at",
    "requests AS s INDEXED BY requests_by_token WHERE s.token >= r.token ORDER BY s.token",
    "requests AS s INDEXED BY requests_by_resource WHERE s.identifier >= r.identifier ORDER BY s.identifier",
    "requests AS s INDEXED BY requests_by_resource
        WHERE s.identifier = r.identifier AND s.type_name = r.type_name AND s.target_id = r.target_id
            AND s.finished_at >= r.finished_at
        ORDER BY s.finished_at",
    "changes AS s INDEXED BY changes_by_time WHERE s.at >= r.first_seen_at ORDER BY s.at",
    "changes AS s INDEXED BY changes_failed_by_time
        WHERE s.to_status IN ('FAILED', 'HOOK_COMPLETE_FAILED', 'HOOK_FAILED') AND s.at >= r.first_seen_at
        ORDER BY s.at",
    "hooks AS s INDEXED BY hooks_by_time WHERE s.first_seen_at >= r.first_seen_at ORDER BY s.first_seen_at",
    "hooks AS s INDEXED BY hooks_failed_by_time
        WHERE s.status IN ('HOOK_COMPLETE_FAILED', 'HOOK_FAILED') AND s.first_seen_at >= r.first_seen_at
        ORDER BY s.first_seen_at",
    "hooks AS s INDEXED BY hooks_warned_by_time
        WHERE s.status IN ('HOOK_COMPLETE_FAILED', 'HOOK_FAILED') AND s.failure_mode = 'WARN'
            AND s.first_seen_at >= r.first_seen_at
        ORDER BY s.first_seen_at",
];

/// Entries of an index, as many as a page or some hold: what is left of a page that is almost empty is put together with what
/// stands beside it.
const ENTRIES: usize = 200;

/// Each row to its last page, and in the indexes in which only its own column tells where it stands.
const ROWS: &str = "
SELECT
    (SELECT total(length(e.status_message)) FROM progress_events AS e WHERE e.request_id = r.id),
    (SELECT total(length(e.status_message)) FROM hooks AS h JOIN hook_events AS e ON e.hook_id = h.id
        WHERE h.request_id = r.id),
    (SELECT count((SELECT 1 FROM hooks AS s INDEXED BY hooks_by_name
            WHERE s.hook_type_name = h.hook_type_name AND s.first_seen_at >= h.first_seen_at
            ORDER BY s.first_seen_at LIMIT 1 OFFSET 200))
        FROM hooks AS h WHERE h.request_id = r.id),
    (SELECT total(length(c.message)) + total(length(a.answer)) FROM changes AS c
        LEFT JOIN deliveries AS d ON d.change_id = c.id
        LEFT JOIN attempts AS a ON a.delivery_id = d.id
        WHERE c.request_id = r.id),
    (SELECT total(length(d.last_error)) FROM changes AS c JOIN deliveries AS d ON d.change_id = c.id
        WHERE c.request_id = r.id),
    (SELECT total(length(t.reference)) FROM threads AS t WHERE t.request_id = r.id),
    (SELECT count(*) FROM united AS u WHERE u.request_id = r.id),
    (SELECT count(*) FROM incidents AS i INDEXED BY incidents_by_request WHERE i.request_id = r.id),
    (SELECT count((SELECT 1 FROM changes AS s INDEXED BY changes_by_status
            WHERE s.to_status IS c.to_status AND s.at >= c.at ORDER BY s.at LIMIT 1 OFFSET 200))
        FROM changes AS c WHERE c.request_id = r.id),
    (SELECT count(*) FROM hooks AS h JOIN changes AS s INDEXED BY changes_by_hook ON s.hook_id = h.id
        WHERE h.request_id = r.id),
    (SELECT count(*) FROM changes AS c JOIN deliveries AS d ON d.change_id = c.id
        JOIN deliveries AS s INDEXED BY deliveries_by_incident ON s.incident_id = d.incident_id AND s.id = d.id
        WHERE c.request_id = r.id),
    (SELECT count(*) FROM changes AS c JOIN deliveries AS d ON d.change_id = c.id
        JOIN deliveries AS s INDEXED BY deliveries_dead ON s.id = d.id AND s.state = 'dead'
        WHERE c.request_id = r.id),
    (SELECT length(m.resource_model) FROM resource_models AS m WHERE m.request_id = r.id)
FROM requests AS r
WHERE r.id = ?1";

/// All that is asked of a request that is to go.
pub(in crate::history) static READ_AHEAD: LazyLock<[String; 2]> = LazyLock::new(|| {
    let up_to_there = PLACES.map(|place| format!("{} DESC", place.replace(" >= ", " < ")));
    let places = PLACES.map(str::to_owned).into_iter().chain(up_to_there).map(|place| {
        let mut place = format!("(SELECT 1 FROM {place} LIMIT 1 OFFSET {ENTRIES})");
        for of in ["s", "r"] {
            let start = format!("coalesce({of}.started_at, {of}.first_seen_at)");
            let second = format!("{of}.started_at / 1000 - ({of}.started_at % 1000 < 0)");
            let millisecond = format!("({of}.started_at % 1000 + 1000) % 1000");
            let shown =
                format!("strftime('%Y-%m-%dT%H:%M:%S', {second}, 'unixepoch') || printf('.%03dZ', {millisecond})");
            place = place.replace(&format!("start({of})"), &start);
            place = place.replace(&format!("shown({of})"), &shown);
        }
        place
    });
    let places: Vec<_> = places.collect();
    let places = format!("SELECT {} FROM requests AS r WHERE r.id = ?1", places.join(", "));
    [places, ROWS.to_owned()]
});

/// How many rows a request has at least.
pub(in crate::history) const HOW_MANY: &str = "
SELECT 1
    + (SELECT count(*) FROM progress_events AS e WHERE e.request_id = r.id)
    + (SELECT count(*) FROM hooks AS h JOIN hook_events AS e ON e.hook_id = h.id WHERE h.request_id = r.id)
    + (SELECT count(*) FROM changes AS c WHERE c.request_id = r.id)
FROM requests AS r
WHERE r.id = ?1";

/// Reads the first of these requests, as many as have so many rows. In a transaction of its own for each: nothing is held up, and
/// no state of the file is held on to for long.
pub(super) fn read_ahead(
    connection: &Connection,
    requests: impl Iterator<Item = RequestId>,
    rows: usize,
) -> Result<(), Failure> {
    // What is in this connection's own memory may have left the system's.
    connection.execute_batch("PRAGMA shrink_memory")?;
    let mut left = i64::try_from(rows).unwrap_or(i64::MAX);
    for request in requests {
        // Not there any more is as well: someone else removed it.
        for sql in READ_AHEAD.iter() {
            connection.prepare_cached(sql)?.exists(params![request])?;
        }
        let mut how_many = connection.prepare_cached(HOW_MANY)?;
        let found: Option<i64> = how_many.query_row([request], |row| row.get(0)).optional()?;
        left -= found.unwrap_or(0);
        if left <= 0 {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::Scene;
    use super::*;

    /// Of which a request that has ended, and of which nothing is still to be told or looked at, is no part.
    const OF_WHAT_STAYS: [&str; 6] = [
        "deliveries_due",
        "deliveries_in_line",
        "deliveries_of_group",
        "deliveries_one_head_a_line",
        "requests_open_by_start",
        "requests_to_look_at",
    ];

    const OF_WHAT_HANGS_ON_NO_REQUEST: &str = "deliveries_by_notice";

    #[test]
    fn each_index_of_what_goes_with_a_request_is_read() {
        let scene = Scene::new();
        let plan = |sql| scene.rows(&format!("EXPLAIN QUERY PLAN {sql}")).to_string();
        let plan: String = READ_AHEAD.iter().map(plan).collect();
        let indexes = scene.rows(
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql <> '' AND tbl_name IN ('requests',
                'progress_events', 'hooks', 'hook_events', 'changes', 'deliveries', 'attempts', 'resource_models',
                'threads', 'united')",
        );
        for index in indexes.as_array().unwrap() {
            let index = index[0].as_str().unwrap();
            let is_read = plan.contains(&format!("INDEX {index} "));
            let is_left_out = OF_WHAT_STAYS.contains(&index) || index == OF_WHAT_HANGS_ON_NO_REQUEST;
            assert_ne!(is_read, is_left_out, "{index}\n{plan}");
        }
        // A covering index would leave the table itself unread.
        for row in [
            "e USING INDEX progress_events_by_request",
            "h USING INDEX hooks_by_request",
            "e USING INDEX hook_events_by_hook",
            "c USING INDEX changes_by_request",
            "d USING INDEX deliveries_by_change",
            "a USING INDEX attempts_by_delivery",
            "t USING PRIMARY KEY",
            "u USING INTEGER PRIMARY KEY",
            "m USING INTEGER PRIMARY KEY",
            "i USING COVERING INDEX incidents_by_request",
        ] {
            assert!(plan.contains(&format!("SEARCH {row}")), "{row}\n{plan}");
        }
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
