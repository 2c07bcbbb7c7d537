-- How many deployments of a service stay ready to go back to.
ALTER TABLE services ADD COLUMN keep INTEGER NOT NULL DEFAULT 10 CHECK (keep > 0);
-- Since when pushes and new digests are built but not deployed, because somebody went back; Unix seconds.
ALTER TABLE services ADD COLUMN paused_at INTEGER;
-- A deployment that is kept for ever, and who said so; Unix seconds.
ALTER TABLE deployments ADD COLUMN pinned_at INTEGER;
ALTER TABLE deployments ADD COLUMN pinned_by TEXT;
CREATE INDEX deployments_pinned ON deployments (service_id) WHERE pinned_at IS NOT NULL;
