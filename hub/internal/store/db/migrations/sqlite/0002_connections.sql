-- +goose Up
CREATE TABLE connections (
    id               TEXT PRIMARY KEY,
    name             TEXT NOT NULL UNIQUE,
    title            TEXT NOT NULL,
    search_text      TEXT NOT NULL, -- name and title in lower case
    service_id       TEXT NOT NULL REFERENCES services (id),
    state            TEXT NOT NULL,
    generation       INTEGER NOT NULL,
    tokens           BLOB, -- sealed; NULL without a grant
    expires_at       INTEGER NOT NULL,
    policy           TEXT NOT NULL,
    due_at           INTEGER NOT NULL,
    failure          TEXT NOT NULL,
    account_id       TEXT NOT NULL,
    account_name     TEXT NOT NULL,
    requested_scopes TEXT NOT NULL,
    renewed_at       INTEGER NOT NULL,
    authorized_at    INTEGER NOT NULL,
    last_pulled_at   INTEGER NOT NULL,
    lease_owner      TEXT NOT NULL,
    lease_until      INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL -- grows with each change of what a pull returns
) STRICT;
CREATE INDEX connections_service_id ON connections (service_id);
CREATE INDEX connections_due_at ON connections (due_at) WHERE due_at > 0;
CREATE INDEX connections_lease_until ON connections (lease_until) WHERE lease_until > 0;
