-- What starts a service's builds and deployments from outside. The secret that signs is sealed (owner `<service>:trigger`).
CREATE TABLE triggers (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL UNIQUE REFERENCES services (id) ON DELETE CASCADE,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    deploys INTEGER NOT NULL CHECK (deploys IN (0, 1)),
    -- Patterns as JSON.
    branches TEXT NOT NULL,
    paths TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
-- What came, by the sender's own id of it: the second of one id does nothing.
CREATE TABLE trigger_deliveries (
    trigger_id TEXT NOT NULL REFERENCES triggers (id) ON DELETE CASCADE,
    delivery TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- Who sent it, and what it tells of.
    host TEXT NOT NULL,
    event TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('started', 'ignored', 'failed')),
    -- What happened and why, in words.
    reason TEXT NOT NULL,
    build_id TEXT REFERENCES builds (id) ON DELETE SET NULL,
    deployment_id TEXT REFERENCES deployments (id) ON DELETE SET NULL,
    PRIMARY KEY (trigger_id, delivery)
) STRICT, WITHOUT ROWID;
CREATE INDEX trigger_deliveries_by_time ON trigger_deliveries (trigger_id, at);
