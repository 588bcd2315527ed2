-- +goose Up
-- Authorisations that came to a grant and are kept aside for a while, because they would
-- replace a better one: an administrator takes them or drops them.
CREATE TABLE offered_grants (
    connection_id TEXT PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    generation    INTEGER NOT NULL,
    reason        TEXT NOT NULL,
    grant_data    BLOB NOT NULL, -- sealed: the token set and whose it is
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
