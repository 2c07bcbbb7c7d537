//! Builds with real git, real buildx and a real registry. Only the services are a stand-in, which keeps what it is handed.

mod cancel;
mod caps;
mod deletion;
mod enforcer;
mod failures;
mod gate;
mod house;
mod names;
mod platforms;
mod proxy;
mod queue;
mod restart;
mod retry;
mod secrets;
mod success;
mod supersede;
