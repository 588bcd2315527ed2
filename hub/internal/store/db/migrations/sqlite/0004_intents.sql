-- +goose Up
-- Renewals that have begun and whose outcome is not saved; at most one of a connection.
CREATE TABLE intents (
    id            TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL UNIQUE REFERENCES connections (id) ON DELETE CASCADE,
    generation    INTEGER NOT NULL,
    fingerprint   TEXT NOT NULL,
    owner         TEXT NOT NULL,
    started_at    INTEGER NOT NULL,
    deadline      INTEGER NOT NULL,
    reply         BLOB -- sealed; NULL while there is none
) STRICT;
CREATE INDEX intents_owner ON intents (owner);
