-- +goose Up
-- The form of a policy stored it as off, too; whoever saves it again has looked at it.
ALTER TABLE escalation_policies ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 1;
