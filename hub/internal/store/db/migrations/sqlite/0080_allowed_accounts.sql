-- +goose Up
-- The accounts that may authorize a connection; one without a row takes any. An account is
-- an id, a name, or a domain such as "@example.org", in lower case.
CREATE TABLE connection_accounts (
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    account       TEXT NOT NULL,
    PRIMARY KEY (connection_id, account)
) STRICT;
