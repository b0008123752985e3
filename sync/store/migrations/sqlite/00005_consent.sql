-- +goose Up

-- What was said about numbers' consent, each statement once (consent.Statement).
CREATE TABLE consent_statements (
    id         TEXT    NOT NULL PRIMARY KEY, -- a message's SID, or of the org's row
    number     TEXT    NOT NULL,
    class      TEXT    NOT NULL,
    keyword    TEXT    NOT NULL, -- a record's id; '' for none, or for the number as a whole
    at         BIGINT  NOT NULL,
    active     INTEGER NOT NULL, -- this and what follows: of rows that the org shows
    in_at      BIGINT  NOT NULL,
    out_at     BIGINT  NOT NULL,
    message    TEXT    NOT NULL
);
CREATE INDEX consent_statements_number ON consent_statements (number);

-- What they come to: the register. Keyword '' is the number as a whole; where that
-- row is not active, nothing may be sent there.
CREATE TABLE consent (
    number  TEXT    NOT NULL,
    keyword TEXT    NOT NULL,
    active  INTEGER NOT NULL,
    in_at   BIGINT  NOT NULL,
    out_at  BIGINT  NOT NULL,
    message TEXT    NOT NULL, -- the SID of the one that changed it last, or ''
    PRIMARY KEY (number, keyword)
);

-- The org's keywords, so that a restart knows them before the org answers.
CREATE TABLE consent_keywords (
    id       TEXT NOT NULL PRIMARY KEY,
    word     TEXT NOT NULL,
    reply    TEXT NOT NULL,
    campaign TEXT NOT NULL
);

-- How far the register has been filled from the org: one row.
CREATE TABLE consent_filled (
    began BIGINT  NOT NULL, -- 0: not yet
    place TEXT    NOT NULL,
    done  INTEGER NOT NULL
);
INSERT INTO consent_filled (began, place, done) VALUES (0, '', 0);
