-- Services of images that are there already: no build, no commit, no registry of ours, perhaps a credential.

-- A stored source says its kind.
UPDATE services SET source = json_set(source, '$.kind', 'git');
-- The credential that the service's image is pulled with; NULL: built here, public, or deleted.
ALTER TABLE services ADD COLUMN credential_id TEXT REFERENCES credentials (id);
CREATE INDEX services_by_credential ON services (credential_id);

-- SQLite can't drop NOT NULL, so the table is made anew. Nothing refers to it.
CREATE TABLE deployments_new (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES services (id),
    number INTEGER NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    -- With digest; never changes.
    image TEXT NOT NULL,
    -- What Slipway built has a registry and a commit; what was there already has neither, and perhaps a credential. Neither
    -- has to exist any more: history stays.
    registry_id TEXT,
    credential_id TEXT,
    commit_sha TEXT,
    commit_subject TEXT,
    -- Settings as JSON, environment values sealed (owner: the deployment's id, name: env).
    settings TEXT NOT NULL,
    -- Origin as JSON, and the build it came from, which is deployed once.
    origin TEXT NOT NULL,
    from_build TEXT UNIQUE REFERENCES builds (id),
    asked_by TEXT NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (service_id, number),
    CHECK ((registry_id IS NULL) = (commit_sha IS NULL)),
    CHECK (registry_id IS NULL OR credential_id IS NULL)
) STRICT;
INSERT INTO deployments_new (id, service_id, number, job_id, image, registry_id, commit_sha, commit_subject, settings, origin,
                             from_build, asked_by, created)
SELECT id, service_id, number, job_id, image, registry_id, commit_sha, commit_subject, settings, origin, from_build, asked_by,
       created
  FROM deployments;
DROP TABLE deployments;
ALTER TABLE deployments_new RENAME TO deployments;
CREATE INDEX deployments_by_job ON deployments (job_id);
CREATE INDEX deployments_by_credential ON deployments (credential_id) WHERE credential_id IS NOT NULL;
