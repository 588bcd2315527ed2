-- +goose Up
-- Authorisations that came to a grant and are kept aside for a while, because they would
-- replace a better one: an administrator takes them or drops them.
CREATE TABLE offered_grants (
    connection_id TEXT COLLATE "C" PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    generation    BIGINT NOT NULL,
    reason        TEXT NOT NULL,
    grant_data    BYTEA NOT NULL, -- sealed: the token set and whose it is
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
