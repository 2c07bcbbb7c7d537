INSERT INTO credentials (id, name, url, username, problem, checked_at, created_at)
VALUES ('cred_000000000001', 'Main', 'https://registry.example.com', 'deploy', NULL, 1700000000, 1700000000),
       ('cred_000000000002', 'Old', 'http://127.0.0.1:5000', 'deploy',
        '{"code":"registry.refused","cause":"It refuses.","remedy":"Start it.","link":null,"details":null}', 1700000000, 1700000000);
INSERT INTO secrets (owner, name, sealed, set_at)
VALUES ('cred_000000000001', 'password', x'01020304', 1700000000), ('cred_000000000002', 'password', x'01020305', 1700000000);
