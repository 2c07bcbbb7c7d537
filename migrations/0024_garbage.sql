-- Registries whose garbage is being collected: nothing of ours is pushed there until the row is gone.
CREATE TABLE garbage_marks (
    registry_id TEXT PRIMARY KEY REFERENCES registries (id) ON DELETE CASCADE,
    -- The job that collects.
    job_id TEXT NOT NULL,
    -- Unix seconds.
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When garbage is collected by itself; no row: when somebody asks.
CREATE TABLE garbage_rules (
    registry_id TEXT PRIMARY KEY REFERENCES registries (id) ON DELETE CASCADE,
    every_hours INTEGER CHECK (every_hours > 0),
    -- When less is free where the images are.
    below_bytes INTEGER CHECK (below_bytes > 0),
    below_percent INTEGER CHECK (below_percent BETWEEN 1 AND 90),
    -- When somebody set it, Unix seconds; the hours count from then.
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was collected when; how a run ended is with its job.
CREATE TABLE garbage_runs (
    job_id TEXT PRIMARY KEY,
    registry_id TEXT NOT NULL REFERENCES registries (id) ON DELETE CASCADE,
    -- 'asked', 'schedule' or 'space'.
    why TEXT NOT NULL,
    -- Unix seconds.
    started INTEGER NOT NULL,
    ended INTEGER,
    -- From then on nothing could be pushed.
    shut INTEGER,
    -- Blobs that were deleted, and what came free; NULL: it couldn't be seen.
    blobs INTEGER,
    bytes INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX garbage_runs_by_registry ON garbage_runs (registry_id, started);
