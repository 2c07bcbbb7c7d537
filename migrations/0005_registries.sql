CREATE TABLE registries (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    kind TEXT NOT NULL CHECK (kind IN ('external')),
    credential_id TEXT NOT NULL REFERENCES credentials (id),
    base_path TEXT,
    is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE UNIQUE INDEX registries_one_default ON registries (is_default) WHERE is_default = 1;
CREATE INDEX registries_by_credential ON registries (credential_id);
