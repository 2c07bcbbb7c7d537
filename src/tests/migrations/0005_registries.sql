INSERT INTO registries (id, name, kind, credential_id, base_path, is_default, created_at)
VALUES ('reg_000000000001', 'Main', 'external', 'cred_000000000001', 'team', 1, 1700000000),
       ('reg_000000000002', 'Old', 'external', 'cred_000000000002', NULL, 0, 1700000000);
