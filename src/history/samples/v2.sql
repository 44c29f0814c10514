-- What version 2 adds to what a history of version 1 may hold.
UPDATE requests SET stuck_told_at = 1795328899000, stuck_told = 2 WHERE id = 2;
INSERT INTO notices (id, at, receiver, since, failing, waiting, error) VALUES
    (1, 1795328899001, 'team', 1795328890500, 1, 12, '503'),
    (2, 1795328899999, 'team', 1795328890500, 0, 0, NULL);
INSERT INTO incidents (id, receiver, target_id, type_name, identifier, line, request_id, by_hook, opened_at, resolved_at)
VALUES
    (1, 'pager', 1, 'AWS::Logs::LogGroup', 'group', 1, 1, 0, 1795328890500, 1795328899999),
    (2, 'pager', 2, NULL, NULL, 3, NULL, 1, 1795328890501, NULL);
INSERT INTO deliveries (id, change_id, notice_id, request_id, receiver, group_key, state, attempts, since, not_before,
    next_attempt_at, sent_at, last_error, incident_id, resolves, replayed)
VALUES
    (6, NULL, 1, NULL, 'mail', '', 'pending', 0, 1795328899001, 1795328899001, 1795328899001, NULL, NULL, NULL, 0, 0),
    (7, 3, NULL, 1, 'pager', 'failures{}', 'pending', 0, 1795328890500, 1795328895000, 1795328895000, NULL, NULL, 1, 0, 1);
INSERT INTO attempts (id, delivery_id, told_with, number, at, took_ms, outcome, answer_status, answer, error) VALUES
    (1, 1, 1, 1, 1795328882999, 131, 'retry', 503, 'try later', '503'),
    (2, 1, 1, 2, 1795328883009, 12, 'sent', 200, 'ok', NULL),
    (3, 5, 5, 1, 1795328890501, 7, 'dead', 410, NULL, '410 Gone');
INSERT INTO threads (request_id, receiver, reference) VALUES (1, 'team', '{"ts":"1"}');
INSERT INTO delivery_groups (receiver, group_key, told_at) VALUES ('pager', 'failures{}', 1795328890000);
INSERT INTO receivers (name, failing_since, last_error, quiet_until, told_at)
VALUES ('team', 1795328890500, '503', 1795328895099, 1795328899001);
INSERT INTO silences (id, matchers, starts_at, ends_at, created_at, created_by, reason) VALUES
    (1, 'type_name=AWS::RDS::*', 1795328880001, 1795332480999, 1795328880001, 'ada', 'maintenance'),
    (2, 'target=prod' || char(10) || 'status=FAILED', 1795328880000, 1795328880000, 1795328879999, 'bob', 'a mistake');
