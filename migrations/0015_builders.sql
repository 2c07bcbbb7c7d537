-- What runs builds beside the engine itself: containers of BuildKit on it, and machines elsewhere. Keys are in `secrets`,
-- owner: the builder's id.
CREATE TABLE builders (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    kind TEXT NOT NULL CHECK (kind IN ('container', 'remote')),
    image TEXT NOT NULL,
    cpus INTEGER CHECK (cpus > 0),
    memory INTEGER CHECK (memory > 0),
    next_node INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE builder_nodes (
    builder_id TEXT NOT NULL REFERENCES builders (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    platform TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    PRIMARY KEY (builder_id, number),
    UNIQUE (builder_id, platform)
) STRICT, WITHOUT ROWID;
