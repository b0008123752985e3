-- +goose Up

-- One row a run of a campaign. Times here and below are milliseconds since 1970,
-- UTC; 0 is none.
CREATE TABLE campaigns (
    n        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    record   TEXT    NOT NULL, -- a bulk message's id, or a Campaign's for a forecast
    kind     TEXT    NOT NULL, -- campaign.Kind
    version  BIGINT  NOT NULL, -- grows with every change
    status   TEXT    NOT NULL, -- campaign.Status
    due_at   BIGINT  NOT NULL, -- when something is to be done about it; 0: at once
    ended_at BIGINT  NOT NULL,
    payload  TEXT    NOT NULL, -- campaign.Run as JSON
    UNIQUE (record, kind)
);
CREATE INDEX campaigns_due ON campaigns (due_at, n);

-- One row a person of a run's audience. Numbers of rows are never used again: they
-- are part of the keys under which the org has records. What is asked for with
-- every send comes first, the text last.
CREATE TABLE recipients (
    n         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    run       BIGINT  NOT NULL,
    state     TEXT    NOT NULL, -- waiting, handed, accepted, refused, uncertain or left_out
    reason    TEXT    NOT NULL, -- campaign.Reason of those left out
    outcome   TEXT    NOT NULL DEFAULT '', -- sent, delivered, undelivered, failed or blocked
    rank      INTEGER NOT NULL DEFAULT 0,  -- of its message's status
    replied   INTEGER NOT NULL DEFAULT 0,
    due_at    BIGINT  NOT NULL,
    hands     INTEGER NOT NULL DEFAULT 0,  -- how often it was handed over: its attempt's number
    handed_at BIGINT  NOT NULL DEFAULT 0,
    sent_at   BIGINT  NOT NULL DEFAULT 0,  -- when Twilio was asked to send what it has taken
    answer    INTEGER NOT NULL DEFAULT 0,  -- the campaign member's status: 1 is Sent, 2 Responded
    told      INTEGER NOT NULL DEFAULT 0,  -- what the org was told of that
    recorded  INTEGER NOT NULL DEFAULT 0,  -- 1: those left out have their record
    sid       TEXT    NOT NULL DEFAULT '',
    phone     BIGINT  NOT NULL, -- phone.KeyOf the number
    theirs    TEXT    NOT NULL,
    object    TEXT    NOT NULL,
    person    TEXT    NOT NULL, -- a record's id
    member    TEXT    NOT NULL, -- a CampaignMember's, or ''
    last      TEXT    NOT NULL, -- their last message's status before
    text      TEXT    NOT NULL
);
CREATE UNIQUE INDEX recipients_person ON recipients (run, person, object);
CREATE UNIQUE INDEX recipients_number ON recipients (run, theirs) WHERE reason = '';
-- Counting reads nothing else.
CREATE INDEX recipients_count ON recipients (run, state, reason, outcome, replied, last);
CREATE INDEX recipients_waiting ON recipients (run, due_at, n) WHERE state = 'waiting';
CREATE INDEX recipients_handed ON recipients (run, handed_at) WHERE state = 'handed';
CREATE UNIQUE INDEX recipients_sid ON recipients (sid) WHERE sid <> '';
CREATE INDEX recipients_sent ON recipients (phone, sent_at) WHERE sid <> '';
CREATE INDEX recipients_unrecorded ON recipients (run, n) WHERE recorded = 0 AND state = 'left_out';
CREATE INDEX recipients_unanswered ON recipients (run, n) WHERE answer > told;
