-- +goose Up
-- The plugin that made the requests of an intent: its version and the SHA-256 of its
-- program. '' is not known.
ALTER TABLE intents ADD COLUMN plugin_version TEXT NOT NULL DEFAULT '';
ALTER TABLE intents ADD COLUMN plugin_sum TEXT NOT NULL DEFAULT '';
