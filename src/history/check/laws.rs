//! The laws of the history, each as the question of what breaks it.
//!
//! What is not asked, since a history that is well may break it:
//! - that times grow with ids: a clock may be set back, and an import brings old rows;
//! - that gaps do not overlap: a daemon that was killed before it wrote when it last looked begins the next gap too early
//!   rather than too late;
//! - that a request has an event, or a delivery an attempt for each that it counts: of what is being forgotten, the oldest
//!   rows are gone already.
//!
//! What the schema itself refuses (a sent delivery without a time, two heads of a line, two open gaps) is asked by the check
//! of the file.

/// A law, and what breaks it: a statement whose first column is an example.
pub(super) struct Law {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) broken: &'static str,
}

macro_rules! is_final {
    ($column:literal) => {
        concat!("coalesce(", $column, " IN ('SUCCESS', 'FAILED', 'CANCEL_COMPLETE'), 0)")
    };
}

macro_rules! is_final_of_a_hook {
    ($column:literal) => {
        concat!(
            "coalesce(",
            $column,
            " IN ('HOOK_COMPLETE_SUCCEEDED', 'HOOK_COMPLETE_FAILED', 'HOOK_FAILED'), 0)"
        )
    };
}

macro_rules! requests_where {
    ($($condition:expr),+) => {
        concat!(
            "SELECT t.name || ' ' || r.token FROM requests AS r LEFT JOIN targets AS t ON t.id = r.target_id WHERE ",
            $($condition),+
        )
    };
}

macro_rules! hooks_where {
    ($($condition:expr),+) => {
        concat!(
            "SELECT t.name || ' ' || r.token || ' ' || coalesce(h.hook_type_name, '?')
FROM hooks AS h LEFT JOIN requests AS r ON r.id = h.request_id LEFT JOIN targets AS t ON t.id = r.target_id WHERE ",
            $($condition),+
        )
    };
}

pub(super) const LAWS: [Law; 11] = [
    Law {
        name: "one-end",
        meaning: "a request's final status is never left: none of its events shows another one",
        broken: requests_where!(
            "EXISTS (SELECT 1 FROM progress_events AS e WHERE e.request_id = r.id AND ",
            is_final!("e.status"),
            " AND e.status IS NOT r.status)"
        ),
    },
    Law {
        name: "finished",
        meaning: "a request is finished if and only if it has a final status, and then it has a time at which it finished",
        broken: requests_where!(
            "(r.phase = 'finished') <> ",
            is_final!("r.status"),
            " OR (r.phase = 'finished') <> (r.finished_at IS NOT NULL)"
        ),
    },
    Law {
        name: "seen",
        meaning: "no request was last seen before it was first seen",
        broken: requests_where!("r.last_seen_at < r.first_seen_at"),
    },
    Law {
        name: "one-end-of-a-hook",
        meaning: "a hook's final status is never left: none of its events shows another one",
        broken: hooks_where!(
            "EXISTS (SELECT 1 FROM hook_events AS e WHERE e.hook_id = h.id AND ",
            is_final_of_a_hook!("e.status"),
            " AND e.status IS NOT h.status)"
        ),
    },
    Law {
        name: "finished-hooks",
        meaning: "a hook has a time at which it finished if and only if its status is final",
        broken: hooks_where!("(h.finished_at IS NOT NULL) <> ", is_final_of_a_hook!("h.status")),
    },
    Law {
        name: "hooks-counted",
        meaning: "a request's counts of hooks are those of the hooks that are kept",
        broken: requests_where!(
            "(r.hooks_total, r.hooks_failed) <> (
    SELECT count(*), count(*) FILTER (WHERE h.status IN ('HOOK_COMPLETE_FAILED', 'HOOK_FAILED'))
    FROM hooks AS h WHERE h.request_id = r.id)"
        ),
    },
    // How a request was lost is told apart: it has a status before, and none after, and may come back.
    Law {
        name: "changes-in-a-row",
        meaning: "each change begins at the status that the one before it, of the same request or hook, ended at",
        broken: "SELECT t.name || ' ' || r.token || ' change ' || c.id
FROM changes AS c
LEFT JOIN requests AS r ON r.id = c.request_id
LEFT JOIN targets AS t ON t.id = r.target_id
WHERE c.kind <> 'request.lost'
    AND (
        SELECT p.to_status IS NOT c.from_status FROM changes AS p
        WHERE p.request_id = c.request_id AND p.hook_id IS c.hook_id AND p.id < c.id AND p.kind <> 'request.lost'
        ORDER BY p.id DESC
        LIMIT 1)
    AND c.request_id NOT IN (SELECT request_id FROM united)",
    },
    Law {
        name: "baseline",
        meaning: "what had finished before its target's baseline was never news",
        broken: requests_where!("r.announced = 0 AND EXISTS (SELECT 1 FROM changes AS c WHERE c.request_id = r.id)"),
    },
    Law {
        name: "lines",
        meaning: "of what waits for a receiver about one request, the first has a time for its next attempt, and it alone",
        broken: "SELECT 'delivery ' || d.id || ' to ' || d.receiver
FROM deliveries AS d
WHERE d.state = 'pending' AND d.request_id IS NOT NULL
    AND (d.next_attempt_at IS NOT NULL) <> (d.id = (
        SELECT min(m.id) FROM deliveries AS m
        WHERE m.state = 'pending' AND m.receiver = d.receiver AND m.request_id = d.request_id))",
    },
    Law {
        name: "attempts",
        meaning: "no delivery has more attempts than it counts",
        broken: "SELECT 'delivery ' || d.id || ' to ' || d.receiver
FROM deliveries AS d
WHERE (SELECT count(*) FROM attempts AS a WHERE a.delivery_id = d.id) > d.attempts",
    },
    Law {
        name: "ids",
        meaning: "no id is above the last that was given, so that none is given twice",
        broken: "SELECT ids.name || ' id ' || ids.last FROM (
    SELECT 'progress_events' AS name, max(id) AS last FROM progress_events
    UNION ALL SELECT 'hook_events', max(id) FROM hook_events
    UNION ALL SELECT 'changes', max(id) FROM changes
    UNION ALL SELECT 'deliveries', max(id) FROM deliveries
    UNION ALL SELECT 'attempts', max(id) FROM attempts
    UNION ALL SELECT 'notices', max(id) FROM notices
    UNION ALL SELECT 'incidents', max(id) FROM incidents
    UNION ALL SELECT 'silences', max(id) FROM silences) AS ids
WHERE ids.last > coalesce((SELECT max(s.seq) FROM sqlite_sequence AS s WHERE s.name = ids.name), 0)",
    },
];
