//! Webhooks and the deploy hook, at the real router, with the payloads that the hosts document. Jobs don't run here: what is
//! counted is what is queued.

mod deploy_hook;
mod filters;
mod house;
mod webhooks;
