-- +goose Up
-- What people without an account have begun, so that it can be limited over all replicas.
CREATE TABLE front_uses (
    id      TEXT COLLATE "C" PRIMARY KEY,
    kind    TEXT COLLATE "C" NOT NULL, -- codes, request
    address TEXT NOT NULL,
    used_at BIGINT NOT NULL
);
CREATE INDEX front_uses_kind ON front_uses (kind, used_at);
