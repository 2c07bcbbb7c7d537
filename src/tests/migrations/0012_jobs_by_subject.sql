INSERT INTO jobs (id, kind, payload, subject, lane, run_after, state, asked_by, created)
VALUES ('job_00000000000m', 'create_registry', '{}', 'registry:reg_00000000000m', 'swarm', 0, 'succeeded', 'owner', 0);
