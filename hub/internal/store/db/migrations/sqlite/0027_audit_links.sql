-- +goose Up
-- A link stands for records that were summed up and removed: the chain goes on behind
-- it with the hash of the last of them. Its own hash covers both ends, with the key of
-- the chain.
CREATE TABLE audit_links (
    from_seq    INTEGER PRIMARY KEY,
    to_seq      INTEGER NOT NULL,
    hash_before BLOB NOT NULL,
    hash_after  BLOB NOT NULL,
    mac         BLOB NOT NULL
) STRICT;
CREATE INDEX audit_links_to_seq ON audit_links (to_seq);
CREATE INDEX audit_records_pulls ON audit_records (at) WHERE act = 'token.pull';
