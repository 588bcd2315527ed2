-- +goose Up
-- How renewals ended, counted by hour.
CREATE TABLE renewal_hours (
    hour    INTEGER NOT NULL, -- its beginning
    outcome TEXT NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (hour, outcome)
) STRICT;
