-- What version 3 adds to what a history of version 2 may hold.
INSERT INTO resource_models (request_id, resource_model) VALUES (2, '{"Tags":[{"Key":"a","Value":"***"}]}');
INSERT INTO progress_events (request_id, observed_at, event_time, status, error_code, status_message, identifier, retry_after,
    source)
VALUES (2, 1795328881002, 1795328881001, 'PENDING', NULL, NULL, NULL, 1795328882000, 'call');
INSERT INTO united (request_id) VALUES (1);
