-- +goose Up
-- The phase of a connection whose last renewal succeeded is healthy; it was stored as
-- well. The index is named after what it serves: lists and counts by status.
UPDATE connections SET phase = 'healthy' WHERE phase = 'well';
ALTER INDEX connections_standing RENAME TO connections_status;
