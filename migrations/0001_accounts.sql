-- People and sign-in. Times are Unix seconds here and in every table that doesn't say milliseconds.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner')),
    created_at INTEGER NOT NULL,
    password_changed_at INTEGER NOT NULL
) STRICT;

-- The one-time token of the first run; one row at most. Only its hash is kept.
CREATE TABLE setup_token (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    hash BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- Sessions by the hash of their id, so that a stolen database signs nobody in.
CREATE TABLE sessions (
    id_hash BLOB PRIMARY KEY,
    account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Browsers that signed in before; guesses from them are counted apart.
CREATE TABLE devices (
    token_hash BLOB PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    seen_at INTEGER NOT NULL
) STRICT;
