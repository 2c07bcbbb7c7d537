INSERT INTO garbage_marks (registry_id, job_id, since) VALUES ('reg_00000000000m', 'job_000000000001', 1700000000);
INSERT INTO garbage_rules (registry_id, every_hours, below_bytes, below_percent, since)
VALUES ('reg_00000000000m', 168, 5000000000, 10, 1700000000);
INSERT INTO garbage_runs (job_id, registry_id, why, started, ended, shut, blobs, bytes)
VALUES ('job_000000000001', 'reg_00000000000m', 'asked', 1700000000, 1700000060, 1700000005, 3, 1000000);
