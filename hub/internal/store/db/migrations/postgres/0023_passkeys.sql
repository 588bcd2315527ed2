-- +goose Up
-- Keys that people's devices keep (WebAuthn), by which they log in without a password.
CREATE TABLE passkeys (
    id            TEXT COLLATE "C" PRIMARY KEY,
    user_id       TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id TEXT COLLATE "C" NOT NULL UNIQUE, -- the device's name for it, base64url
    title         TEXT NOT NULL,
    credential    BYTEA NOT NULL, -- public key and sign count; sealed
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT NOT NULL
);
CREATE INDEX passkeys_user_id ON passkeys (user_id, created_at);
