//! What runs in the Swarm, and its versions.
