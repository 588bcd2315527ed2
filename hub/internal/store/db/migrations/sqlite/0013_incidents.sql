-- +goose Up
-- What stands in the way of renewal, the same for all connections that suffer
-- from it, and when a person is needed: both for lists that must not read all.
ALTER TABLE connections ADD COLUMN failure_cause TEXT NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN person_by INTEGER NOT NULL DEFAULT 0;
CREATE INDEX connections_failure_cause ON connections (failure_cause) WHERE failure_cause <> '';
CREATE INDEX connections_person_by ON connections (person_by) WHERE person_by > 0;
CREATE TABLE incidents (
    id            TEXT PRIMARY KEY,
    cause         TEXT NOT NULL,
    code          TEXT NOT NULL,
    message       TEXT NOT NULL,
    affected      INTEGER NOT NULL, -- connections now
    most_affected INTEGER NOT NULL,
    opened_at     INTEGER NOT NULL,
    seen_at       INTEGER NOT NULL,
    closed_at     INTEGER NOT NULL -- 0 while it is open
) STRICT;
CREATE UNIQUE INDEX incidents_open ON incidents (cause) WHERE closed_at = 0;
CREATE INDEX incidents_opened_at ON incidents (opened_at);
