-- Durable work. Times are Unix milliseconds. The payload holds ids only, never a secret.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    subject TEXT NOT NULL,
    key TEXT,
    lane TEXT NOT NULL,
    priority INTEGER NOT NULL DEFAULT 0,
    run_after INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled', 'superseded')),
    attempt INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL DEFAULT 1,
    -- How often Slipway ended while it ran.
    crashes INTEGER NOT NULL DEFAULT 0,
    problem TEXT,
    boot TEXT,
    lease_until INTEGER,
    asked_by TEXT NOT NULL,
    created INTEGER NOT NULL,
    started INTEGER,
    finished INTEGER
) STRICT;
CREATE INDEX jobs_to_claim ON jobs (lane, state, run_after, priority);
CREATE INDEX jobs_by_time ON jobs (created);
-- One thing is changed by one job at a time.
CREATE UNIQUE INDEX jobs_one_per_subject ON jobs (subject) WHERE state IN ('running', 'cancelling');
-- Asking twice returns the first.
CREATE UNIQUE INDEX jobs_one_per_key ON jobs (key) WHERE key IS NOT NULL AND state IN ('queued', 'running', 'cancelling');

CREATE TABLE job_steps (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    output TEXT,
    cached INTEGER NOT NULL DEFAULT 0,
    started INTEGER NOT NULL,
    finished INTEGER,
    PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;
