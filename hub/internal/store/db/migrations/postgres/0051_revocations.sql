-- +goose Up
-- Grants that were given up here and of which the service could not be told yet: it is
-- tried again for a day.
CREATE TABLE revocations (
    id         TEXT COLLATE "C" PRIMARY KEY,
    service_id TEXT COLLATE "C" NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    connection TEXT NOT NULL, -- its name, for people
    tokens     BYTEA NOT NULL, -- sealed
    tries      BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    until_at   BIGINT NOT NULL
);
CREATE INDEX revocations_due_at ON revocations (due_at);
