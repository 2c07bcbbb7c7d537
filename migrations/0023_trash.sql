-- Tags that were deleted and may come back. Times are Unix seconds.
CREATE TABLE trash (
    id TEXT PRIMARY KEY,
    registry_id TEXT NOT NULL REFERENCES registries (id) ON DELETE CASCADE,
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    digest TEXT NOT NULL,
    -- JSON: digests of all manifests that it led to, those that others lead to first and its own last.
    manifests TEXT NOT NULL,
    size INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    deleted_by TEXT NOT NULL,
    -- The run that deleted it.
    run_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('deleting', 'kept', 'expiring')),
    -- The digest of what was put in the tag's place so that it can be deleted; known before it is put there.
    stand_in TEXT,
    -- JSON: why it couldn't be brought back, or stays although its time is over.
    trouble TEXT,
    -- The last job that was to bring it back.
    job_id TEXT
) STRICT;
CREATE INDEX trash_by_registry ON trash (registry_id, until);
CREATE UNIQUE INDEX trash_one_deletion ON trash (registry_id, repository, tag) WHERE state = 'deleting';

-- Their manifests as the registry had them, each once for each repository.
CREATE TABLE trash_manifests (
    registry_id TEXT NOT NULL REFERENCES registries (id) ON DELETE CASCADE,
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (registry_id, repository, digest)
) STRICT;

-- What runs did. The id is the job's.
CREATE TABLE retention_runs (
    id TEXT PRIMARY KEY,
    registry_id TEXT NOT NULL REFERENCES registries (id) ON DELETE CASCADE,
    -- 0: the trash was emptied by hand.
    by_rules INTEGER NOT NULL CHECK (by_rules IN (0, 1)),
    asked_by TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    judged INTEGER NOT NULL DEFAULT 0,
    frees INTEGER NOT NULL DEFAULT 0,
    -- JSON: what couldn't be read.
    unread TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX retention_runs_by_registry ON retention_runs (registry_id, started_at);
CREATE TABLE retention_lines (
    run_id TEXT NOT NULL REFERENCES retention_runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    digest TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('deleted', 'skipped', 'expired', 'stayed')),
    note TEXT NOT NULL,
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

-- From when on the hours to the next run by schedule are counted.
CREATE TABLE retention_schedule (
    registry_id TEXT PRIMARY KEY REFERENCES registries (id) ON DELETE CASCADE,
    last_at INTEGER NOT NULL
) STRICT;
