-- +goose Up
-- The token sets before the current one.
CREATE TABLE token_history (
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    generation    INTEGER NOT NULL,
    tokens        BLOB NOT NULL, -- sealed
    replaced_at   INTEGER NOT NULL,
    PRIMARY KEY (connection_id, generation)
) STRICT;
CREATE INDEX token_history_replaced_at ON token_history (replaced_at);
