INSERT INTO builders (id, name, kind, image, cpus, memory, created_at)
VALUES ('bdr_000000000000', 'Beside', 'container', 'docker.io/moby/buildkit:buildx-stable-1', 1500, 2048, 5),
       ('bdr_000000000001', 'Elsewhere', 'remote', 'docker.io/moby/buildkit:buildx-stable-1', NULL, NULL, 6);
INSERT INTO builder_nodes (builder_id, number, platform, endpoint)
VALUES ('bdr_000000000001', 0, 'linux/arm64', 'ssh://ada@arm.example.com');
