-- +goose Up
-- An act on many connections can be cancelled while it runs: what waits then is left alone.
ALTER TABLE bulk_runs ADD COLUMN cancelled_at INTEGER NOT NULL DEFAULT 0;
