INSERT INTO cleanup_rules (id, rules, changed, changed_by) VALUES (1, '{"keep_last":5,"every_hours":24}', 1760000000000, 'ada');
INSERT INTO cleanup_runs (job_id, report, created) SELECT id, '{}', 1760000000000 FROM jobs LIMIT 1;
