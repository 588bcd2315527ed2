-- +goose Up
-- begun_at, send_by and deadline are by the database's clock; started_at stays that of the
-- hub that began, for its own journal.
ALTER TABLE intents ADD COLUMN begun_at BIGINT NOT NULL DEFAULT 0;
UPDATE intents SET begun_at = started_at;
