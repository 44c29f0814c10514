-- A history as some weeks of watching leave it, for the questions of docs/history.md: of each something to be found.
-- All times are relative to now.
CREATE TEMP TABLE clock AS SELECT unixepoch() * 1000 AS now;
CREATE TEMP TABLE course (number, target, type_name, identifier, operation, status, began, took, message);

INSERT INTO targets (id, name, account_id, region, registered_at, baseline_began_at, baseline_completed_at, last_looked_at)
SELECT 1, 'prod/eu-west-1', '111122223333', 'eu-west-1', now - 5184000000, now - 5184000000, now - 5184000000, now FROM clock
UNION ALL
SELECT 2, 'dev/us-east-1', '444455556666', 'us-east-1', now - 5184000000, now - 5184000000, now - 5184000000, now FROM clock;

-- Sixty days, one request each three hours; every seventh fails. Buckets become slower. The half hour keeps whole days, which
-- questions ask for, away from any of them.
INSERT INTO course
WITH RECURSIVE n (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n WHERE number < 480)
SELECT
    number,
    1 + number % 2,
    CASE number % 3 WHEN 0 THEN 'AWS::S3::Bucket' WHEN 1 THEN 'AWS::RDS::DBInstance' ELSE 'AWS::Lambda::Function' END,
    'resource-' || (number % 40),
    CASE number % 4 WHEN 0 THEN 'CREATE' WHEN 3 THEN 'DELETE' ELSE 'UPDATE' END,
    iif(number % 7 = 0, 'FAILED', 'SUCCESS'),
    (SELECT now FROM clock) - (481 - number) * 10800000 - 1800000,
    CASE number % 3 WHEN 0 THEN 4000 + number * 20 WHEN 1 THEN 300000 + number * 100 ELSE 20000 + number % 5 * 1000 END,
    NULL
FROM n;

-- Two at once on one resource; one that runs for six and a half days; one that is stuck.
INSERT INTO course
SELECT 1001, 1, 'AWS::S3::Bucket', 'contended', 'UPDATE', 'SUCCESS', now - 7200000, 600000, NULL FROM clock
UNION ALL SELECT 1002, 1, 'AWS::S3::Bucket', 'contended', 'UPDATE', 'FAILED', now - 7100000, 60000, NULL FROM clock
UNION ALL SELECT 1003, 2, 'AWS::RDS::DBCluster', NULL, 'CREATE', 'IN_PROGRESS', now - 561600000, NULL, NULL FROM clock
UNION ALL SELECT 1004, 1, 'AWS::RDS::DBInstance', 'database', 'UPDATE', 'IN_PROGRESS', now - 10800000, NULL, NULL FROM clock;

-- One that turns from success to failure and back, one that is mended at the fourth try, and one whose update fails after
-- its model was kept.
INSERT INTO course
SELECT 1100 + value, 1, 'AWS::Lambda::Function', 'flapping', 'UPDATE', iif(value % 2, 'FAILED', 'SUCCESS'),
    now - 40000000 + value * 600000, 5000, NULL
FROM clock, json_each('[0, 1, 2, 3, 4, 5]');
INSERT INTO course
SELECT 1200 + value, 2, 'AWS::S3::Bucket', 'mended', 'CREATE', iif(value = 3, 'SUCCESS', 'FAILED'),
    now - 90000000 + value * 900000, 8000, NULL
FROM clock, json_each('[0, 1, 2, 3]');
INSERT INTO course
SELECT 1300, 1, 'AWS::S3::Bucket', 'kept', 'UPDATE', 'SUCCESS', now - 180000000, 8000, NULL FROM clock
UNION ALL SELECT 1301, 1, 'AWS::S3::Bucket', 'kept', 'UPDATE', 'FAILED', now - 170000000, 8000, NULL FROM clock;

INSERT INTO requests (id, target_id, token, hooks_request_token, type_name, identifier, operation, status, error_code,
    status_message, event_time, started_at, retry_after, phase, first_seen_at, last_seen_at, finished_at, final_looks_left,
    gone_looks, gone_at, announced, hooks_total, hooks_failed, hooks_pending)
SELECT number, target, printf('%08x-0000-4000-8000-%012x', number * 2654435761 % 4294967296, number), 'hooks-' || number,
    type_name, identifier, operation, status,
    iif(status = 'FAILED', CASE number % 3 WHEN 0 THEN 'Throttling' WHEN 1 THEN 'GeneralServiceException' ELSE 'NotStabilized' END, NULL),
    iif(status = 'FAILED', 'it did not work out', NULL),
    began + coalesce(took, 0), began, NULL, iif(took IS NULL, 'open', 'finished'), began + 2000,
    iif(took IS NULL, (SELECT now FROM clock), began + took + 1000), began + took, 0, 0, NULL, 1, 1, number % 5 = 0, 0
FROM course;

INSERT INTO resource_models (request_id, resource_model) VALUES (1300, '{"BucketName":"kept","Tags":"***"}');

INSERT INTO progress_events (request_id, observed_at, event_time, status, error_code, status_message, identifier, retry_after,
    source)
SELECT id, first_seen_at, started_at, 'IN_PROGRESS', NULL, NULL, NULL, first_seen_at + 5000, 'list' FROM requests
UNION ALL
SELECT id, last_seen_at, finished_at, status, error_code, status_message, identifier, NULL, 'get'
FROM requests WHERE phase = 'finished'
ORDER BY 2;

-- Every fifth finds fault, in WARN mode for tags and in FAIL mode for encryption. The version of tags changed, and with it how
-- often it does.
INSERT INTO hooks (id, request_id, hook_type_name, hook_type_arn, hook_type_version_id, invocation_point, ordinal, failure_mode,
    status, status_message, event_time, first_seen_at, finished_at)
SELECT id, id, iif(id % 2, 'Acme::Tagging::CostCenter', 'Acme::Guard::Encryption'), 'arn:aws:cloudformation:hook', iif(id < 240, '00000001', '00000002'),
    'PRE_PROVISION', 0, iif(id % 2, 'WARN', 'FAIL'), iif(hooks_failed, 'HOOK_COMPLETE_FAILED', 'HOOK_COMPLETE_SUCCEEDED'),
    iif(hooks_failed, 'the tag CostCenter is missing', NULL), started_at + 900 + id % 50 * 100, first_seen_at,
    started_at + 900 + id % 50 * 100
FROM requests;

-- Two invocations of one hook for one request, one within the other: of four seconds and of eight.
INSERT INTO hooks (request_id, hook_type_name, hook_type_arn, hook_type_version_id, invocation_point, ordinal, failure_mode, status,
    status_message, event_time, first_seen_at, finished_at)
SELECT 1300, 'Acme::Guard::Twins', 'arn:aws:cloudformation:hook', '00000001', 'PRE_PROVISION', value, 'FAIL', 'HOOK_COMPLETE_SUCCEEDED', NULL,
    first_seen_at + 2500 + value * 4000, first_seen_at, first_seen_at + 2500 + value * 4000
FROM requests AS r, json_each('[0, 1]') WHERE r.id = 1300;
UPDATE requests SET hooks_total = hooks_total + 2 WHERE id = 1300;

INSERT INTO hook_events (hook_id, observed_at, event_time, status, status_message, failure_mode)
SELECT id, first_seen_at, first_seen_at - 1500, 'HOOK_IN_PROGRESS', NULL, failure_mode FROM hooks
UNION ALL
SELECT id, first_seen_at + 6000, finished_at, status, status_message, failure_mode FROM hooks
ORDER BY 2;

INSERT INTO changes (request_id, hook_id, kind, at, event_time, from_status, to_status, error_code, message)
SELECT request_id, id, 'hook.status', first_seen_at + 6000, finished_at, 'HOOK_IN_PROGRESS', status, NULL, status_message FROM hooks
UNION ALL
SELECT id, NULL, 'request.status', last_seen_at, finished_at, 'IN_PROGRESS', status, error_code, status_message
FROM requests WHERE phase = 'finished'
UNION ALL
SELECT id, NULL, 'request.stuck', last_seen_at - 600000, NULL, NULL, status, NULL, 'longer than usual'
FROM requests WHERE phase = 'open'
ORDER BY 4;

INSERT INTO deliveries (change_id, notice_id, request_id, receiver, group_key, state, attempts, since, not_before, next_attempt_at,
    sent_at, last_error, incident_id, resolves, replayed)
SELECT id, NULL, request_id, 'ops-chat', '', iif(id % 100, 'sent', 'dead'), 1, at, at, NULL, iif(id % 100, at + 700, NULL),
    iif(id % 100, NULL, '410 Gone'), NULL, 0, 0
FROM changes;
INSERT INTO attempts (delivery_id, told_with, number, at, took_ms, outcome, answer_status, answer, error)
SELECT id, id, 1, since + 500, 200 + id % 90, state, iif(state = 'sent', 200, 410), NULL, last_error FROM deliveries;

-- While nothing was looked at for a day, eight requests ended.
INSERT INTO gaps (target_id, from_at, to_at, reason)
SELECT 1, now - 864000000, now - 777600000, 'ccwatch was not running' FROM clock
UNION ALL SELECT 2, now - 60000, NULL, 'AccessDenied' FROM clock;
UPDATE changes SET at = (SELECT now - 777590000 FROM clock)
WHERE event_time BETWEEN (SELECT now - 864000000 FROM clock) AND (SELECT now - 777600000 FROM clock)
    AND request_id IN (SELECT id FROM requests WHERE target_id = 1);

DROP TABLE course;
DROP TABLE clock;
