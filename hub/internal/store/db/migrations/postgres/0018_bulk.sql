-- +goose Up
-- Acts on many connections, and what came of each.
CREATE TABLE bulk_runs (
    id         TEXT COLLATE "C" PRIMARY KEY,
    act        TEXT NOT NULL,
    argument   TEXT NOT NULL,
    actor      TEXT NOT NULL,
    address    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL, -- when somebody last worked on it
    done_at    BIGINT NOT NULL
);
CREATE INDEX bulk_runs_open ON bulk_runs (seen_at) WHERE done_at = 0;
CREATE TABLE bulk_items (
    run_id        TEXT COLLATE "C" NOT NULL REFERENCES bulk_runs (id) ON DELETE CASCADE,
    n             BIGINT NOT NULL,
    connection_id TEXT NOT NULL,
    name          TEXT NOT NULL,
    state         TEXT NOT NULL,
    message       TEXT NOT NULL,
    PRIMARY KEY (run_id, n)
);
