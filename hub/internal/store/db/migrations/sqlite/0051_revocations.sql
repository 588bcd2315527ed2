-- +goose Up
-- Grants that were given up here and of which the service could not be told yet: it is
-- tried again for a day.
CREATE TABLE revocations (
    id         TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    connection TEXT NOT NULL, -- its name, for people
    tokens     BLOB NOT NULL, -- sealed
    tries      INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    until_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX revocations_due_at ON revocations (due_at);
