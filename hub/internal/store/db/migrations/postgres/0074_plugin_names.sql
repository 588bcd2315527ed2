-- +goose Up
-- Whose key names of providers are of: "acme.*" is all of the publisher acme, "crm" a
-- provider whose name has no publisher.
CREATE TABLE plugin_names (
    name      TEXT PRIMARY KEY,
    key_id    TEXT NOT NULL,
    agreed_at BIGINT NOT NULL,
    agreed_by TEXT NOT NULL
);

-- What plugins use of the contract that is deprecated, as JSON; '' is not known.
ALTER TABLE plugins ADD COLUMN uses TEXT NOT NULL DEFAULT '';
