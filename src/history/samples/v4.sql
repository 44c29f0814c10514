-- Version 4 adds no row to what a history of version 3 may hold.
SELECT 4;
