-- +goose Up
CREATE TABLE api_keys (
    id              TEXT PRIMARY KEY,
    title           TEXT NOT NULL,
    prefix          TEXT NOT NULL,
    hash            TEXT NOT NULL UNIQUE,
    scopes          TEXT NOT NULL, -- joined by spaces
    all_connections INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    revoked_at      INTEGER NOT NULL,
    last_used_at    INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    created_by      TEXT NOT NULL
) STRICT;
CREATE TABLE api_key_connections (
    api_key_id    TEXT NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    PRIMARY KEY (api_key_id, connection_id)
) STRICT;
CREATE INDEX api_key_connections_connection_id ON api_key_connections (connection_id);
