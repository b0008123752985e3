-- +goose Up

-- One row a message for as long as the store lives: what is needed to tell news
-- from old. The payload, with its body, stays until Salesforce has it, while the
-- status may change, and while it is in quarantine. Times are seconds since 1970, UTC.
--
-- The key begins with the time of creation, which never changes, because walks
-- come in the order of time: a page of messages then touches a few neighbouring
-- pages of the index. SIDs alone are random, and each would touch a page of its
-- own (measured: 12 us of CPU a row instead of 5).
CREATE TABLE messages (
    created_at    BIGINT  NOT NULL,
    sid           TEXT    NOT NULL,
    fingerprint   BIGINT  NOT NULL,
    status        TEXT    NOT NULL,
    rank          INTEGER NOT NULL, -- of the status, so that the upsert itself keeps it from moving back
    updated_at    BIGINT  NOT NULL,
    at            BIGINT  NOT NULL, -- sent, else created: the order of Twilio's list
    open          INTEGER NOT NULL, -- 1: the status may still change
    seq           BIGINT,           -- the change that is to be written; null: nothing is
    waiting_since BIGINT,           -- the first change since the last settlement
    retry_at      BIGINT  NOT NULL DEFAULT 0,
    attempts      INTEGER NOT NULL DEFAULT 0,
    payload       TEXT,             -- the message as JSON
    refusal       TEXT,             -- in quarantine: why, as JSON
    PRIMARY KEY (created_at, sid)
);
CREATE INDEX messages_changed ON messages (seq, waiting_since) WHERE seq IS NOT NULL;
CREATE INDEX messages_put_off ON messages (retry_at) WHERE retry_at > 0;
CREATE INDEX messages_open ON messages (at) WHERE open = 1;
CREATE INDEX messages_open_sid ON messages (sid) WHERE open = 1;
CREATE INDEX messages_refused ON messages (sid) WHERE refusal IS NOT NULL;

-- Named numbers that only grow: the change sequence, the newest message's time.
CREATE TABLE counters (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('change', 0), ('activity', 0);

CREATE TABLE cursors (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

-- The windows of backfills, one row a UTC day.
CREATE TABLE backfill_days (
    day        BIGINT  NOT NULL,
    since      BIGINT  NOT NULL,
    until      BIGINT  NOT NULL,
    planned_at BIGINT  NOT NULL,
    done_at    BIGINT,
    seen       BIGINT  NOT NULL DEFAULT 0,
    changed    BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (day, since, until)
);

CREATE TABLE schedules (
    name     TEXT   NOT NULL PRIMARY KEY,
    spec     TEXT   NOT NULL, -- a cron expression
    next_run BIGINT NOT NULL,
    last_run BIGINT NOT NULL DEFAULT 0
);

-- Our own Salesforce API calls by hour, so that the daily budget outlives a restart.
CREATE TABLE api_usage (
    hour  BIGINT NOT NULL PRIMARY KEY, -- seconds since 1970 of the hour's start
    calls BIGINT NOT NULL
);

-- Which version wrote this schema, for the one that finds it too new.
CREATE TABLE written_by (
    version TEXT NOT NULL
);
