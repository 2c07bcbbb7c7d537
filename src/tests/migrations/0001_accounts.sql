INSERT INTO accounts (id, username, password_hash, role, created_at, password_changed_at)
VALUES ('acc_000000000001', 'ada', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA', 'owner', 1700000000, 1700000000);
INSERT INTO setup_token (id, hash, expires_at) VALUES (1, x'00', 1700003600);
INSERT INTO sessions (id_hash, account_id, data, created_at, seen_at, expires_at)
VALUES (x'01', 'acc_000000000001', '{}', 1700000000, 1700000000, 1700090000);
INSERT INTO sessions (id_hash, account_id, data, created_at, seen_at, expires_at)
VALUES (x'02', NULL, '{}', 1700000000, 1700000000, 1700090000);
INSERT INTO devices (token_hash, account_id, seen_at) VALUES (x'03', 'acc_000000000001', 1700000000);
