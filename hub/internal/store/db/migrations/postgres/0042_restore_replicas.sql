-- +goose Up
-- Which replicas have compared their newest token sets with a database that went back.
CREATE TABLE restore_replicas (
    restore_id  TEXT COLLATE "C" NOT NULL REFERENCES restores (id) ON DELETE CASCADE,
    replica_id  TEXT COLLATE "C" NOT NULL,
    name        TEXT NOT NULL,
    compared_at BIGINT NOT NULL, -- 0 while it is waited for
    forwarded   BIGINT NOT NULL, -- connections that it brought forward
    PRIMARY KEY (restore_id, replica_id)
);
