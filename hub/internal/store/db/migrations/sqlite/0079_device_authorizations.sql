-- +goose Up
-- Device authorizations (RFC 8628), the latest of each connection. next_poll_at is when
-- the service is asked next, by whichever replica moves it first; ended is JSON.
CREATE TABLE device_authorizations (
    connection_id TEXT PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    id            TEXT NOT NULL UNIQUE,
    service_id    TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    browser_hash  TEXT NOT NULL DEFAULT '',
    user_id       TEXT NOT NULL DEFAULT '',
    linked_by     TEXT NOT NULL DEFAULT '',
    secrets       BLOB NOT NULL,
    lang          TEXT NOT NULL DEFAULT '',
    poll_every    INTEGER NOT NULL,
    next_poll_at  INTEGER NOT NULL,
    state         TEXT NOT NULL,
    ended         TEXT NOT NULL DEFAULT '',
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX device_authorizations_next ON device_authorizations (next_poll_at) WHERE state = 'pending';
