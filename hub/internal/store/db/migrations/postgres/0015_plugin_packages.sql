-- +goose Up
-- Plugins that were handed in to be installed, named by the SHA-256 of their manifest.
CREATE TABLE plugin_packages (
    sum         TEXT COLLATE "C" PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL,
    version     TEXT NOT NULL,
    manifest    TEXT NOT NULL,
    size        BIGINT NOT NULL,
    state       TEXT NOT NULL,
    signer      TEXT NOT NULL,
    problem     TEXT NOT NULL,
    staged_at   BIGINT NOT NULL,
    staged_by   TEXT NOT NULL,
    approved_at BIGINT NOT NULL,
    approved_by TEXT NOT NULL
);
CREATE INDEX plugin_packages_name ON plugin_packages (name);

-- The package files in pieces, so that every replica can have them.
CREATE TABLE plugin_pieces (
    sum   TEXT COLLATE "C" NOT NULL REFERENCES plugin_packages (sum) ON DELETE CASCADE,
    piece BIGINT NOT NULL,
    data  BYTEA NOT NULL,
    PRIMARY KEY (sum, piece)
);

-- What runs under a plugin's name. The row of a plugin of the folder has no package.
CREATE TABLE plugin_slots (
    name         TEXT COLLATE "C" PRIMARY KEY,
    sum          TEXT COLLATE "C" NOT NULL,
    previous_sum TEXT COLLATE "C" NOT NULL,
    enabled      BIGINT NOT NULL,
    pinned       BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    updated_by   TEXT NOT NULL
);

-- Whose signatures count.
CREATE TABLE plugin_keys (
    id         TEXT COLLATE "C" PRIMARY KEY,
    title      TEXT NOT NULL,
    public     TEXT NOT NULL,
    trusted_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);
