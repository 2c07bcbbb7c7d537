-- The clean-up on nodes: its rules (JSON), and what each run did.
CREATE TABLE cleanup_rules (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    rules TEXT NOT NULL,
    changed INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT;
CREATE TABLE cleanup_runs (
    job_id TEXT PRIMARY KEY REFERENCES jobs (id),
    -- JSON; grows while it runs, so that a run that was broken off says what it did.
    report TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX cleanup_runs_by_time ON cleanup_runs (created);
