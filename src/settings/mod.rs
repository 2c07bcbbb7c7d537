//! What the machine can do, found by looking, and Swarm mode.
