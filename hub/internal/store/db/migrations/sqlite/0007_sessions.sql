-- +goose Up
CREATE TABLE sessions (
    token      TEXT PRIMARY KEY, -- hashed
    data       BLOB NOT NULL, -- sealed
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_expires_at ON sessions (expires_at);
