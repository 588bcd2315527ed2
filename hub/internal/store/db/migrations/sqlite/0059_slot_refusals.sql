-- +goose Up
-- What a refused version gives back, and whose losses were accepted by name.
ALTER TABLE plugin_slots ADD COLUMN earlier_sum TEXT NOT NULL DEFAULT '';
ALTER TABLE plugin_slots ADD COLUMN losses_sum TEXT NOT NULL DEFAULT '';
