-- +goose Up
-- Lists and counts leave the trash out, and still need no look at the rows.
DROP INDEX connections_search;
CREATE INDEX connections_search ON connections (name, search_text, state);
DROP INDEX connections_service_id;
CREATE INDEX connections_service_id ON connections (service_id, state);
