//! People, sign-in, first run.

mod first_run;
mod sessions;
mod sign_in;
