-- What may be deleted from registries.

-- Rules of a registry, or what a service keeps in addition. Policy as JSON.
CREATE TABLE retention_policies (
    registry_id TEXT UNIQUE REFERENCES registries (id) ON DELETE CASCADE,
    service_id TEXT UNIQUE REFERENCES services (id),
    policy TEXT NOT NULL,
    CHECK ((registry_id IS NULL) <> (service_id IS NULL))
) STRICT;

-- Looks at registries: all below can be read anew. Times are Unix seconds.
CREATE TABLE retention_looks (
    registry_id TEXT PRIMARY KEY REFERENCES registries (id) ON DELETE CASCADE,
    -- Of the last look that began; a whole one sweeps what it didn't see.
    generation INTEGER NOT NULL,
    -- When the last whole look began; NULL: there was none.
    as_of INTEGER
) STRICT;

CREATE TABLE retention_repositories (
    registry_id TEXT NOT NULL REFERENCES retention_looks (registry_id) ON DELETE CASCADE,
    repository TEXT NOT NULL,
    generation INTEGER NOT NULL,
    -- Why its tags couldn't be read.
    problem TEXT,
    PRIMARY KEY (registry_id, repository)
) STRICT, WITHOUT ROWID;

CREATE TABLE retention_tags (
    registry_id TEXT NOT NULL,
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    generation INTEGER NOT NULL,
    -- NULL: it couldn't be read.
    digest TEXT,
    -- Since when it has this digest, as far as was seen.
    first_seen INTEGER NOT NULL,
    PRIMARY KEY (registry_id, repository, tag),
    FOREIGN KEY (registry_id, repository) REFERENCES retention_repositories (registry_id, repository) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What stands behind a digest, which never changes: manifests and blobs with their sizes, packed (src/retention/content.rs).
CREATE TABLE retention_images (
    registry_id TEXT NOT NULL,
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('known', 'gone', 'unread')),
    content BLOB CHECK ((state = 'known') = (content IS NOT NULL)),
    PRIMARY KEY (registry_id, repository, digest),
    FOREIGN KEY (registry_id, repository) REFERENCES retention_repositories (registry_id, repository) ON DELETE CASCADE
) STRICT;
