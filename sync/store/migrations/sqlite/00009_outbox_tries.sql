-- +goose Up

-- When its record was last read.
ALTER TABLE outbox ADD COLUMN read_at BIGINT NOT NULL DEFAULT 0;
-- Look-ups since the latest intent: when the first was made of the whole list, how
-- often only a part of it could be read, and when that was first so.
ALTER TABLE outbox ADD COLUMN looked_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN parts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN parted_at BIGINT NOT NULL DEFAULT 0;
-- 1: its refusal was not Twilio's answer but a failed message of Twilio's list.
ALTER TABLE outbox ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;
-- 1: the org refuses the result, which waits to be written again.
ALTER TABLE outbox ADD COLUMN write_refused INTEGER NOT NULL DEFAULT 0;
-- 1: a status callback has told of its message, which the mirror may have written as
-- nobody's: it is to be written once more when Twilio's API shows it.
ALTER TABLE outbox ADD COLUMN retell INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_listed ON outbox (theirs) WHERE listed = 1;
CREATE INDEX outbox_write_refused ON outbox (n) WHERE write_refused = 1;
CREATE INDEX outbox_retell ON outbox (sid) WHERE retell = 1;

-- Tries that Twilio has refused, of attempts that were tried again. Twilio lists each
-- as a failed message. A table and not a column: an attempt may have hundreds.
CREATE TABLE outbox_refused (
    id       INTEGER NOT NULL PRIMARY KEY,
    n        BIGINT  NOT NULL, -- the attempt
    at       BIGINT  NOT NULL, -- of the intent, in milliseconds
    theirs   TEXT    NOT NULL,
    code     INTEGER NOT NULL,
    sid      TEXT    NOT NULL, -- of the failed message; '' until it was seen
    outgoing TEXT    NOT NULL  -- what Twilio was asked for, as JSON
);
CREATE INDEX outbox_refused_n ON outbox_refused (n);
CREATE INDEX outbox_refused_open ON outbox_refused (theirs, code, at) WHERE sid = '';
CREATE UNIQUE INDEX outbox_refused_sid ON outbox_refused (sid) WHERE sid <> '';

ALTER TABLE studio_requests ADD COLUMN write_refused INTEGER NOT NULL DEFAULT 0;
