-- +goose Up

-- The org's bulk jobs that write records of ours, until their outcomes have been
-- settled: a process that is killed finds its jobs again.
CREATE TABLE bulk_jobs (
    key     TEXT   NOT NULL PRIMARY KEY, -- whose it is, and which part of it: a path
    job     TEXT   NOT NULL, -- Salesforce's id
    stage   TEXT   NOT NULL, -- how far it is, in the words of package salesforce
    kept_at BIGINT NOT NULL  -- seconds
) WITHOUT ROWID;
