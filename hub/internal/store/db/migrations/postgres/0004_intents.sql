-- +goose Up
-- Renewals that have begun and whose outcome is not saved; at most one of a connection.
CREATE TABLE intents (
    id            TEXT COLLATE "C" PRIMARY KEY,
    connection_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES connections (id) ON DELETE CASCADE,
    generation    BIGINT NOT NULL,
    fingerprint   TEXT NOT NULL,
    owner         TEXT NOT NULL,
    started_at    BIGINT NOT NULL,
    deadline      BIGINT NOT NULL,
    reply         BYTEA -- sealed; NULL while there is none
);
CREATE INDEX intents_owner ON intents (owner);
