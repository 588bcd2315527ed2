-- +goose Up
-- What replicas know to have been withdrawn and found in a database that went back.
CREATE TABLE withdrawals (
    act          TEXT COLLATE "C" NOT NULL,
    kind         TEXT COLLATE "C" NOT NULL,
    object       TEXT COLLATE "C" NOT NULL,
    at           BIGINT NOT NULL, -- when it was withdrawn
    published_by TEXT NOT NULL,
    PRIMARY KEY (act, kind, object)
);
