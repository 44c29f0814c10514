-- What version 3 adds to what a history of version 2 may hold.
INSERT INTO resource_models (request_id, resource_model) VALUES (2, '{"Tags":[{"Key":"a","Value":"***"}]}');
