UPDATE builds SET branch = 'main';
INSERT INTO step_times (service_id, step, took, used) SELECT service_id, 'c0ffee', 1200, 1000 FROM builds LIMIT 1;
INSERT INTO attestations (build_id, position, statement) SELECT id, 0, '{}' FROM builds;
