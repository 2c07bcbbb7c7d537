INSERT INTO image_lists (credential_id, version, generation, began_at, cursor, complete_at, asked_at, problem, why_not)
VALUES ('cred_000000000001', 1, 3, 1700000100, '/v2/_catalog?n=1000&last=shop%2Fweb', 1700000000, 1700000000, NULL, NULL),
       ('cred_000000000002', 1, 1, NULL, NULL, NULL, 1700000000, NULL, 'It doesn''t list.');
INSERT INTO image_repositories (credential_id, name, generation, about)
VALUES ('cred_000000000001', 'shop/web', 3, NULL), ('cred_000000000001', 'shop/worker', 2, 'Works.');
INSERT INTO image_tag_lists (credential_id, repository, generation, complete_at, asked_at, used_at)
VALUES ('cred_000000000001', 'shop/web', 1, 1700000000, 1700000000, 1700000000);
INSERT INTO image_tags (credential_id, repository, name, generation, digest, at, size)
VALUES ('cred_000000000001', 'shop/web', '1.0', 1, 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1700000000, 12),
       ('cred_000000000001', 'shop/web', 'latest', 1, NULL, NULL, NULL);
INSERT INTO image_manifests (credential_id, repository, digest, details, bytes, used_at)
VALUES ('cred_000000000001', 'shop/web', 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '{}', 2, 1700000000);
