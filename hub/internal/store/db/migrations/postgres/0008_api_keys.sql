-- +goose Up
CREATE TABLE api_keys (
    id              TEXT COLLATE "C" PRIMARY KEY,
    title           TEXT NOT NULL,
    prefix          TEXT NOT NULL,
    hash            TEXT COLLATE "C" NOT NULL UNIQUE,
    scopes          TEXT NOT NULL, -- joined by spaces
    all_connections BOOLEAN NOT NULL,
    expires_at      BIGINT NOT NULL,
    revoked_at      BIGINT NOT NULL,
    last_used_at    BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by      TEXT NOT NULL
);
CREATE TABLE api_key_connections (
    api_key_id    TEXT COLLATE "C" NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    PRIMARY KEY (api_key_id, connection_id)
);
CREATE INDEX api_key_connections_connection_id ON api_key_connections (connection_id);
