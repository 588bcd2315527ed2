-- +goose Up
-- Which authorisation a token set comes from: a new value each time a person authorises,
-- '' without a grant. What was there before gets one that every copy of this database
-- gives it alike.
ALTER TABLE connections ADD COLUMN lineage TEXT NOT NULL DEFAULT '';
UPDATE connections SET lineage = id || '@' || authorized_at WHERE generation > 0 AND state NOT IN ('pending', 'revoked');
