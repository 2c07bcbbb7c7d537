INSERT INTO git_accesses (id, name, kind, host, username, public_key, trusted, found, created_at)
VALUES ('git_000000000001', 'Shop', 'token', 'github.com', 'x-access-token', NULL, '[]', '[]', 1700000000);
INSERT INTO git_accesses (id, name, kind, host, username, public_key, trusted, found, created_at)
VALUES ('git_000000000002', 'Deploy key', 'key', 'git.example.com:2222', '', 'ssh-ed25519 AAAA slipway',
        '[{"kind":"ssh-ed25519","key":"AAAA","fingerprint":"SHA256:x"}]', '[]', 1700000000);
UPDATE services SET git_access_id = 'git_000000000001' WHERE id = 'srv_000000000001';
