-- The history, version 2: digests and groups, living messages, attempts, incidents, silences, how receivers are doing, and
-- which requests are stuck.

PRAGMA user_version = 2;

-- When a request was last told to be stuck, and how often.
ALTER TABLE requests ADD COLUMN stuck_told_at INTEGER;
ALTER TABLE requests ADD COLUMN stuck_told INTEGER NOT NULL DEFAULT 0;

-- How long such requests took, newest first: what the age of an open one is compared with.
CREATE INDEX requests_durations ON requests (type_name, operation, finished_at)
    WHERE status = 'SUCCESS' AND phase = 'finished';
-- The requests on one resource.
CREATE INDEX requests_by_resource ON requests (identifier, type_name, target_id, finished_at) WHERE identifier IS NOT NULL;

CREATE INDEX changes_by_time ON changes (at);

-- What is told of a receiver rather than of a request: that it fails, or is well again.
CREATE TABLE notices (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    -- The receiver that it is about.
    receiver TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    failing  INTEGER NOT NULL CHECK (failing IN (0, 1)),
    waiting  INTEGER NOT NULL,
    error    TEXT
) STRICT;

-- What went wrong and is not mended yet, for each receiver that keeps incidents. It belongs to a resource, so that a later
-- request on the same one can mend it; without an identifier, to its request alone.
CREATE TABLE incidents (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    receiver    TEXT    NOT NULL,
    target_id   INTEGER NOT NULL REFERENCES targets (id),
    type_name   TEXT,
    identifier  TEXT,
    -- The first request that opened it. All that is told of it is one line in the outbox, this request's, so that nothing of
    -- it overtakes anything else of it, whichever request brings it.
    line        INTEGER NOT NULL,
    -- The last request that opened it, until that is pruned.
    request_id  INTEGER REFERENCES requests (id) ON DELETE SET NULL,
    -- Whether a hook opened it, and not the request itself.
    by_hook     INTEGER NOT NULL CHECK (by_hook IN (0, 1)),
    opened_at   INTEGER NOT NULL,
    resolved_at INTEGER
) STRICT;

CREATE INDEX incidents_by_request ON incidents (request_id);
CREATE INDEX incidents_open ON incidents (identifier, type_name, target_id) WHERE resolved_at IS NULL;

-- The outbox anew: a delivery carries a change or a notice, belongs to a group, and may be held until a time.
CREATE TABLE new_deliveries (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    change_id       INTEGER REFERENCES changes (id) ON DELETE CASCADE,
    notice_id       INTEGER REFERENCES notices (id) ON DELETE CASCADE,
    -- The line: the change's own request, or the first of its incident. All notices about one receiver are a line, with a
    -- number below zero.
    request_id      INTEGER,
    receiver        TEXT    NOT NULL,
    -- What is told together, in one digest if it is much. Empty: with everything else that no route groups.
    group_key       TEXT    NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('pending', 'sent', 'dead', 'skipped')),
    attempts        INTEGER NOT NULL CHECK (attempts >= 0),
    since           INTEGER NOT NULL,
    -- Not to be told before: its group's next time, or the end of a mute window.
    not_before      INTEGER NOT NULL,
    next_attempt_at INTEGER,
    sent_at         INTEGER,
    last_error      TEXT,
    incident_id     INTEGER REFERENCES incidents (id),
    resolves        INTEGER NOT NULL CHECK (resolves IN (0, 1)),
    replayed        INTEGER NOT NULL CHECK (replayed IN (0, 1)),
    CHECK ((change_id IS NULL) <> (notice_id IS NULL)),
    CHECK (next_attempt_at IS NULL OR state = 'pending'),
    CHECK ((sent_at IS NOT NULL) = (state = 'sent'))
) STRICT;

-- Ids are never used again, so the count goes on where it was, even if everything has been pruned.
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_deliveries', seq FROM sqlite_sequence WHERE name = 'deliveries';

INSERT INTO new_deliveries (id, change_id, notice_id, request_id, receiver, group_key, state, attempts, since, not_before,
    next_attempt_at, sent_at, last_error, incident_id, resolves, replayed)
SELECT id, change_id, NULL, request_id, receiver, '', state, attempts, since, since, next_attempt_at, sent_at, last_error,
    NULL, 0, 0
FROM deliveries;

CREATE INDEX notices_by_receiver ON notices (receiver, id);
CREATE INDEX notices_by_time ON notices (at);
CREATE INDEX incidents_resolved ON incidents (resolved_at) WHERE resolved_at IS NOT NULL;

DROP VIEW v_deliveries;
DROP TABLE deliveries;
ALTER TABLE new_deliveries RENAME TO deliveries;

CREATE INDEX deliveries_by_change ON deliveries (change_id);
CREATE INDEX deliveries_by_notice ON deliveries (notice_id) WHERE notice_id IS NOT NULL;
CREATE INDEX deliveries_by_incident ON deliveries (incident_id) WHERE incident_id IS NOT NULL;
CREATE INDEX deliveries_dead ON deliveries (id) WHERE state = 'dead';
CREATE INDEX deliveries_in_line ON deliveries (receiver, request_id, id) WHERE state = 'pending';
CREATE UNIQUE INDEX deliveries_one_head_a_line ON deliveries (receiver, request_id) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (receiver, next_attempt_at, id, group_key) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX deliveries_of_group ON deliveries (receiver, group_key, next_attempt_at) WHERE next_attempt_at IS NOT NULL;

-- Every attempt to send. The deliveries of a digest have one each, and the first of them has the words.
CREATE TABLE attempts (
    id            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    delivery_id   INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    -- The first delivery of the digest that carried it; its own id where it was sent alone.
    told_with     INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    took_ms       INTEGER NOT NULL,
    outcome       TEXT    NOT NULL CHECK (outcome IN ('sent', 'retry', 'dead')),
    -- HTTP's or SMTP's, or a program's exit code.
    answer_status INTEGER,
    answer        TEXT,
    error         TEXT
) STRICT;

CREATE INDEX attempts_by_delivery ON attempts (delivery_id);

-- Where the living message of a request is, in the receiver's own words.
CREATE TABLE threads (
    request_id INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    receiver   TEXT    NOT NULL,
    reference  TEXT    NOT NULL,
    PRIMARY KEY (request_id, receiver)
) STRICT, WITHOUT ROWID;

-- When a group was last told, so that the next time is not too soon.
CREATE TABLE delivery_groups (
    receiver  TEXT    NOT NULL,
    group_key TEXT    NOT NULL,
    told_at   INTEGER NOT NULL,
    PRIMARY KEY (receiver, group_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX delivery_groups_by_age ON delivery_groups (told_at);

-- How a receiver is doing, if not well. One that is well has no row.
CREATE TABLE receivers (
    name          TEXT NOT NULL PRIMARY KEY,
    -- Since when each attempt has failed. NULL: the last one did not.
    failing_since INTEGER,
    last_error    TEXT,
    -- Until when it asked to be left alone.
    quiet_until   INTEGER,
    -- When it was told of through another receiver. The row stays until it is told that it is well again.
    told_at       INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE silences (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- One a line, as on the command line: type_name=AWS::RDS::*
    matchers   TEXT    NOT NULL,
    starts_at  INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    CHECK (ends_at >= starts_at)
) STRICT;

CREATE INDEX silences_by_end ON silences (ends_at);

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
    d.last_error,
    d.notice_id,
    d.incident_id,
    d.replayed
FROM deliveries AS d;

CREATE VIEW v_attempts AS SELECT
    a.id,
    a.delivery_id,
    d.receiver,
    a.number,
    strftime('%Y-%m-%dT%H:%M:%S', a.at / 1000 - (a.at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (a.at % 1000 + 1000) % 1000) AS at,
    a.took_ms,
    a.outcome,
    a.answer_status,
    a.answer,
    a.error,
    a.told_with
FROM attempts AS a
JOIN deliveries AS d ON d.id = a.delivery_id;

CREATE VIEW v_incidents AS SELECT
    i.id,
    i.receiver,
    t.name AS target,
    r.token AS request_token,
    i.type_name,
    i.identifier,
    strftime('%Y-%m-%dT%H:%M:%S', i.opened_at / 1000 - (i.opened_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (i.opened_at % 1000 + 1000) % 1000) AS opened_at,
    strftime('%Y-%m-%dT%H:%M:%S', i.resolved_at / 1000 - (i.resolved_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (i.resolved_at % 1000 + 1000) % 1000) AS resolved_at
FROM incidents AS i
JOIN targets AS t ON t.id = i.target_id
LEFT JOIN requests AS r ON r.id = i.request_id;

CREATE VIEW v_notices AS SELECT
    n.id,
    strftime('%Y-%m-%dT%H:%M:%S', n.at / 1000 - (n.at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (n.at % 1000 + 1000) % 1000) AS at,
    n.receiver,
    strftime('%Y-%m-%dT%H:%M:%S', n.since / 1000 - (n.since % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (n.since % 1000 + 1000) % 1000) AS since,
    n.failing,
    n.waiting,
    n.error
FROM notices AS n;

CREATE VIEW v_silences AS SELECT
    s.id,
    s.matchers,
    strftime('%Y-%m-%dT%H:%M:%S', s.starts_at / 1000 - (s.starts_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (s.starts_at % 1000 + 1000) % 1000) AS starts_at,
    strftime('%Y-%m-%dT%H:%M:%S', s.ends_at / 1000 - (s.ends_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (s.ends_at % 1000 + 1000) % 1000) AS ends_at,
    strftime('%Y-%m-%dT%H:%M:%S', s.created_at / 1000 - (s.created_at % 1000 < 0), 'unixepoch')
        || printf('.%03dZ', (s.created_at % 1000 + 1000) % 1000) AS created_at,
    s.created_by,
    s.reason
FROM silences AS s;
