-- +goose Up
-- A deleted connection stays for a while: its row is in the state trashed, under a name
-- that nobody can ask for, and is due for nothing.
ALTER TABLE connections ADD COLUMN trashed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN trashed_by TEXT NOT NULL DEFAULT ''; -- a login or the title of a key
ALTER TABLE connections ADD COLUMN trash_name TEXT NOT NULL DEFAULT ''; -- the name that it had
ALTER TABLE connections ADD COLUMN trash TEXT NOT NULL DEFAULT ''; -- JSON: what its columns are without the deletion
CREATE INDEX connections_trashed_at ON connections (trashed_at, id) WHERE trashed_at > 0;
