//! The web: listener, guard, headers, sessions, assets, streams, health.
