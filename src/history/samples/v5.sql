-- What version 5 tells apart: a second invocation of the same hook, at the same point.
INSERT INTO hooks (request_id, hook_type_name, hook_type_arn, hook_type_version_id, invocation_point, ordinal, failure_mode, status,
    status_message, event_time, first_seen_at, finished_at)
SELECT request_id, hook_type_name, hook_type_arn, hook_type_version_id, invocation_point, ordinal + 1, failure_mode, status,
    status_message, event_time, first_seen_at, finished_at
FROM hooks WHERE id = 1;
INSERT INTO hook_events (hook_id, observed_at, event_time, status, status_message, failure_mode)
SELECT (SELECT max(id) FROM hooks), observed_at, event_time, status, status_message, failure_mode
FROM hook_events WHERE hook_id = 1;
UPDATE requests SET hooks_total = hooks_total + 1 WHERE id = 1;
