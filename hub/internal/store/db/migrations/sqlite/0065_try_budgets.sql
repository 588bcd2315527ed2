-- +goose Up
-- How often what strangers can guess (a password, a code) may be tried still. A budget that
-- is whole again at full_at has no row. Keys are hashes of a fixed size.
CREATE TABLE try_budgets (
    key     TEXT PRIMARY KEY,
    full_at INTEGER NOT NULL
) STRICT;
CREATE INDEX try_budgets_full_at ON try_budgets (full_at);
