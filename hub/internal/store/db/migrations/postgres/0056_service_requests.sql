-- +goose Up
-- Services that somebody has asked for.
CREATE TABLE service_requests (
    id            TEXT COLLATE "C" PRIMARY KEY,
    service       TEXT NOT NULL, -- its name or its address
    purpose       TEXT NOT NULL,
    contact       TEXT NOT NULL, -- how to reach whoever asks
    source        TEXT COLLATE "C" NOT NULL, -- person, link, front
    asked_by      TEXT NOT NULL, -- a login, or the title of a link's connection; '' on the front page
    address       TEXT NOT NULL,
    state         TEXT COLLATE "C" NOT NULL, -- open, done, declined
    decided_by    TEXT NOT NULL,
    escalation_id TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT NOT NULL,
    decided_at    BIGINT NOT NULL
);
CREATE INDEX service_requests_state ON service_requests (state, created_at);
