-- +goose Up
-- For whoever was deaf for a while and asks what has changed since.
CREATE INDEX connections_updated_at ON connections (updated_at);
