-- +goose Up
-- Scopes that processes have reported as missing (RFC 6750 section 3.1), as a JSON list.
ALTER TABLE connections ADD COLUMN scope_needs TEXT NOT NULL DEFAULT '[]';
