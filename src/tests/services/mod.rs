//! Services and deployments: rules on a database alone, and stories in the lab's Swarm.

mod build_settings;
mod deploy;
mod image;
mod lamps;
mod pair;
mod restart;
mod roll_back;
mod rotation;
mod rules;
mod settings;
pub mod world;
