-- +goose Up
-- A key opens what has one of its tags, works from some addresses alone, and takes
-- the place of another one.
ALTER TABLE api_keys ADD COLUMN addresses TEXT NOT NULL DEFAULT ''; -- networks joined by spaces
ALTER TABLE api_keys ADD COLUMN replaces TEXT NOT NULL DEFAULT '';
CREATE TABLE api_key_tags (
    api_key_id TEXT NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    tag        TEXT NOT NULL,
    PRIMARY KEY (api_key_id, tag)
) STRICT;
UPDATE api_keys SET scopes = 'admin:*' WHERE scopes = 'admin';
UPDATE api_keys SET scopes = 'token:read admin:*' WHERE scopes = 'token:read admin';
UPDATE api_keys SET scopes = 'admin:* token:read' WHERE scopes = 'admin token:read';
