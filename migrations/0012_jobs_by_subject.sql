-- The newest job about a registry is looked up for each one that is shown, and every few seconds by the watch.
CREATE INDEX jobs_by_subject ON jobs (subject, created);
