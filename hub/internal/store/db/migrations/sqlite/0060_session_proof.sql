-- +goose Up
-- When somebody has last shown, beside the session, that it is them.
ALTER TABLE user_sessions ADD COLUMN proved_at INTEGER NOT NULL DEFAULT 0;
