-- What happens when the tag of a service's image leads to a new digest.
ALTER TABLE services ADD COLUMN watch TEXT NOT NULL DEFAULT 'off' CHECK (watch IN ('off', 'notify', 'deploy'));

-- What was found out about watched tags.
CREATE TABLE watched_tags (
    service_id TEXT PRIMARY KEY REFERENCES services (id),
    -- The image by tag; another one than the service's counts for nothing.
    image TEXT NOT NULL,
    -- What the tag led to; NULL: nobody has found out yet.
    digest TEXT,
    -- The digest that was dealt with: deployed, or running when it was seen.
    handled TEXT,
    -- When the registry last answered, and when it is asked next, Unix seconds.
    looked INTEGER,
    next INTEGER NOT NULL,
    -- Looks in a row that found nothing out, and why the last one didn't.
    failures INTEGER NOT NULL DEFAULT 0,
    problem TEXT
) STRICT, WITHOUT ROWID;
