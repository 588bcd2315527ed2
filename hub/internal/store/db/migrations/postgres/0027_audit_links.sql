-- +goose Up
-- A link stands for records that were summed up and removed: the chain goes on behind
-- it with the hash of the last of them. Its own hash covers both ends, with the key of
-- the chain.
CREATE TABLE audit_links (
    from_seq    BIGINT PRIMARY KEY,
    to_seq      BIGINT NOT NULL,
    hash_before BYTEA NOT NULL,
    hash_after  BYTEA NOT NULL,
    mac         BYTEA NOT NULL
);
CREATE INDEX audit_links_to_seq ON audit_links (to_seq);
CREATE INDEX audit_records_pulls ON audit_records (at) WHERE act = 'token.pull';
