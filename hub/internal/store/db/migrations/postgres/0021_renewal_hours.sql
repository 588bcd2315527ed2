-- +goose Up
-- How renewals ended, counted by hour.
CREATE TABLE renewal_hours (
    hour    BIGINT NOT NULL, -- its beginning
    outcome TEXT COLLATE "C" NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (hour, outcome)
);
