//! The Docker engine and its Swarm, through bollard. The only place that knows bollard.
