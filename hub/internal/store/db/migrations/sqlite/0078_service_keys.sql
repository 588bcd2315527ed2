-- +goose Up
-- Keys that the hub keeps for services, and plugins never see. Each version of a key is a
-- row: the one in use has the latest used_from that has passed.
CREATE TABLE service_keys (
    id          TEXT PRIMARY KEY,
    service_id  TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    serial      INTEGER NOT NULL,
    purpose     TEXT NOT NULL,
    algorithm   TEXT NOT NULL DEFAULT '',
    kid         TEXT NOT NULL,
    origin      TEXT NOT NULL,
    private     BLOB NOT NULL,
    certificate TEXT NOT NULL DEFAULT '',
    used_from   INTEGER NOT NULL,
    ends_at     INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    UNIQUE (service_id, name, serial)
) STRICT;
