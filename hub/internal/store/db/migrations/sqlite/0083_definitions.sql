-- +goose Up
-- Versions of the definitions that were added to a running hub. They are kept: what an intent
-- began with can be read, and gone back to.
CREATE TABLE definition_versions (
    name     TEXT NOT NULL,
    number   INTEGER NOT NULL,
    version  TEXT NOT NULL,
    sum      TEXT NOT NULL,
    document TEXT NOT NULL,
    origin   TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    added_by TEXT NOT NULL,
    PRIMARY KEY (name, number)
) STRICT;
-- Which of them are served.
CREATE TABLE definition_slots (
    name       TEXT PRIMARY KEY,
    enabled    INTEGER NOT NULL,
    previous   INTEGER NOT NULL,
    draft      INTEGER NOT NULL,
    losses     TEXT NOT NULL,
    problem    TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;
