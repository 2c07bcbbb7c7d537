INSERT INTO services (id, project_id, name, slug, source, settings, credential_id, current_deployment, created_at, changed)
VALUES ('srv_000000000003', 'prj_000000000001', 'gateway', 'gateway', '{"kind":"image"}', '{}', (SELECT min(id) FROM credentials),
        'dep_000000000003', 1700000000, 1700000000);
INSERT INTO deployments (id, service_id, number, job_id, image, credential_id, settings, origin, asked_by, created)
VALUES ('dep_000000000003', 'srv_000000000003', 1, 'job_000000000003', 'ghcr.io/acme/gateway:1@sha256:00',
        (SELECT min(id) FROM credentials), '{}', '{"kind":"image"}', 'ada', 1700000200000),
       ('dep_000000000004', 'srv_000000000003', 2, 'job_000000000003', 'ghcr.io/acme/gateway:1@sha256:00', NULL, '{}',
        '{"kind":"image"}', 'ada', 1700000300000);
