-- +goose Up
-- Ways by which people are told; settings are sealed, for they hold credentials.
CREATE TABLE channels (
    id          TEXT PRIMARY KEY,
    title       TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    settings    BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    disabled_at INTEGER NOT NULL
) STRICT;

-- Whoever can be told.
CREATE TABLE contacts (
    id          TEXT PRIMARY KEY,
    title       TEXT NOT NULL UNIQUE,
    user_id     TEXT NOT NULL, -- '' for somebody without an account here
    lang        TEXT NOT NULL,
    zone        TEXT NOT NULL,
    quiet_from  INTEGER NOT NULL, -- minutes of the day
    quiet_until INTEGER NOT NULL,
    takes_rest  INTEGER NOT NULL,
    addresses   BLOB NOT NULL, -- sealed
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE escalation_policies (
    id         TEXT PRIMARY KEY,
    title      TEXT NOT NULL UNIQUE,
    rules      TEXT NOT NULL, -- JSON
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE connection_owners (
    connection_id TEXT PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    contact_id    TEXT NOT NULL
) STRICT;
CREATE INDEX connection_owners_contact_id ON connection_owners (contact_id);

-- Texts that were edited; what is not here is as delivered.
CREATE TABLE message_templates (
    key        TEXT PRIMARY KEY, -- event.language.part
    text       TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- A trouble of which people are told.
CREATE TABLE escalations (
    id              TEXT PRIMARY KEY,
    event           TEXT NOT NULL,
    incident_id     TEXT NOT NULL, -- '' for one that is no incident
    service_id      TEXT NOT NULL,
    code            TEXT NOT NULL,
    message         TEXT NOT NULL,
    affected        INTEGER NOT NULL,
    connections     TEXT NOT NULL, -- JSON: ids of some of them
    opened_at       INTEGER NOT NULL,
    person_by       INTEGER NOT NULL,
    acknowledged_at INTEGER NOT NULL,
    acknowledged_by TEXT NOT NULL,
    closed_at       INTEGER NOT NULL,
    drill           INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX escalations_incident_id ON escalations (incident_id) WHERE incident_id <> '';
CREATE INDEX escalations_opened_at ON escalations (opened_at);

CREATE TABLE deliveries (
    id            TEXT PRIMARY KEY,
    escalation_id TEXT NOT NULL REFERENCES escalations (id) ON DELETE CASCADE,
    kind          TEXT NOT NULL, -- problem, recovered
    step          INTEGER NOT NULL,
    contact_id    TEXT NOT NULL,
    channel_id    TEXT NOT NULL,
    state         TEXT NOT NULL, -- waiting, sending, sent, dead, dropped
    due_at        INTEGER NOT NULL,
    first_due_at  INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    begun         INTEGER NOT NULL, -- sends of which nobody knows how they ended
    owner         TEXT NOT NULL,
    lease_until   INTEGER NOT NULL,
    message       BLOB NOT NULL, -- sealed; empty until it was written
    ack_hash      TEXT NOT NULL,
    reason        TEXT NOT NULL,
    said          TEXT NOT NULL,
    reference     TEXT NOT NULL,
    sent_at       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    UNIQUE (escalation_id, contact_id, channel_id, kind)
) STRICT;
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX deliveries_state ON deliveries (state, created_at);
CREATE UNIQUE INDEX deliveries_ack_hash ON deliveries (ack_hash) WHERE ack_hash <> '';

-- Which ends of grants people were told of.
CREATE TABLE person_told (
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    days          INTEGER NOT NULL,
    person_by     INTEGER NOT NULL,
    escalation_id TEXT NOT NULL,
    PRIMARY KEY (connection_id, days)
) STRICT;
CREATE INDEX person_told_escalation_id ON person_told (escalation_id);
