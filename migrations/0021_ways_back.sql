-- Whether the deployments that are kept could come up now, as last looked at; `report` is JSON, `at` Unix seconds.
CREATE TABLE readiness (
    deployment_id TEXT PRIMARY KEY REFERENCES deployments (id) ON DELETE CASCADE,
    report TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
-- The way back that paused the service.
ALTER TABLE services ADD COLUMN paused_for TEXT;
-- A deployment that failed: why (JSON, written before anything is undone), what is put back for it, and since when that runs
-- again; Unix seconds.
ALTER TABLE deployments ADD COLUMN gave_up TEXT;
ALTER TABLE deployments ADD COLUMN put_back TEXT;
ALTER TABLE deployments ADD COLUMN put_back_at INTEGER;
