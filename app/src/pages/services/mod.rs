//! Services: what runs in the Swarm.

pub mod list;
