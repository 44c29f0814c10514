-- What a history of schema version 1 may hold: every table, every phase and state, times with awkward milliseconds.
INSERT INTO targets (id, name, account_id, region, registered_at, baseline_began_at, baseline_completed_at, last_looked_at)
VALUES
    (1, 'prod/eu-west-1', '111122223333', 'eu-west-1', 1795328880000, 1795328880001, 1795328885000, 1795328999999),
    (2, 'play/us-east-1', NULL, 'us-east-1', 1795328880000, NULL, NULL, NULL);
INSERT INTO requests (id, target_id, token, hooks_request_token, type_name, identifier, operation, status, error_code,
    status_message, event_time, started_at, retry_after, phase, first_seen_at, last_seen_at, finished_at,
    final_looks_left, gone_looks, gone_at, announced, hooks_total, hooks_failed, hooks_pending)
VALUES
    (1, 1, 'token-failed', 'hooks-1', 'AWS::Logs::LogGroup', 'group', 'CREATE', 'FAILED', 'AlreadyExists', 'it is there',
        1795328890123, 1795328880001, NULL, 'finished', 1795328881999, 1795328890500, 1795328890123, 0, 0, NULL, 1, 2, 1, 0),
    (2, 1, 'token-open', NULL, NULL, NULL, NULL, 'IN_PROGRESS', NULL, NULL,
        NULL, NULL, 1795328899999, 'open', 1795328881001, 1795328890501, NULL, 0, 1, 1795328890999, 1, 0, 0, 0),
    (3, 2, 'token-lost', NULL, 'AWS::S3::Bucket', NULL, 'WORD_OF_TOMORROW', NULL, NULL, NULL,
        -1, -1001, NULL, 'lost', 1795328881001, 1795328890501, NULL, 0, 3, 1795328890999, 0, 0, 0, 0);
INSERT INTO resource_models (request_id, resource_model) VALUES (1, '{"Name":"***"}');
INSERT INTO progress_events (id, request_id, observed_at, event_time, status, error_code, status_message, identifier,
    retry_after, source)
VALUES
    (1, 1, 1795328881999, 1795328880001, 'IN_PROGRESS', NULL, NULL, NULL, 1795328882000, 'list'),
    (2, 1, 1795328890500, 1795328890123, 'FAILED', 'AlreadyExists', 'it is there', 'group', NULL, 'get'),
    (3, 3, 1795328881001, -1, NULL, NULL, NULL, NULL, NULL, 'list');
INSERT INTO hooks (id, request_id, hook_type_name, hook_type_arn, hook_type_version_id, invocation_point, ordinal,
    failure_mode, status, status_message, event_time, first_seen_at, finished_at)
VALUES
    (1, 1, 'Acme::Encrypt::Check', 'arn:aws:cloudformation:eu-west-1:111122223333:type/hook/Acme-Encrypt-Check',
        '00000001', 'PRE_PROVISION', 0, 'FAIL', 'HOOK_COMPLETE_SUCCEEDED', NULL, 1795328885005, 1795328890500,
        1795328885005),
    (2, 1, NULL, NULL, NULL, NULL, 0, 'WARN', 'HOOK_COMPLETE_FAILED', 'no owner tag', NULL, 1795328890500,
        1795328890500);
INSERT INTO hook_events (id, hook_id, observed_at, event_time, status, status_message, failure_mode) VALUES
    (1, 1, 1795328890500, 1795328885005, 'HOOK_COMPLETE_SUCCEEDED', NULL, 'FAIL'),
    (2, 2, 1795328890500, NULL, 'HOOK_COMPLETE_FAILED', 'no owner tag', 'WARN');
INSERT INTO changes (id, request_id, hook_id, kind, at, event_time, from_status, to_status, error_code, message) VALUES
    (1, 1, NULL, 'request.status', 1795328881999, 1795328880001, NULL, 'IN_PROGRESS', NULL, NULL),
    (2, 1, 2, 'hook.status', 1795328890500, NULL, NULL, 'HOOK_COMPLETE_FAILED', NULL, 'no owner tag'),
    (3, 1, NULL, 'request.status', 1795328890500, 1795328890123, 'IN_PROGRESS', 'FAILED', 'AlreadyExists',
        'it is there');
INSERT INTO deliveries (id, change_id, request_id, receiver, state, attempts, since, next_attempt_at, sent_at, last_error)
VALUES
    (1, 1, 1, 'team', 'sent', 2, 1795328881999, NULL, 1795328883009, '503'),
    (2, 2, 1, 'team', 'pending', 1, 1795328890500, 1795328895099, NULL, '503'),
    (3, 3, 1, 'team', 'pending', 0, 1795328890500, NULL, NULL, NULL),
    (4, 3, 1, 'old', 'skipped', 0, 1795328890500, NULL, NULL, NULL),
    (5, 3, 1, 'gone', 'dead', 1, 1795328890500, NULL, NULL, '410 Gone');
INSERT INTO gaps (id, target_id, from_at, to_at, reason) VALUES
    (1, 1, 1795320000000, 1795328880000, 'ccwatch was not running'),
    (2, 2, 1795328880001, NULL, 'AccessDenied');
