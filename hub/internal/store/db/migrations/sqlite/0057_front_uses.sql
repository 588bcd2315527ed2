-- +goose Up
-- What people without an account have begun, so that it can be limited over all replicas.
CREATE TABLE front_uses (
    id      TEXT PRIMARY KEY,
    kind    TEXT NOT NULL, -- codes, request
    address TEXT NOT NULL,
    used_at INTEGER NOT NULL
) STRICT;
CREATE INDEX front_uses_kind ON front_uses (kind, used_at);
