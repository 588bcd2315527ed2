-- +goose Up
CREATE TABLE sessions (
    token      TEXT COLLATE "C" PRIMARY KEY, -- hashed
    data       BYTEA NOT NULL, -- sealed
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expires_at ON sessions (expires_at);
