-- +goose Up

-- The objects whose phone numbers are known, and how far each is. Times are
-- seconds since 1970, UTC, by the org's clock for mark and by ours for the rest.
CREATE TABLE people_objects (
    object     INTEGER NOT NULL PRIMARY KEY, -- stands for the name in every row below
    name       TEXT    NOT NULL UNIQUE,
    definition TEXT    NOT NULL, -- which fields of which records, read by which country
    held       TEXT    NOT NULL, -- the definition of the last filling that was finished
    generation BIGINT  NOT NULL, -- of the last filling that was begun
    filling    INTEGER NOT NULL,
    job        TEXT    NOT NULL, -- the export under way
    locator    TEXT    NOT NULL, -- its next page
    mark       BIGINT  NOT NULL,
    checked_at BIGINT  NOT NULL,
    filled_at  BIGINT  NOT NULL,
    people     BIGINT  NOT NULL
);

-- One row a record that has numbers. An export brings ids in their order, so the
-- rows of a batch are neighbours.
CREATE TABLE people (
    object     INTEGER NOT NULL,
    record     TEXT    NOT NULL, -- its id, 18 characters
    owner      TEXT    NOT NULL,
    generation BIGINT  NOT NULL, -- of the filling that saw it last
    numbers    TEXT    NOT NULL, -- E.164 with a blank between
    PRIMARY KEY (object, record)
) WITHOUT ROWID;

-- The same numbers the other way round, by what their spellings have in common.
CREATE TABLE people_numbers (
    number BIGINT  NOT NULL,
    object INTEGER NOT NULL,
    record TEXT    NOT NULL,
    PRIMARY KEY (number, object, record)
) WITHOUT ROWID;

-- What became of the newest message to a Contact or a Lead.
CREATE TABLE last_status (
    record TEXT   NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    at     BIGINT NOT NULL, -- when the message was made
    status TEXT   NOT NULL
) WITHOUT ROWID;

-- Numbers that belong to one user of the org.
CREATE TABLE personal_numbers (
    number  BIGINT NOT NULL PRIMARY KEY,
    user_id TEXT   NOT NULL
);
