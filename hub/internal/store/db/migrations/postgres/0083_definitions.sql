-- +goose Up
-- Versions of the definitions that were added to a running hub. They are kept: what an intent
-- began with can be read, and gone back to.
CREATE TABLE definition_versions (
    name     TEXT COLLATE "C" NOT NULL,
    number   BIGINT NOT NULL,
    version  TEXT COLLATE "C" NOT NULL,
    sum      TEXT COLLATE "C" NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    origin   TEXT COLLATE "C" NOT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name, number)
);
-- Which of them are served.
CREATE TABLE definition_slots (
    name       TEXT COLLATE "C" PRIMARY KEY,
    enabled    BIGINT NOT NULL,
    previous   BIGINT NOT NULL,
    draft      BIGINT NOT NULL,
    losses     TEXT COLLATE "C" NOT NULL,
    problem    TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL
);
