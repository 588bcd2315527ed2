-- +goose Up
-- Plugins that were handed in to be installed, named by the SHA-256 of their manifest.
CREATE TABLE plugin_packages (
    sum         TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    version     TEXT NOT NULL,
    manifest    TEXT NOT NULL,
    size        INTEGER NOT NULL,
    state       TEXT NOT NULL,
    signer      TEXT NOT NULL,
    problem     TEXT NOT NULL,
    staged_at   INTEGER NOT NULL,
    staged_by   TEXT NOT NULL,
    approved_at INTEGER NOT NULL,
    approved_by TEXT NOT NULL
) STRICT;
CREATE INDEX plugin_packages_name ON plugin_packages (name);

-- The package files in pieces, so that every replica can have them.
CREATE TABLE plugin_pieces (
    sum   TEXT NOT NULL REFERENCES plugin_packages (sum) ON DELETE CASCADE,
    piece INTEGER NOT NULL,
    data  BLOB NOT NULL,
    PRIMARY KEY (sum, piece)
) STRICT;

-- What runs under a plugin's name. The row of a plugin of the folder has no package.
CREATE TABLE plugin_slots (
    name         TEXT PRIMARY KEY,
    sum          TEXT NOT NULL,
    previous_sum TEXT NOT NULL,
    enabled      INTEGER NOT NULL,
    pinned       INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    updated_by   TEXT NOT NULL
) STRICT;

-- Whose signatures count.
CREATE TABLE plugin_keys (
    id         TEXT PRIMARY KEY,
    title      TEXT NOT NULL,
    public     TEXT NOT NULL,
    trusted_at INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL
) STRICT;
