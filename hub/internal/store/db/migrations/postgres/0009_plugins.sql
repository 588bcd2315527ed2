-- +goose Up
-- What plugins, named by the SHA-256 of their file, say of their providers.
CREATE TABLE plugins (
    sum          TEXT COLLATE "C" PRIMARY KEY,
    name         TEXT NOT NULL,
    version      TEXT NOT NULL,
    descriptions TEXT NOT NULL,
    seen_at      BIGINT NOT NULL
);
