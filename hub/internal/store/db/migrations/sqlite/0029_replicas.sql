-- +goose Up
-- The runs of hubs: a replica (id) takes a new epoch at each start, and the older one is
-- fenced. Times are by the database's clock.
CREATE TABLE replicas (
    id           TEXT NOT NULL,
    epoch        INTEGER NOT NULL,
    owner        TEXT NOT NULL UNIQUE, -- id/epoch, as leases and intents have it
    name         TEXT NOT NULL,
    place        TEXT NOT NULL, -- the machine's start and the lock of the data folder
    version      TEXT NOT NULL,
    started_at   INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    beat         INTEGER NOT NULL,
    fenced_at    INTEGER NOT NULL, -- 0 while it may begin renewals
    left_at      INTEGER NOT NULL, -- 0 unless it stopped by itself
    PRIMARY KEY (id, epoch)
) STRICT;
