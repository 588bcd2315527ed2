-- +goose Up
-- Keys that the hub keeps for services, and plugins never see. Each version of a key is a
-- row: the one in use has the latest used_from that has passed.
CREATE TABLE service_keys (
    id          TEXT COLLATE "C" PRIMARY KEY,
    service_id  TEXT COLLATE "C" NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    serial      BIGINT NOT NULL,
    purpose     TEXT NOT NULL,
    algorithm   TEXT NOT NULL DEFAULT '',
    kid         TEXT NOT NULL,
    origin      TEXT NOT NULL,
    private     BYTEA NOT NULL,
    certificate TEXT NOT NULL DEFAULT '',
    used_from   BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    UNIQUE (service_id, name, serial)
);
