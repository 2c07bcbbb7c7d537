-- The branch that a build's commit was found on.
ALTER TABLE builds ADD COLUMN branch TEXT;

-- How long a step of a service's Dockerfile took when it last ran: what the cache saves later. The step is a hash of its
-- text, which may hold what nobody should read.
CREATE TABLE step_times (
    service_id TEXT NOT NULL REFERENCES services (id),
    step TEXT NOT NULL,
    -- Milliseconds.
    took INTEGER NOT NULL CHECK (took >= 0),
    -- When a build last had this step, Unix milliseconds.
    used INTEGER NOT NULL,
    PRIMARY KEY (service_id, step)
) STRICT, WITHOUT ROWID;

-- Statements that were pushed with an image, as they came; the record of the build lists them in the same order.
CREATE TABLE attestations (
    build_id TEXT NOT NULL REFERENCES builds (id),
    position INTEGER NOT NULL,
    statement TEXT NOT NULL,
    PRIMARY KEY (build_id, position)
) STRICT;
