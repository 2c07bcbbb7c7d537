-- What a job takes a place of beside its lane, such as a builder; and how many at once each of them takes.
ALTER TABLE jobs ADD COLUMN resource TEXT;
CREATE INDEX jobs_by_resource ON jobs (resource, state) WHERE resource IS NOT NULL;
CREATE TABLE job_limits (
    resource TEXT PRIMARY KEY,
    most INTEGER NOT NULL CHECK (most > 0)
) STRICT, WITHOUT ROWID;
-- Rules that hold for all builds, as JSON; one row once somebody has set them.
CREATE TABLE build_rules (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    rules TEXT NOT NULL,
    changed INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT;
