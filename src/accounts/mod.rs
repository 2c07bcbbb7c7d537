//! People, sign-in, first run.
