-- +goose Up
-- The token sets before the current one.
CREATE TABLE token_history (
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    generation    BIGINT NOT NULL,
    tokens        BYTEA NOT NULL, -- sealed
    replaced_at   BIGINT NOT NULL,
    PRIMARY KEY (connection_id, generation)
);
CREATE INDEX token_history_replaced_at ON token_history (replaced_at);
