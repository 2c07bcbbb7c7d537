INSERT INTO retention_policies (registry_id, policy) VALUES ('reg_000000000001', '{"keep_last":10,"trash_days":7}');
INSERT INTO retention_policies (service_id, policy) VALUES ('srv_000000000001', '{"keep_matching":["v*"]}');
INSERT INTO retention_looks (registry_id, generation, as_of) VALUES ('reg_000000000001', 2, 1700000000);
INSERT INTO retention_repositories (registry_id, repository, generation) VALUES ('reg_000000000001', 'team/shop/web', 2);
INSERT INTO retention_tags (registry_id, repository, tag, generation, digest, first_seen)
VALUES ('reg_000000000001', 'team/shop/web', 'c0ffee', 2, NULL, 1700000000);
INSERT INTO retention_images (registry_id, repository, digest, generation, state, content)
VALUES ('reg_000000000001', 'team/shop/web', 'sha256:00', 2, 'unread', NULL);
