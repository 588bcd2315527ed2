-- +goose Up
-- When somebody has last shown, beside the session, that it is them.
ALTER TABLE user_sessions ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0;
