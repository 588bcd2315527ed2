-- +goose Up
-- A session that was ended stays for a while, so that a request which was under way
-- meanwhile cannot write it anew.
ALTER TABLE sessions ADD COLUMN ended_at BIGINT NOT NULL DEFAULT 0;
