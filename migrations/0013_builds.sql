-- What is kept of a build beside its log.
-- Why it began, as JSON.
ALTER TABLE builds ADD COLUMN trigger TEXT NOT NULL DEFAULT '{"kind":"hand"}';
ALTER TABLE builds ADD COLUMN no_cache INTEGER NOT NULL DEFAULT 0 CHECK (no_cache IN (0, 1));
-- A commit that was asked for; NULL: the newest of the branch.
ALTER TABLE builds ADD COLUMN wanted_commit TEXT;
-- A branch that was asked for; NULL: the service's.
ALTER TABLE builds ADD COLUMN wanted_branch TEXT;
-- What builds it, as people call it.
ALTER TABLE builds ADD COLUMN builder TEXT;
-- The line of the log that tells why it failed.
ALTER TABLE builds ADD COLUMN telling_line INTEGER;
-- What came out, as JSON.
ALTER TABLE builds ADD COLUMN record TEXT;
