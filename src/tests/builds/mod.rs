//! Builds with real git, real buildx and a real registry. Only the services are a stand-in, which keeps what it is handed.

mod cache;
mod cancel;
mod caps;
mod deletion;
mod enforcer;
mod explained;
mod failures;
mod garbage;
mod gate;
pub mod house;
mod inputs;
mod names;
mod platforms;
mod proxy;
mod queue;
mod record;
mod restart;
mod retry;
pub mod secrets;
mod success;
mod supersede;
