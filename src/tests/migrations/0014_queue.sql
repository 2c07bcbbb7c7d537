UPDATE jobs SET resource = 'builder:engine';
INSERT INTO job_limits (resource, most) VALUES ('builder:engine', 2);
INSERT INTO build_rules (id, rules, changed, changed_by) VALUES (1, '{"parallel":2,"timeout":60}', 1760000000000, 'ada');
