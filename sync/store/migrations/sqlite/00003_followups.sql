-- +goose Up

-- 1: the org holds the message, so its record's owner, links and marks are the
-- users' own from then on.
ALTER TABLE messages ADD COLUMN written INTEGER NOT NULL DEFAULT 0;
-- What an earlier version wrote cannot be told from what it did not: it is taken as written.
UPDATE messages SET written = 1 WHERE seq IS NULL AND refusal IS NULL;

-- Small writes to the org that follow from messages. A row is the whole state of
-- what its kind and key name.
CREATE TABLE followups (
    kind     TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    n        BIGINT  NOT NULL, -- a newer state has another
    retry_at BIGINT  NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    payload  TEXT    NOT NULL, -- the follow-up as JSON
    PRIMARY KEY (kind, key)
);
CREATE INDEX followups_due ON followups (kind, retry_at, n);

INSERT INTO counters (name, value) VALUES ('followup', 0);
