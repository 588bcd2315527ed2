-- +goose Up
-- Until this version the web hub stored every yes/no option of a service as no. Which
-- of the services stored so far are concerned is asked once of an administrator. Hubs
-- of an earlier version do not name the column, so what they add is doubtful too.
ALTER TABLE services ADD COLUMN doubtful BOOLEAN NOT NULL DEFAULT TRUE;
