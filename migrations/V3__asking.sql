-- The history, version 3: an index behind every question of the command line, resource models in a view, what an import has
-- united, and a source for what ccwatch itself began.

PRAGMA user_version = 3;

-- Newest first, of those with one value. What a pattern may match is first looked up in them, value by value.
CREATE INDEX requests_by_type ON requests (type_name, coalesce(started_at, first_seen_at));
CREATE INDEX requests_by_operation ON requests (operation, coalesce(started_at, first_seen_at));
CREATE INDEX requests_by_error ON requests (error_code, coalesce(started_at, first_seen_at))
    WHERE error_code IS NOT NULL;
CREATE INDEX requests_by_target ON requests (target_id, coalesce(started_at, first_seen_at));

-- What failed last, however long ago it began.
CREATE INDEX requests_failed_by_end ON requests (finished_at) WHERE status = 'FAILED';
-- How long such requests took, newest first, without a look at the requests themselves.
DROP INDEX requests_durations;
CREATE INDEX requests_durations ON requests (type_name, operation, finished_at, started_at)
    WHERE status = 'SUCCESS' AND phase = 'finished';

-- Spelled as the column of v_requests, so that whoever asks the view for a time finds it here.
CREATE INDEX requests_by_shown_start ON requests (
    strftime('%Y-%m-%dT%H:%M:%S', started_at / 1000 - (started_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (started_at % 1000 + 1000) % 1000)
);

CREATE INDEX hooks_by_time ON hooks (first_seen_at);
CREATE INDEX hooks_by_name ON hooks (hook_type_name, first_seen_at);
CREATE INDEX hooks_failed_by_time ON hooks (first_seen_at)
    WHERE status IN ('HOOK_COMPLETE_FAILED', 'HOOK_FAILED');
-- What found fault and stopped nothing.
CREATE INDEX hooks_warned_by_time ON hooks (first_seen_at)
    WHERE status IN ('HOOK_COMPLETE_FAILED', 'HOOK_FAILED') AND failure_mode = 'WARN';

CREATE INDEX changes_failed_by_time ON changes (at)
    WHERE to_status IN ('FAILED', 'HOOK_COMPLETE_FAILED', 'HOOK_FAILED');

CREATE INDEX gaps_by_time ON gaps (from_at);

-- Requests whose events are those of two histories, by an import: each saw some that the other did not, and told them in its
-- own order.
CREATE TABLE united (
    request_id INTEGER NOT NULL PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE
) STRICT;

-- What is kept of resource models: none, or masked ones, unless the configuration's resource_model says "keep".
CREATE VIEW v_resource_models AS SELECT
    t.name AS target,
    r.token AS request_token,
    m.resource_model
FROM resource_models AS m
JOIN requests AS r ON r.id = m.request_id
JOIN targets AS t ON t.id = r.target_id;

-- What the answer to CreateResource, UpdateResource, DeleteResource or CancelResourceRequest said has the source 'call'. A
-- check can't be altered but in the text of the schema; to write the table anew would be to copy ten million rows. Nothing
-- that is stored changes with it, which is what SQLite allows this for.
-- <https://www.sqlite.org/lang_altertable.html#making_other_kinds_of_table_schema_changes>
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'IN (''list'', ''get'')', 'IN (''list'', ''get'', ''call'')')
WHERE type = 'table' AND name = 'progress_events';
PRAGMA writable_schema = RESET;
