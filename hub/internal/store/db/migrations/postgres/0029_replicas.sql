-- +goose Up
-- The runs of hubs: a replica (id) takes a new epoch at each start, and the older one is
-- fenced. Times are by the database's clock.
CREATE TABLE replicas (
    id           TEXT COLLATE "C" NOT NULL,
    epoch        BIGINT NOT NULL,
    owner        TEXT COLLATE "C" NOT NULL UNIQUE, -- id/epoch, as leases and intents have it
    name         TEXT NOT NULL,
    place        TEXT NOT NULL, -- the machine's start and the lock of the data folder
    version      TEXT NOT NULL,
    started_at   BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL,
    beat         BIGINT NOT NULL,
    fenced_at    BIGINT NOT NULL, -- 0 while it may begin renewals
    left_at      BIGINT NOT NULL, -- 0 unless it stopped by itself
    PRIMARY KEY (id, epoch)
);
