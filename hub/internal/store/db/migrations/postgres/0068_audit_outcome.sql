-- +goose Up
-- How an act went: begun, done, refused or failed. Records from before have none.
ALTER TABLE audit_records ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
