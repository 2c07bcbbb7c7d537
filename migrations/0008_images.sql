-- What registries hold, as each credential sees it. All of it can be read anew; nothing in here is a secret.

-- How far the list of a credential's repositories is. The row goes with the credential, and everything below goes with it.
CREATE TABLE image_lists (
    credential_id TEXT PRIMARY KEY REFERENCES credentials (id) ON DELETE CASCADE,
    -- Of the credential: another login sees other repositories.
    version INTEGER NOT NULL,
    -- Of the last pass; a whole one sweeps rows of older ones.
    generation INTEGER NOT NULL DEFAULT 0,
    -- Of the pass under way: when it began, and where it goes on (NULL: at the beginning). Both NULL: none is under way.
    began_at INTEGER,
    cursor TEXT,
    complete_at INTEGER,
    -- When the registry was asked last, with whatever outcome.
    asked_at INTEGER,
    -- JSON: why the last pass failed.
    problem TEXT,
    -- Why this registry can't list.
    why_not TEXT
) STRICT;

CREATE TABLE image_repositories (
    credential_id TEXT NOT NULL REFERENCES image_lists (credential_id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    about TEXT,
    PRIMARY KEY (credential_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_tag_lists (
    credential_id TEXT NOT NULL REFERENCES image_lists (credential_id) ON DELETE CASCADE,
    repository TEXT NOT NULL,
    generation INTEGER NOT NULL DEFAULT 0,
    began_at INTEGER,
    cursor TEXT,
    complete_at INTEGER,
    asked_at INTEGER,
    problem TEXT,
    why_not TEXT,
    -- The least used lists go.
    used_at INTEGER NOT NULL,
    PRIMARY KEY (credential_id, repository)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_tag_lists_by_use ON image_tag_lists (used_at);

CREATE TABLE image_tags (
    credential_id TEXT NOT NULL,
    repository TEXT NOT NULL,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    digest TEXT,
    at INTEGER,
    size INTEGER,
    PRIMARY KEY (credential_id, repository, name),
    FOREIGN KEY (credential_id, repository) REFERENCES image_tag_lists (credential_id, repository) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What stands behind a digest; it never changes. Kept for each credential and repository: who may read one repository may
-- not therefore read another.
CREATE TABLE image_manifests (
    credential_id TEXT NOT NULL REFERENCES image_lists (credential_id) ON DELETE CASCADE,
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,
    -- JSON.
    details TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (credential_id, repository, digest)
) STRICT;
CREATE INDEX image_manifests_by_use ON image_manifests (used_at, bytes);
