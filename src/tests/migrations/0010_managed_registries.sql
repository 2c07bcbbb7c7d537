INSERT INTO credentials (id, name, url, username, checked_at, created_at, internal, owned_by)
VALUES ('cred_00000000000m', 'Registry of ours', 'http://127.0.0.1:5000', 'slipway', 1700000000, 1700000000, 1, 'reg_00000000000m');
INSERT INTO registries (id, name, credential_id, base_path, is_default, platforms, created_at)
VALUES ('reg_00000000000m', 'Ours', 'cred_00000000000m', NULL, 0, '["linux/amd64"]', 1700000000);
INSERT INTO managed_registries (id, phase, port, reach, node_id, node_name, volume_created, wanted, revision, settled, settled_revision)
VALUES ('reg_00000000000m', 'running', 5000, 'host', 'n1', 'one', '2026-01-01T00:00:00Z',
        '{"image":"registry:2.8.3","domain":null,"storage":{"volume":{"name":"slipway-registry-00000000000m"}}}', 2,
        '{"image":"registry:2.8.3","domain":null,"storage":{"volume":{"name":"slipway-registry-00000000000m"}}}', 2);
INSERT INTO registry_checks (registry_id, at, ok, millis, problem)
VALUES ('reg_00000000000m', 1700000000, 1, 20, NULL), ('reg_00000000000m', 1700000060, 0, 20, 'It is down.');
INSERT INTO registry_usage (registry_id, at, repositories, tags, bytes, shared)
VALUES ('reg_00000000000m', 1700000000, 1, 2, 3, 4);
