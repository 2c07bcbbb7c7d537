INSERT INTO triggers (id, service_id, enabled, deploys, branches, paths, created_at)
VALUES ('trg_000000000001', 'srv_000000000001', 1, 1, '["main","release/*"]', '[]', 1700000000);
INSERT INTO trigger_deliveries (trigger_id, delivery, at, host, event, outcome, reason, build_id, deployment_id)
VALUES ('trg_000000000001', '72d3162e-cc78-11e3-81ab-4c9367dc0958', 1700000000000, 'GitHub', 'push', 'ignored', 'A tag.', NULL, NULL);
