INSERT INTO readiness (deployment_id, report, at) VALUES ('dep_000000000001', '{"lamp":"green","reason":"Ready.","at":1700000000}', 1700000000);
UPDATE services SET paused_for = 'dep_000000000001' WHERE id = 'srv_000000000001';
UPDATE deployments SET gave_up = '{}', put_back = 'dep_000000000001', put_back_at = 1700000000 WHERE id = 'dep_000000000002';
