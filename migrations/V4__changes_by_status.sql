-- The history, version 4: an index behind the changes to one status, however few they are.

PRAGMA user_version = 4;

-- Newest first, of each status. To find the few changes there are to CANCEL_IN_PROGRESS, or that there are none, was to walk past
-- millions of others.
CREATE INDEX changes_by_status ON changes (to_status, at);
