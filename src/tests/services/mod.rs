//! Services and deployments: rules on a database alone, and stories in the lab's Swarm.

mod deploy;
mod restart;
mod rules;
mod world;
