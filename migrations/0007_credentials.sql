-- Whose rules a registry follows, and what is trusted on the way there.
ALTER TABLE credentials ADD COLUMN provider TEXT NOT NULL DEFAULT 'generic';
-- JSON: owners, groups or projects whose repositories are listed.
ALTER TABLE credentials ADD COLUMN namespaces TEXT NOT NULL DEFAULT '[]';
-- Private addresses and plain HTTP are allowed. What was reached up to now stays within reach.
ALTER TABLE credentials ADD COLUMN internal INTEGER NOT NULL DEFAULT 0 CHECK (internal IN (0, 1));
ALTER TABLE credentials ADD COLUMN ca TEXT;
ALTER TABLE credentials ADD COLUMN realm TEXT;
-- YYYY-MM-DD.
ALTER TABLE credentials ADD COLUMN expires_on TEXT;
-- The lights of the last examination as JSON; NULL: never examined in full.
ALTER TABLE credentials ADD COLUMN report TEXT;

UPDATE credentials SET provider = CASE
    WHEN url = 'https://docker.io' THEN 'docker-hub'
    WHEN url = 'https://ghcr.io' THEN 'ghcr'
    WHEN url = 'https://quay.io' THEN 'quay'
    WHEN url = 'https://registry.digitalocean.com' THEN 'digital-ocean'
    WHEN url = 'https://registry.gitlab.com' THEN 'gitlab'
    WHEN url LIKE 'https://%-docker.pkg.dev' THEN 'google-artifact'
    WHEN url LIKE 'https://%.azurecr.io' THEN 'acr'
    WHEN url LIKE 'https://%.dkr.ecr.%.amazonaws.com%' THEN 'ecr'
    ELSE 'generic' END;
UPDATE credentials SET internal = 1 WHERE provider = 'generic';
