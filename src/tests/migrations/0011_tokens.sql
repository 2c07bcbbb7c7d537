INSERT INTO tokens (id, account_id, name, hash, scope, created_at, expires_at, used_at, revoked_at)
VALUES ('tok_000000000001', 'acc_000000000001', 'ci', zeroblob(32), 'everything', 1700000000, NULL, 1700000060, NULL);
INSERT INTO tokens (id, account_id, name, hash, scope, created_at, expires_at, used_at, revoked_at)
VALUES ('tok_000000000002', 'acc_000000000001', 'CI', randomblob(32), 'read', 1700000000, 1700086400, NULL, 1700000100);
