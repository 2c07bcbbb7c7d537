-- How to sign in at git hosts. Tokens and private keys are sealed among the secrets.
CREATE TABLE git_accesses (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('token', 'key')),
    host TEXT NOT NULL,
    username TEXT NOT NULL,
    -- Of deploy keys, as one line.
    public_key TEXT CHECK ((kind = 'key') = (public_key IS NOT NULL)),
    -- The host's keys as JSON: those that somebody confirmed, and those that were found last.
    trusted TEXT NOT NULL DEFAULT '[]',
    found TEXT NOT NULL DEFAULT '[]',
    created_at INTEGER NOT NULL
) STRICT;
-- What a service's repository is read with; from its source, so that it can't be deleted under it.
ALTER TABLE services ADD COLUMN git_access_id TEXT REFERENCES git_accesses (id);
CREATE INDEX services_by_git_access ON services (git_access_id) WHERE git_access_id IS NOT NULL;
