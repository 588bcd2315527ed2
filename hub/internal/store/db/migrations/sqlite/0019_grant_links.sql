-- +goose Up
-- Links by which somebody without an account here authorises one connection.
CREATE TABLE grant_links (
    id            TEXT PRIMARY KEY,
    hash          TEXT NOT NULL UNIQUE,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    browser_hash  TEXT NOT NULL, -- of the browser that followed it first; '' before
    user_id       TEXT NOT NULL,
    created_by    TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    used_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX grant_links_connection_id ON grant_links (connection_id);
