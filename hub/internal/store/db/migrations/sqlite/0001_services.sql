-- +goose Up
-- Times are Unix milliseconds, 0 is no time; lists and structures are JSON.
CREATE TABLE services (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    title        TEXT NOT NULL,
    provider     TEXT NOT NULL,
    client_id    TEXT NOT NULL,
    secrets      BLOB NOT NULL, -- sealed: client secret, options, data
    scopes       TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    description  TEXT NOT NULL,
    plugin_sum   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;
