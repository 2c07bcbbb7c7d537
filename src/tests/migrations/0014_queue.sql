UPDATE jobs SET resource = 'builder:engine';
INSERT INTO job_limits (resource, most) VALUES ('builder:engine', 2);
