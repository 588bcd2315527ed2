-- +goose Up
-- How a connection gets its tokens; what was entered for it, sealed; and the part of an
-- authorization that it holds, with the connection whose authorization it is.
ALTER TABLE connections ADD COLUMN grant_type TEXT NOT NULL DEFAULT 'authorization_code';
ALTER TABLE connections ADD COLUMN options BLOB;
ALTER TABLE connections ADD COLUMN part TEXT NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN main_id TEXT NOT NULL DEFAULT '';
CREATE INDEX connections_main ON connections (main_id) WHERE main_id <> '';
