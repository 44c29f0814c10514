-- The history, version 5: which invocation of its hook each is. One hook can be invoked more than once for a request, at one
-- point, and in the views two such invocations looked like one.

PRAGMA user_version = 5;

DROP VIEW v_hooks;

CREATE VIEW v_hooks AS SELECT
    t.name AS target,
    r.token AS request_token,
    h.hook_type_name,
    h.hook_type_version_id,
    h.hook_type_arn,
    h.invocation_point,
    h.failure_mode,
    h.status,
    h.status_message,
    strftime('%Y-%m-%dT%H:%M:%S', h.event_time / 1000 - (h.event_time % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (h.event_time % 1000 + 1000) % 1000) AS event_time,
    strftime('%Y-%m-%dT%H:%M:%S', h.first_seen_at / 1000 - (h.first_seen_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (h.first_seen_at % 1000 + 1000) % 1000) AS first_seen_at,
    strftime('%Y-%m-%dT%H:%M:%S', h.finished_at / 1000 - (h.finished_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (h.finished_at % 1000 + 1000) % 1000) AS finished_at,
    h.ordinal + 1 AS invocation
FROM hooks AS h
JOIN requests AS r ON r.id = h.request_id
JOIN targets AS t ON t.id = r.target_id;

DROP VIEW v_hook_events;

CREATE VIEW v_hook_events AS SELECT
    e.id,
    t.name AS target,
    r.token AS request_token,
    h.hook_type_name,
    h.hook_type_arn,
    h.invocation_point,
    strftime('%Y-%m-%dT%H:%M:%S', e.observed_at / 1000 - (e.observed_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (e.observed_at % 1000 + 1000) % 1000) AS observed_at,
    strftime('%Y-%m-%dT%H:%M:%S', e.event_time / 1000 - (e.event_time % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (e.event_time % 1000 + 1000) % 1000) AS event_time,
    e.status,
    e.status_message,
    e.failure_mode,
    h.hook_type_version_id,
    h.ordinal + 1 AS invocation
FROM hook_events AS e
JOIN hooks AS h ON h.id = e.hook_id
JOIN requests AS r ON r.id = h.request_id
JOIN targets AS t ON t.id = r.target_id;

DROP VIEW v_changes;

CREATE VIEW v_changes AS SELECT
    c.id,
    strftime('%Y-%m-%dT%H:%M:%S', c.at / 1000 - (c.at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (c.at % 1000 + 1000) % 1000) AS at,
    c.kind,
    t.name AS target,
    r.token AS request_token,
    r.type_name,
    r.identifier,
    r.operation,
    h.hook_type_name,
    c.from_status,
    c.to_status,
    c.error_code,
    c.message,
    -- Whether it happened while its target was not looked at, so that `at` says little of when. Not stored: it follows from
    -- the gaps, whose ends are known only later.
    EXISTS (
        SELECT 1
        FROM gaps AS g
        WHERE g.target_id = r.target_id AND g.from_at <= c.event_time AND (g.to_at IS NULL OR g.to_at >= c.event_time)
    ) AS observed_late,
    h.ordinal + 1 AS invocation
FROM changes AS c
JOIN requests AS r ON r.id = c.request_id
JOIN targets AS t ON t.id = r.target_id
LEFT JOIN hooks AS h ON h.id = c.hook_id;
