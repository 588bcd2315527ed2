-- +goose Up
-- Acts on many connections, and what came of each.
CREATE TABLE bulk_runs (
    id         TEXT PRIMARY KEY,
    act        TEXT NOT NULL,
    argument   TEXT NOT NULL,
    actor      TEXT NOT NULL,
    address    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL, -- when somebody last worked on it
    done_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX bulk_runs_open ON bulk_runs (seen_at) WHERE done_at = 0;
CREATE TABLE bulk_items (
    run_id        TEXT NOT NULL REFERENCES bulk_runs (id) ON DELETE CASCADE,
    n             INTEGER NOT NULL,
    connection_id TEXT NOT NULL,
    name          TEXT NOT NULL,
    state         TEXT NOT NULL,
    message       TEXT NOT NULL,
    PRIMARY KEY (run_id, n)
) STRICT;
