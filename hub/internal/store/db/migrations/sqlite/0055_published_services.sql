-- +goose Up
-- Services whose access codes anybody may take on the front page, with an own login.
CREATE TABLE published_services (
    service_id   TEXT PRIMARY KEY REFERENCES services (id) ON DELETE CASCADE,
    published_by TEXT NOT NULL,
    published_at INTEGER NOT NULL
) STRICT;
