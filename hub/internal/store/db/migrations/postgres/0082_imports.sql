-- +goose Up
-- A row of an import, sealed, until it is over: what is brought in is tried and taken up by
-- whichever replica works on the run.
ALTER TABLE bulk_items ADD COLUMN import_row BYTEA;
-- Where the grant of a connection was imported from: a digest of the token that was brought,
-- and the first generation that was made of it. The same token, imported again, is known by it.
CREATE TABLE imported_grants (
    connection_id TEXT COLLATE "C" PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    origin        TEXT COLLATE "C" NOT NULL,
    generation    BIGINT NOT NULL
);
CREATE INDEX imported_grants_origin ON imported_grants (origin);
