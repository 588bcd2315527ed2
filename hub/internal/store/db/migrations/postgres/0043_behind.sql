-- +goose Up
-- Grants whose refresh token may be spent, because it comes from a backup. A row counts
-- while its connection still has this lineage and generation, and nobody has decided.
CREATE TABLE behind (
    connection_id TEXT COLLATE "C" PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    restore_id    TEXT COLLATE "C" NOT NULL,
    lineage       TEXT COLLATE "C" NOT NULL,
    generation    BIGINT NOT NULL,
    reason        TEXT NOT NULL, -- due, expired, renewing or authorised
    listed_at     BIGINT NOT NULL,
    decision      TEXT NOT NULL, -- '' until a person decides: try_once or send_links
    decided_at    BIGINT NOT NULL,
    decided_by    TEXT NOT NULL
);
