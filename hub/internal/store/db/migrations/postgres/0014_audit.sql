-- +goose Up
-- Who did what. Each record's hash covers the record and the hash before it, with
-- a key that is sealed: whoever changes or removes one breaks the chain.
CREATE TABLE audit_records (
    seq         BIGINT PRIMARY KEY,
    at          BIGINT NOT NULL,
    actor_kind  TEXT NOT NULL,
    actor       TEXT NOT NULL,
    address     TEXT NOT NULL,
    act         TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object      TEXT NOT NULL,
    detail      TEXT NOT NULL,
    hash        BYTEA NOT NULL
);
CREATE INDEX audit_records_at ON audit_records (at);
CREATE INDEX audit_records_object ON audit_records (object_kind, object, seq);
CREATE INDEX audit_records_actor ON audit_records (actor, seq);

-- The one row is the chain's end, and what its first record follows on.
CREATE TABLE audit_chain (
    id        BIGINT PRIMARY KEY,
    seq       BIGINT NOT NULL,
    hash      BYTEA NOT NULL,
    base_seq  BIGINT NOT NULL,
    base_hash BYTEA NOT NULL,
    mac_key   BYTEA NOT NULL
);
