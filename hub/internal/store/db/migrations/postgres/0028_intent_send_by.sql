-- +goose Up
-- A request is not written after send_by, whatever its hub was stopped for. What was
-- begun before knew one time for sending and reading.
ALTER TABLE intents ADD COLUMN send_by BIGINT NOT NULL DEFAULT 0;
UPDATE intents SET send_by = deadline;
