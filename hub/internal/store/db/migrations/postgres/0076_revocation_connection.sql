-- +goose Up
-- The options and the part of the connection whose grant has still to be revoked, sealed.
ALTER TABLE revocations ADD COLUMN about BYTEA;
