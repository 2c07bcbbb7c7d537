//! Builds with real git, real buildx and a real registry. Only the services are a stand-in, which keeps what it is handed.

mod cancel;
mod deletion;
mod failures;
mod house;
mod platforms;
mod proxy;
mod restart;
mod secrets;
mod success;
mod supersede;
