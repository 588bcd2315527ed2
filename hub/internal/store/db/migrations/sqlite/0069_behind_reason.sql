-- +goose Up
-- The reasons are words of American spelling, as everywhere.
UPDATE behind SET reason = 'authorized' WHERE reason = 'authorised';
