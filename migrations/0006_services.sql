CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    slug TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

-- A deleted service keeps its row, so that its history stays readable.
CREATE TABLE services (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    -- GitSource and Settings as JSON. Environment values live sealed in `secrets` (owner: the service's id, name: env).
    source TEXT NOT NULL,
    settings TEXT NOT NULL,
    registry_id TEXT REFERENCES registries (id),
    current_deployment TEXT,
    created_at INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    deleted_at INTEGER,
    version INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE UNIQUE INDEX services_by_name ON services (project_id, name COLLATE NOCASE) WHERE deleted_at IS NULL;

-- Times are Unix milliseconds. The state is that of the job.
CREATE TABLE builds (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES services (id),
    number INTEGER NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    registry_id TEXT NOT NULL,
    deploys INTEGER NOT NULL CHECK (deploys IN (0, 1)),
    reference TEXT,
    commit_sha TEXT,
    commit_subject TEXT,
    commit_author TEXT,
    digest TEXT,
    created INTEGER NOT NULL,
    UNIQUE (service_id, number)
) STRICT;
CREATE INDEX builds_by_time ON builds (created);
CREATE INDEX builds_by_job ON builds (job_id);

CREATE TABLE deployments (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES services (id),
    number INTEGER NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    -- With digest; never changes.
    image TEXT NOT NULL,
    registry_id TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    commit_subject TEXT,
    -- Settings as JSON, environment values sealed (owner: the deployment's id, name: env).
    settings TEXT NOT NULL,
    -- Origin as JSON, and the build it came from, which is deployed once.
    origin TEXT NOT NULL,
    from_build TEXT UNIQUE REFERENCES builds (id),
    asked_by TEXT NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (service_id, number)
) STRICT;
CREATE INDEX deployments_by_job ON deployments (job_id);
