-- +goose Up
CREATE TABLE users (
    id            TEXT COLLATE "C" PRIMARY KEY,
    login         TEXT NOT NULL,
    login_folded  TEXT COLLATE "C" NOT NULL UNIQUE, -- in lower case
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL,
    lang          TEXT NOT NULL,
    theme         TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    last_login_at BIGINT NOT NULL
);
