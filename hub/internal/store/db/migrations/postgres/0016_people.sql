-- +goose Up
ALTER TABLE users ADD COLUMN disabled_at BIGINT NOT NULL DEFAULT 0;
-- What a person shows beside the password; sealed.
ALTER TABLE users ADD COLUMN second_factor BYTEA NOT NULL DEFAULT '';
-- Who was there before there were roles: the first one owns the hub.
UPDATE users SET role = 'owner' WHERE id = (SELECT id FROM users ORDER BY created_at, id LIMIT 1);

CREATE TABLE invitations (
    id         TEXT COLLATE "C" PRIMARY KEY,
    hash       TEXT COLLATE "C" NOT NULL UNIQUE,
    login      TEXT NOT NULL,
    role       TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Where people are signed in, so that they can see it and end it.
CREATE TABLE user_sessions (
    id         TEXT COLLATE "C" PRIMARY KEY,
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    address    TEXT NOT NULL,
    agent      TEXT NOT NULL
);
CREATE INDEX user_sessions_user_id ON user_sessions (user_id, seen_at);
