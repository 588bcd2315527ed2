-- +goose Up
-- Authorizations that were started and whose callback is awaited.
CREATE TABLE authorizations (
    id            TEXT PRIMARY KEY,
    state_hash    TEXT NOT NULL UNIQUE,
    service_id    TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    connection_id TEXT REFERENCES connections (id) ON DELETE CASCADE,
    browser_hash  TEXT NOT NULL,
    user_id       TEXT NOT NULL,
    secrets       BLOB NOT NULL, -- sealed: verifier, nonce, data
    redirect_uri  TEXT NOT NULL,
    return_to     TEXT NOT NULL,
    lang          TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX authorizations_browser ON authorizations (service_id, browser_hash);
CREATE INDEX authorizations_connection_id ON authorizations (connection_id);
CREATE INDEX authorizations_expires_at ON authorizations (expires_at);
