-- +goose Up
-- Authorizations that were started and whose callback is awaited.
CREATE TABLE authorizations (
    id            TEXT COLLATE "C" PRIMARY KEY,
    state_hash    TEXT COLLATE "C" NOT NULL UNIQUE,
    service_id    TEXT COLLATE "C" NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    connection_id TEXT COLLATE "C" REFERENCES connections (id) ON DELETE CASCADE,
    browser_hash  TEXT COLLATE "C" NOT NULL,
    user_id       TEXT COLLATE "C" NOT NULL,
    secrets       BYTEA NOT NULL, -- sealed: verifier, nonce, data
    redirect_uri  TEXT NOT NULL,
    return_to     TEXT NOT NULL,
    lang          TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX authorizations_browser ON authorizations (service_id, browser_hash);
CREATE INDEX authorizations_connection_id ON authorizations (connection_id);
CREATE INDEX authorizations_expires_at ON authorizations (expires_at);
