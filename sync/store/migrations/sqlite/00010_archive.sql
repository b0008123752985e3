-- +goose Up

-- Runs of the archive. Times are milliseconds since 1970, UTC.
CREATE TABLE archive_runs (
    id       TEXT    NOT NULL PRIMARY KEY,
    state    TEXT    NOT NULL, -- archive.State
    began_at BIGINT  NOT NULL,
    ended_at BIGINT  NOT NULL,
    messages BIGINT  NOT NULL,
    media    BIGINT  NOT NULL,
    gone     BIGINT  NOT NULL,
    changed  BIGINT  NOT NULL,
    refused  BIGINT  NOT NULL,
    problem  TEXT    NOT NULL
);
CREATE INDEX archive_runs_open ON archive_runs (id) WHERE state IN ('writing', 'leaving');

-- Files of runs. One without a sum was about to be written when it was last heard of.
CREATE TABLE archive_files (
    run       TEXT   NOT NULL,
    name      TEXT   NOT NULL PRIMARY KEY,
    kind      TEXT   NOT NULL, -- archive.Table
    month     TEXT   NOT NULL,
    rows      BIGINT NOT NULL,
    bytes     BIGINT NOT NULL,
    sha256    TEXT   NOT NULL,
    first_sid TEXT   NOT NULL,
    last_sid  TEXT   NOT NULL
);
CREATE INDEX archive_files_run ON archive_files (run);

-- Messages of a run that has not ended, as they were copied.
CREATE TABLE archive_copies (
    run         TEXT    NOT NULL,
    id          TEXT    NOT NULL, -- of the record
    sid         TEXT    NOT NULL,
    created_at  BIGINT  NOT NULL,
    modified_at BIGINT  NOT NULL,
    record      BLOB    NOT NULL, -- archive.Digest
    media       BLOB    NOT NULL, -- the same of its media
    standing    INTEGER NOT NULL, -- archive.Standing
    PRIMARY KEY (run, id)
) WITHOUT ROWID;
CREATE INDEX archive_copies_standing ON archive_copies (run, standing, id);

-- Records that the org did not let go.
CREATE TABLE archive_refused (
    id       TEXT   NOT NULL PRIMARY KEY,
    until_at BIGINT NOT NULL -- when it is asked again
) WITHOUT ROWID;

-- Messages that have left the org, and those that are about to: the mirror leaves
-- them alone. A message is here for as long as it is archived.
CREATE TABLE archived (
    sid        TEXT   NOT NULL PRIMARY KEY,
    run        TEXT   NOT NULL, -- in whose files it is
    created_at BIGINT NOT NULL  -- seconds
) WITHOUT ROWID;

-- The time of creation of the newest message in archived: what is newer need not
-- be looked up there.
INSERT INTO counters (name, value) VALUES ('archived', 0);
