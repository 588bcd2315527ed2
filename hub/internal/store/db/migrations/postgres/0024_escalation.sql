-- +goose Up
-- Ways by which people are told; settings are sealed, for they hold credentials.
CREATE TABLE channels (
    id          TEXT COLLATE "C" PRIMARY KEY,
    title       TEXT COLLATE "C" NOT NULL UNIQUE,
    kind        TEXT COLLATE "C" NOT NULL,
    settings    BYTEA NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    disabled_at BIGINT NOT NULL
);

-- Whoever can be told.
CREATE TABLE contacts (
    id          TEXT COLLATE "C" PRIMARY KEY,
    title       TEXT COLLATE "C" NOT NULL UNIQUE,
    user_id     TEXT COLLATE "C" NOT NULL, -- '' for somebody without an account here
    lang        TEXT NOT NULL,
    zone        TEXT NOT NULL,
    quiet_from  BIGINT NOT NULL, -- minutes of the day
    quiet_until BIGINT NOT NULL,
    takes_rest  BIGINT NOT NULL,
    addresses   BYTEA NOT NULL, -- sealed
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE TABLE escalation_policies (
    id         TEXT COLLATE "C" PRIMARY KEY,
    title      TEXT COLLATE "C" NOT NULL UNIQUE,
    rules      TEXT NOT NULL, -- JSON
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE connection_owners (
    connection_id TEXT COLLATE "C" PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    contact_id    TEXT COLLATE "C" NOT NULL
);
CREATE INDEX connection_owners_contact_id ON connection_owners (contact_id);

-- Texts that were edited; what is not here is as delivered.
CREATE TABLE message_templates (
    key        TEXT COLLATE "C" PRIMARY KEY, -- event.language.part
    text       TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- A trouble of which people are told.
CREATE TABLE escalations (
    id              TEXT COLLATE "C" PRIMARY KEY,
    event           TEXT COLLATE "C" NOT NULL,
    incident_id     TEXT COLLATE "C" NOT NULL, -- '' for one that is no incident
    service_id      TEXT COLLATE "C" NOT NULL,
    code            TEXT NOT NULL,
    message         TEXT NOT NULL,
    affected        BIGINT NOT NULL,
    connections     TEXT NOT NULL, -- JSON: ids of some of them
    opened_at       BIGINT NOT NULL,
    person_by       BIGINT NOT NULL,
    acknowledged_at BIGINT NOT NULL,
    acknowledged_by TEXT NOT NULL,
    closed_at       BIGINT NOT NULL,
    drill           BIGINT NOT NULL
);
CREATE UNIQUE INDEX escalations_incident_id ON escalations (incident_id) WHERE incident_id <> '';
CREATE INDEX escalations_opened_at ON escalations (opened_at);

CREATE TABLE deliveries (
    id            TEXT COLLATE "C" PRIMARY KEY,
    escalation_id TEXT COLLATE "C" NOT NULL REFERENCES escalations (id) ON DELETE CASCADE,
    kind          TEXT COLLATE "C" NOT NULL, -- problem, recovered
    step          BIGINT NOT NULL,
    contact_id    TEXT COLLATE "C" NOT NULL,
    channel_id    TEXT COLLATE "C" NOT NULL,
    state         TEXT COLLATE "C" NOT NULL, -- waiting, sending, sent, dead, dropped
    due_at        BIGINT NOT NULL,
    first_due_at  BIGINT NOT NULL,
    attempts      BIGINT NOT NULL,
    begun         BIGINT NOT NULL, -- sends of which nobody knows how they ended
    owner         TEXT NOT NULL,
    lease_until   BIGINT NOT NULL,
    message       BYTEA NOT NULL, -- sealed; empty until it was written
    ack_hash      TEXT COLLATE "C" NOT NULL,
    reason        TEXT NOT NULL,
    said          TEXT NOT NULL,
    reference     TEXT NOT NULL,
    sent_at       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    UNIQUE (escalation_id, contact_id, channel_id, kind)
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX deliveries_state ON deliveries (state, created_at);
CREATE UNIQUE INDEX deliveries_ack_hash ON deliveries (ack_hash) WHERE ack_hash <> '';

-- Which ends of grants people were told of.
CREATE TABLE person_told (
    connection_id TEXT COLLATE "C" NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    days          BIGINT NOT NULL,
    person_by     BIGINT NOT NULL,
    escalation_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (connection_id, days)
);
CREATE INDEX person_told_escalation_id ON person_told (escalation_id);
