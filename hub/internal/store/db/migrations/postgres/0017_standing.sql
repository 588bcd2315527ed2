-- +goose Up
-- How a connection stands, for lists and counts that must not read and unseal every
-- row: what its last renewal left behind, and until when it can be renewed (0 is
-- never, the largest number always, -1 not written yet).
ALTER TABLE connections ADD COLUMN phase TEXT NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN renewable_until BIGINT NOT NULL DEFAULT -1;
CREATE INDEX connections_standing ON connections (state, phase, renewable_until, expires_at, person_by, name);
CREATE INDEX connections_search ON connections (name, search_text);

CREATE TABLE connection_tags (
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    tag           TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (connection_id, tag)
);
CREATE INDEX connection_tags_tag ON connection_tags (tag, connection_id);
