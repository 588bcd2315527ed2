-- +goose Up
-- What replicas know to have been withdrawn and found in a database that went back.
CREATE TABLE withdrawals (
    act          TEXT NOT NULL,
    kind         TEXT NOT NULL,
    object       TEXT NOT NULL,
    at           INTEGER NOT NULL, -- when it was withdrawn
    published_by TEXT NOT NULL,
    PRIMARY KEY (act, kind, object)
) STRICT;
