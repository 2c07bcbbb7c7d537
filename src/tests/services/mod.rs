//! Services and deployments: rules on a database alone, and stories in the lab's Swarm.

mod build_settings;
mod deploy;
mod image;
mod pair;
mod restart;
mod rotation;
mod rules;
pub mod world;
