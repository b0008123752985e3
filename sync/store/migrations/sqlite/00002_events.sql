-- +goose Up

-- The webhook's events: durable before Twilio has its answer. A row stays for a
-- while after it was folded into its message, without its payload, so that a
-- repetition is known for one.
CREATE TABLE events (
    sid         TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    error_code  INTEGER NOT NULL,
    n           BIGINT  NOT NULL, -- the order in which they came
    received_at BIGINT  NOT NULL,
    waiting     INTEGER NOT NULL, -- 1: still to be folded
    retry_at    BIGINT  NOT NULL DEFAULT 0,
    payload     TEXT,             -- the event as JSON
    PRIMARY KEY (sid, kind, status, error_code)
);
CREATE INDEX events_waiting ON events (n) WHERE waiting = 1;
CREATE INDEX events_folded ON events (received_at) WHERE waiting = 0;

-- Messages that only a webhook has told of: their rows stand under the time of
-- the receipt until Twilio's API says when they were created.
CREATE TABLE provisional (
    sid        TEXT   NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL
);

INSERT INTO counters (name, value) VALUES ('event', 0);
