-- Registries that Slipway runs itself: those with a row in managed_registries.
ALTER TABLE registries DROP COLUMN kind;
-- JSON: platforms that builds to it produce; empty: the one of the engine that builds.
ALTER TABLE registries ADD COLUMN platforms TEXT NOT NULL DEFAULT '[]';
-- The managed registry whose credential it is: made, changed and deleted with it.
ALTER TABLE credentials ADD COLUMN owned_by TEXT;

CREATE TABLE managed_registries (
    id TEXT PRIMARY KEY REFERENCES registries (id) ON DELETE CASCADE,
    phase TEXT NOT NULL CHECK (phase IN ('creating', 'running', 'failed', 'deleting')),
    -- It is to become the default once it runs.
    wants_default INTEGER NOT NULL DEFAULT 0 CHECK (wants_default IN (0, 1)),
    -- When it is deleted: the volume stays.
    keep_data INTEGER NOT NULL DEFAULT 0 CHECK (keep_data IN (0, 1)),
    port INTEGER NOT NULL UNIQUE CHECK (port BETWEEN 1024 AND 65535),
    reach TEXT NOT NULL CHECK (reach IN ('host', 'mesh', 'proxy')),
    -- The node that a local volume ties it to.
    node_id TEXT,
    node_name TEXT,
    -- When the engine made the volume, as it writes it: another time is another volume.
    volume_created TEXT,
    -- JSON: image, domain, storage; keys and passwords are in the vault.
    wanted TEXT NOT NULL,
    -- Counts what the Swarm is to have; it is in the names of the Swarm's secrets.
    revision INTEGER NOT NULL DEFAULT 1,
    -- The last settings that passed the probe, and their revision: where a failed change returns to.
    settled TEXT,
    settled_revision INTEGER
) STRICT;

-- What probes found; kept for a week.
CREATE TABLE registry_checks (
    registry_id TEXT NOT NULL REFERENCES registries (id) ON DELETE CASCADE,
    -- Unix seconds.
    at INTEGER NOT NULL,
    ok INTEGER NOT NULL CHECK (ok IN (0, 1)),
    millis INTEGER NOT NULL,
    -- What went wrong, in a sentence.
    problem TEXT,
    PRIMARY KEY (registry_id, at)
) STRICT, WITHOUT ROWID;

-- What was in it, counted from time to time.
CREATE TABLE registry_usage (
    registry_id TEXT NOT NULL REFERENCES registries (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    repositories INTEGER NOT NULL,
    tags INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    shared INTEGER NOT NULL,
    PRIMARY KEY (registry_id, at)
) STRICT, WITHOUT ROWID;
