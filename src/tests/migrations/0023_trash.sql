INSERT INTO trash (id, registry_id, repository, tag, digest, manifests, size, deleted_at, until, deleted_by, run_id, state)
SELECT 'tra_000000000001', id, 'shop/web', '1', 'sha256:aa', '["sha256:aa"]', 100, 1700000000, 1700600000, 'ada',
       'job_000000000001', 'kept' FROM registries LIMIT 1;
INSERT INTO trash_manifests (registry_id, repository, digest, media_type, bytes)
SELECT id, 'shop/web', 'sha256:aa', 'application/vnd.oci.image.index.v1+json', x'7b7d' FROM registries LIMIT 1;
INSERT INTO retention_runs (id, registry_id, by_rules, asked_by, started_at, ended_at, judged, frees)
SELECT 'job_000000000001', id, 1, 'ada', 1700000000, 1700000010, 3, 100 FROM registries LIMIT 1;
INSERT INTO retention_lines (run_id, position, repository, tag, digest, outcome, note)
VALUES ('job_000000000001', 1, 'shop/web', '1', 'sha256:aa', 'deleted', '');
INSERT INTO retention_schedule (registry_id, last_at) SELECT id, 1700000000 FROM registries LIMIT 1;
