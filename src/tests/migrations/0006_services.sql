INSERT INTO projects (id, name, slug, created_at) VALUES ('prj_000000000001', 'Shop', 'shop', 1700000000);
INSERT INTO services (id, project_id, name, slug, source, settings, registry_id, current_deployment, created_at, changed, deleted_at)
VALUES ('srv_000000000001', 'prj_000000000001', 'web', 'web', '{}', '{}', 'reg_000000000001', 'dep_000000000001', 1700000000, 1700000000, NULL),
       ('srv_000000000002', 'prj_000000000001', 'web', 'web', '{}', '{}', NULL, NULL, 1700000000, 1700000000, 1700000500);
INSERT INTO builds (id, service_id, number, job_id, registry_id, deploys, reference, commit_sha, digest, created)
VALUES ('bld_000000000001', 'srv_000000000001', 1, 'job_000000000001', 'reg_000000000001', 1, 'registry.example.com/team/shop/web:c0ffee',
        'c0ffee', 'sha256:00', 1700000000000),
       ('bld_000000000002', 'srv_000000000001', 2, 'job_000000000002', 'reg_000000000001', 1, NULL, NULL, NULL, 1700000100000);
INSERT INTO deployments (id, service_id, number, job_id, image, registry_id, commit_sha, settings, origin, from_build, asked_by, created)
VALUES ('dep_000000000001', 'srv_000000000001', 1, 'job_000000000003', 'registry.example.com/team/shop/web@sha256:00',
        'reg_000000000001', 'c0ffee', '{}', '{}', 'bld_000000000001', 'ada', 1700000200000),
       ('dep_000000000002', 'srv_000000000001', 2, 'job_000000000003', 'registry.example.com/team/shop/web@sha256:00',
        'reg_000000000001', 'c0ffee', '{}', '{}', NULL, 'ada', 1700000300000);
