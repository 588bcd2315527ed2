-- +goose Up
-- The end and the base of the audit chain, authenticated by its key. A hub fills them in at
-- its first start; what was there before is trusted as it is found then.
ALTER TABLE audit_chain ADD COLUMN end_mac BLOB NOT NULL DEFAULT X'';
ALTER TABLE audit_chain ADD COLUMN base_mac BLOB NOT NULL DEFAULT X'';
