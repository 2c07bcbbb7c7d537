UPDATE services SET keep = 3, paused_at = 1700000000 WHERE id = 'srv_000000000001';
UPDATE deployments SET pinned_at = 1700000000, pinned_by = 'ada' WHERE id = 'dep_000000000001';
