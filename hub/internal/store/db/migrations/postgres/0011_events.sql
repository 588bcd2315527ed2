-- +goose Up
-- What happened to connections and services; outlives them.
CREATE TABLE events (
    id            TEXT COLLATE "C" PRIMARY KEY,
    connection_id TEXT COLLATE "C" NOT NULL,
    service_id    TEXT COLLATE "C" NOT NULL,
    kind          TEXT NOT NULL,
    actor         TEXT NOT NULL,
    detail        TEXT NOT NULL,
    at            BIGINT NOT NULL
);
CREATE INDEX events_connection_id ON events (connection_id, at);
CREATE INDEX events_at ON events (at);
