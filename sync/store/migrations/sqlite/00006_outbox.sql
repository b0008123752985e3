-- +goose Up

-- One row an attempt to send what a record asks for: durable before Twilio is
-- called, and settled after. Times are milliseconds since 1970, UTC; 0 is none.
CREATE TABLE outbox (
    n            INTEGER NOT NULL PRIMARY KEY,
    record       TEXT    NOT NULL,
    attempt      INTEGER NOT NULL,
    state        TEXT    NOT NULL, -- outbox.State
    version      BIGINT  NOT NULL, -- grows with every change
    reread       INTEGER NOT NULL,
    due_at       BIGINT  NOT NULL,
    tries        INTEGER NOT NULL,
    sender       TEXT    NOT NULL, -- the line it waits in
    theirs       TEXT    NOT NULL,
    token        TEXT    NOT NULL,
    since_at     BIGINT  NOT NULL, -- the first intent of which a message may exist
    intended_at  BIGINT  NOT NULL, -- the latest
    looks        INTEGER NOT NULL,
    sid          TEXT    NOT NULL,
    rejected_sid TEXT    NOT NULL,
    write_at     BIGINT,           -- when the result is to be written to the record; null: it shows it
    write_tries  INTEGER NOT NULL,
    unshown      INTEGER NOT NULL DEFAULT 0, -- 1: its record refuses to show it, and so seems to ask still
    ended_at     BIGINT  NOT NULL,
    draft        TEXT    NOT NULL, -- what the record asks for, as JSON
    outgoing     TEXT    NOT NULL, -- what Twilio is asked for, as JSON
    result       TEXT    NOT NULL, -- what the record is to show, as JSON
    UNIQUE (record, attempt)
);
CREATE INDEX outbox_open ON outbox (state, due_at, n) WHERE state IN ('new', 'ready', 'intended', 'uncertain', 'held');
CREATE INDEX outbox_ready ON outbox (sender, due_at, n) WHERE state = 'ready';
CREATE INDEX outbox_unwritten ON outbox (write_at, n) WHERE write_at IS NOT NULL;
CREATE INDEX outbox_unsettled ON outbox (theirs) WHERE since_at > 0 AND sid = '' AND rejected_sid = '';
CREATE UNIQUE INDEX outbox_sid ON outbox (sid) WHERE sid <> '';
CREATE UNIQUE INDEX outbox_rejected ON outbox (rejected_sid) WHERE rejected_sid <> '';
CREATE INDEX outbox_ended ON outbox (ended_at) WHERE ended_at > 0;

-- The tokens that status callbacks carry. An attempt that was intended again has
-- several: a callback of the first intent may still come.
CREATE TABLE outbox_tokens (
    token TEXT   NOT NULL PRIMARY KEY,
    n     BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX outbox_tokens_n ON outbox_tokens (n);

-- What each conversation has used last, of those that went on while we looked.
CREATE TABLE conversations (
    theirs  TEXT   NOT NULL PRIMARY KEY,
    ours    TEXT   NOT NULL,
    service TEXT   NOT NULL,
    at      BIGINT NOT NULL -- seconds
) WITHOUT ROWID;

-- Requests of flows. A record has one row, of its latest request.
CREATE TABLE studio_requests (
    n         INTEGER NOT NULL PRIMARY KEY,
    record    TEXT    NOT NULL UNIQUE,
    version   BIGINT  NOT NULL,
    due_at    BIGINT, -- null: nothing is to be done
    ended_at  BIGINT  NOT NULL,
    payload   TEXT    NOT NULL -- outbox.Request as JSON
);
CREATE INDEX studio_requests_due ON studio_requests (due_at) WHERE due_at IS NOT NULL;
