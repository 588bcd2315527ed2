-- +goose Up
-- What happened to connections and services; outlives them.
CREATE TABLE events (
    id            TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL,
    service_id    TEXT NOT NULL,
    kind          TEXT NOT NULL,
    actor         TEXT NOT NULL,
    detail        TEXT NOT NULL,
    at            INTEGER NOT NULL
) STRICT;
CREATE INDEX events_connection_id ON events (connection_id, at);
CREATE INDEX events_at ON events (at);
