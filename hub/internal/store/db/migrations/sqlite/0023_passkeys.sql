-- +goose Up
-- Keys that people's devices keep (WebAuthn), by which they log in without a password.
CREATE TABLE passkeys (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id TEXT NOT NULL UNIQUE, -- the device's name for it, base64url
    title         TEXT NOT NULL,
    credential    BLOB NOT NULL, -- public key and sign count; sealed
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX passkeys_user_id ON passkeys (user_id, created_at);
