-- The history, version 1.
--
-- Tables are the program's own and may change under a later migration. The views, v_…, are the public schema: their names
-- and columns are only ever added to.
--
-- Times are whole milliseconds since 1970-01-01T00:00:00Z in tables, and ISO 8601 in UTC in the views.

PRAGMA user_version = 1;

-- One row. The id is made once, with the file: it stands in front of every event id that leaves this history, so that
-- two histories never use the same one.
CREATE TABLE meta (
    id            INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    history_id    TEXT    NOT NULL CHECK (length(history_id) = 16),
    -- Whether every resource model that is stored is known to be masked.
    models_masked INTEGER NOT NULL CHECK (models_masked IN (0, 1))
) STRICT;

INSERT INTO meta (id, history_id, models_masked) VALUES (1, lower(hex(randomblob(8))), 0);

-- An account and a Region. The name is the configuration's and may change; account and Region are the identity.
CREATE TABLE targets (
    id                    INTEGER NOT NULL PRIMARY KEY,
    name                  TEXT    NOT NULL UNIQUE,
    account_id            TEXT,
    region                TEXT    NOT NULL,
    registered_at         INTEGER NOT NULL,
    -- On the server's clock, as it is compared with event times.
    baseline_began_at     INTEGER,
    baseline_completed_at INTEGER,
    last_looked_at        INTEGER,
    CHECK (baseline_completed_at IS NULL OR baseline_began_at IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX targets_by_account ON targets (account_id, region) WHERE account_id IS NOT NULL;

CREATE TABLE requests (
    id                  INTEGER NOT NULL PRIMARY KEY,
    target_id           INTEGER NOT NULL REFERENCES targets (id),
    token               TEXT    NOT NULL,
    hooks_request_token TEXT,
    type_name           TEXT,
    identifier          TEXT,
    operation           TEXT,
    status              TEXT,
    error_code          TEXT,
    status_message      TEXT,
    event_time          INTEGER,
    started_at          INTEGER,
    retry_after         INTEGER,
    phase               TEXT    NOT NULL CHECK (phase IN ('open', 'finished', 'lost')),
    first_seen_at       INTEGER NOT NULL,
    last_seen_at        INTEGER NOT NULL,
    finished_at         INTEGER,
    final_looks_left    INTEGER NOT NULL CHECK (final_looks_left >= 0),
    gone_looks          INTEGER NOT NULL CHECK (gone_looks >= 0),
    gone_at             INTEGER,
    announced           INTEGER NOT NULL CHECK (announced IN (0, 1)),
    -- Counted from the hooks whenever the row is written, which is whenever one of them is.
    hooks_total         INTEGER NOT NULL,
    hooks_failed        INTEGER NOT NULL,
    hooks_pending       INTEGER NOT NULL CHECK (hooks_pending IN (0, 1))
) STRICT;

-- The token first, so that the start of one is enough to find it.
CREATE UNIQUE INDEX requests_by_token ON requests (token, target_id);
-- What is still worth a look.
CREATE INDEX requests_to_look_at ON requests (target_id) WHERE phase = 'open' OR final_looks_left > 0;
-- Newest first, of all, of those that are open, and of those of one status.
CREATE INDEX requests_by_start ON requests (coalesce(started_at, first_seen_at));
CREATE INDEX requests_open_by_start ON requests (coalesce(started_at, first_seen_at)) WHERE phase = 'open';
CREATE INDEX requests_by_status ON requests (status, coalesce(started_at, first_seen_at));
-- Oldest first, of what may be pruned.
CREATE INDEX requests_ended ON requests (last_seen_at) WHERE phase <> 'open';

-- Apart from its request, whose row is written with each look: a model may be 256 KiB.
CREATE TABLE resource_models (
    request_id     INTEGER NOT NULL PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    resource_model TEXT    NOT NULL
) STRICT;

-- The ids of the four tables that follow are public and tell the order in time. AUTOINCREMENT never uses one again, not
-- even when everything has been pruned.
CREATE TABLE progress_events (
    id             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    request_id     INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    observed_at    INTEGER NOT NULL,
    event_time     INTEGER,
    status         TEXT,
    error_code     TEXT,
    status_message TEXT,
    identifier     TEXT,
    retry_after    INTEGER,
    source         TEXT    NOT NULL CHECK (source IN ('list', 'get'))
) STRICT;

CREATE INDEX progress_events_by_request ON progress_events (request_id);

-- One invocation of a hook. The service gives it no id; the five columns after request_id tell it from the others.
CREATE TABLE hooks (
    id                   INTEGER NOT NULL PRIMARY KEY,
    request_id           INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    hook_type_name       TEXT,
    hook_type_arn        TEXT,
    hook_type_version_id TEXT,
    invocation_point     TEXT,
    ordinal              INTEGER NOT NULL,
    failure_mode         TEXT,
    status               TEXT,
    status_message       TEXT,
    event_time           INTEGER,
    first_seen_at        INTEGER NOT NULL,
    finished_at          INTEGER
) STRICT;

CREATE INDEX hooks_by_request ON hooks (request_id);

CREATE TABLE hook_events (
    id             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    hook_id        INTEGER NOT NULL REFERENCES hooks (id) ON DELETE CASCADE,
    observed_at    INTEGER NOT NULL,
    event_time     INTEGER,
    status         TEXT,
    status_message TEXT,
    failure_mode   TEXT
) STRICT;

CREATE INDEX hook_events_by_hook ON hook_events (hook_id);

CREATE TABLE changes (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    request_id  INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    hook_id     INTEGER REFERENCES hooks (id) ON DELETE CASCADE,
    kind        TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    event_time  INTEGER,
    from_status TEXT,
    to_status   TEXT,
    error_code  TEXT,
    message     TEXT
) STRICT;

CREATE INDEX changes_by_request ON changes (request_id);
CREATE INDEX changes_by_hook ON changes (hook_id) WHERE hook_id IS NOT NULL;

-- The outbox. The pending deliveries of one request to one receiver are a line. Only its head, the one with the lowest
-- id, has a time for its next attempt; when the head is done with, the next one gets a time. So what is due is found
-- without walking a backlog, and no later delivery can overtake.
CREATE TABLE deliveries (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    change_id       INTEGER NOT NULL REFERENCES changes (id) ON DELETE CASCADE,
    -- The change's own, repeated so that a line can be indexed.
    request_id      INTEGER NOT NULL,
    receiver        TEXT    NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('pending', 'sent', 'dead', 'skipped')),
    attempts        INTEGER NOT NULL CHECK (attempts >= 0),
    since           INTEGER NOT NULL,
    next_attempt_at INTEGER,
    sent_at         INTEGER,
    last_error      TEXT,
    CHECK (next_attempt_at IS NULL OR state = 'pending'),
    CHECK ((sent_at IS NOT NULL) = (state = 'sent'))
) STRICT;

CREATE INDEX deliveries_by_change ON deliveries (change_id);
CREATE INDEX deliveries_in_line ON deliveries (receiver, request_id, id) WHERE state = 'pending';
CREATE UNIQUE INDEX deliveries_one_head_a_line ON deliveries (receiver, request_id) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (receiver, next_attempt_at, id) WHERE next_attempt_at IS NOT NULL;

CREATE TABLE gaps (
    id        INTEGER NOT NULL PRIMARY KEY,
    target_id INTEGER NOT NULL REFERENCES targets (id),
    from_at   INTEGER NOT NULL,
    to_at     INTEGER,
    reason    TEXT    NOT NULL,
    CHECK (to_at IS NULL OR to_at >= from_at)
) STRICT;

CREATE INDEX gaps_by_target ON gaps (target_id, from_at);
CREATE UNIQUE INDEX gaps_one_open_a_target ON gaps (target_id) WHERE to_at IS NULL;

-- The views spell a time as below, in whole numbers throughout: '%f' goes through floating point, whose rounding differs
-- between versions of SQLite, and other programs bring their own. (ms / 1000 rounds towards zero, so a time before 1970
-- that is no whole second is one second earlier.)
--
--     strftime('%Y-%m-%dT%H:%M:%S', ms / 1000 - (ms % 1000 < 0), 'unixepoch')
--         || printf('.%03dZ', (ms % 1000 + 1000) % 1000)

CREATE VIEW v_requests AS SELECT
    t.name AS target,
    t.account_id,
    t.region,
    r.token AS request_token,
    r.hooks_request_token,
    r.type_name,
    r.identifier,
    r.operation,
    r.status,
    r.error_code,
    r.status_message,
    strftime('%Y-%m-%dT%H:%M:%S', r.started_at / 1000 - (r.started_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (r.started_at % 1000 + 1000) % 1000) AS started_at,
    strftime('%Y-%m-%dT%H:%M:%S', r.first_seen_at / 1000 - (r.first_seen_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (r.first_seen_at % 1000 + 1000) % 1000) AS first_seen_at,
    strftime('%Y-%m-%dT%H:%M:%S', r.last_seen_at / 1000 - (r.last_seen_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (r.last_seen_at % 1000 + 1000) % 1000) AS last_seen_at,
    strftime('%Y-%m-%dT%H:%M:%S', r.finished_at / 1000 - (r.finished_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (r.finished_at % 1000 + 1000) % 1000) AS finished_at,
    CASE WHEN r.finished_at > r.started_at THEN (r.finished_at - r.started_at) / 1000.0 END AS duration_s,
    r.phase = 'open' AS open,
    r.hooks_total,
    r.hooks_failed
FROM requests AS r
JOIN targets AS t ON t.id = r.target_id;

CREATE VIEW v_progress_events AS SELECT
    e.id,
    t.name AS target,
    r.token AS request_token,
    strftime('%Y-%m-%dT%H:%M:%S', e.observed_at / 1000 - (e.observed_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (e.observed_at % 1000 + 1000) % 1000) AS observed_at,
    strftime('%Y-%m-%dT%H:%M:%S', e.event_time / 1000 - (e.event_time % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (e.event_time % 1000 + 1000) % 1000) AS event_time,
    e.status,
    e.error_code,
    e.status_message,
    e.identifier,
    strftime('%Y-%m-%dT%H:%M:%S', e.retry_after / 1000 - (e.retry_after % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (e.retry_after % 1000 + 1000) % 1000) AS retry_after,
    e.source
FROM progress_events AS e
JOIN requests AS r ON r.id = e.request_id
JOIN targets AS t ON t.id = r.target_id;

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
        || printf('.%03dZ', (h.finished_at % 1000 + 1000) % 1000) AS finished_at
FROM hooks AS h
JOIN requests AS r ON r.id = h.request_id
JOIN targets AS t ON t.id = r.target_id;

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
    e.failure_mode
FROM hook_events AS e
JOIN hooks AS h ON h.id = e.hook_id
JOIN requests AS r ON r.id = h.request_id
JOIN targets AS t ON t.id = r.target_id;

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
    ) AS observed_late
FROM changes AS c
JOIN requests AS r ON r.id = c.request_id
JOIN targets AS t ON t.id = r.target_id
LEFT JOIN hooks AS h ON h.id = c.hook_id;

CREATE VIEW v_deliveries AS SELECT
    d.id,
    d.change_id,
    d.receiver,
    d.state,
    d.attempts,
    strftime('%Y-%m-%dT%H:%M:%S', d.next_attempt_at / 1000 - (d.next_attempt_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (d.next_attempt_at % 1000 + 1000) % 1000) AS next_attempt_at,
    strftime('%Y-%m-%dT%H:%M:%S', d.sent_at / 1000 - (d.sent_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (d.sent_at % 1000 + 1000) % 1000) AS sent_at,
    d.last_error
FROM deliveries AS d;

CREATE VIEW v_gaps AS SELECT
    t.name AS target,
    strftime('%Y-%m-%dT%H:%M:%S', g.from_at / 1000 - (g.from_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (g.from_at % 1000 + 1000) % 1000) AS from_at,
    strftime('%Y-%m-%dT%H:%M:%S', g.to_at / 1000 - (g.to_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (g.to_at % 1000 + 1000) % 1000) AS to_at,
    g.reason
FROM gaps AS g
JOIN targets AS t ON t.id = g.target_id;
