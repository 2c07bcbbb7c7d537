-- API tokens by the hash of their text, so that a stolen database opens nothing. The text has 256 random bits, so a plain
-- hash is enough. Revoked ones stay for a while, so that whoever still has one is told why it is refused.
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    scope TEXT NOT NULL CHECK (scope IN ('read', 'everything')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX tokens_by_name ON tokens (account_id, name COLLATE NOCASE) WHERE revoked_at IS NULL;
