-- +goose Up
-- When this database was found to have gone back: restored from a backup, or a standby that
-- lagged. Rotating renewals are held while a row is open. Times are by the database's clock.
CREATE TABLE restores (
    id         TEXT COLLATE "C" PRIMARY KEY,
    cause      TEXT NOT NULL, -- how it was noticed: backup, database or token_sets
    noticed_by TEXT NOT NULL,
    noticed_at BIGINT NOT NULL,
    backup_at  BIGINT NOT NULL, -- the moment that the rows are of, at the earliest; 0 is not known
    until      BIGINT NOT NULL, -- the replicas are waited for
    ended_at   BIGINT NOT NULL, -- 0 while it holds
    open       BIGINT UNIQUE    -- 1 while it holds, NULL after it
);
