-- +goose Up
-- The phase of a connection whose last renewal succeeded is healthy; it was stored as
-- well. The index is named after what it serves: lists and counts by status.
UPDATE connections SET phase = 'healthy' WHERE phase = 'well';
DROP INDEX connections_standing;
CREATE INDEX connections_status ON connections (state, phase, renewable_until, expires_at, person_by, name);
