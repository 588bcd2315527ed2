-- +goose Up
-- Times are Unix milliseconds, 0 is no time; lists and structures are JSON.
CREATE TABLE services (
    id           TEXT COLLATE "C" PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL UNIQUE,
    title        TEXT NOT NULL,
    provider     TEXT NOT NULL,
    client_id    TEXT NOT NULL,
    secrets      BYTEA NOT NULL, -- sealed: client secret, options, data
    scopes       TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    description  TEXT NOT NULL,
    plugin_sum   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
