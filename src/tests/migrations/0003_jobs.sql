INSERT INTO jobs (id, kind, payload, subject, key, lane, run_after, state, attempt, problem, asked_by, created, started, finished)
VALUES ('job_000000000001', 'build', '{"build":"bld_000000000001"}', 'service:srv_000000000001', NULL, 'build',
        1700000000000, 'succeeded', 1, NULL, 'ada', 1700000000000, 1700000001000, 1700000060000),
       ('job_000000000002', 'build', '{"build":"bld_000000000002"}', 'service:srv_000000000001', 'build:2', 'build',
        1700000000000, 'failed', 1, '{"code":"build.failed","cause":"It failed.","remedy":"Read its log.","link":null,"details":null}',
        'ada', 1700000100000, 1700000101000, 1700000160000),
       ('job_000000000003', 'deploy', '{"deployment":"dep_000000000001"}', 'service:srv_000000000001', 'deploy:1', 'swarm',
        1700000000000, 'running', 1, NULL, 'ada', 1700000200000, 1700000201000, NULL);
INSERT INTO job_steps (job_id, name, title, position, state, output, started, finished)
VALUES ('job_000000000001', 'clone', 'Clone', 1, 'done', '"c0ffee"', 1700000001000, 1700000002000),
       ('job_000000000003', 'update', 'Update the service', 1, 'running', NULL, 1700000201000, NULL);
