//! What can go wrong with Docker, in plain words.

use app::error::Problem;
use std::error::Error as _;
use std::io;

/// Why Docker said no, or nothing.
#[derive(Debug, thiserror::Error)]
pub enum DockerError {
    /// The configured address isn't one.
    #[error("{address:?} isn't an address of Docker; use unix:///var/run/docker.sock or tcp://host:port")]
    Address {
        /// As configured.
        address: String,
    },
    /// Nobody answers there.
    #[error("Docker can't be reached at {address}: {reason}")]
    Unreachable {
        /// As configured.
        address: String,
        /// Why, in plain words.
        reason: String,
    },
    /// Connected, but no answer in time.
    #[error("Docker at {address} didn't answer within 10 seconds; it may be overloaded or hung")]
    Timeout {
        /// As configured.
        address: String,
    },
    /// There is no such thing in the engine.
    #[error("Docker doesn't know it: {message}")]
    NotFound {
        /// Its own words.
        message: String,
    },
    /// Somebody else changed the service since it was read.
    #[error("the service was changed by somebody else at the same time")]
    OutOfSequence,
    /// Refused, with its own words.
    #[error("Docker refused: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its own words.
        message: String,
    },
    /// The answer makes no sense, or our request didn't.
    #[error("Docker's answer can't be used")]
    Unexpected(#[source] bollard::errors::Error),
}

impl DockerError {
    /// Whether the engine is away for now, and the same call may succeed later.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Timeout { .. })
    }

    /// Whether the thing asked for isn't there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// What people read.
    pub fn problem(&self) -> Problem {
        let problem = |code: &str, remedy: &str| Problem::new(code, format!("{}.", capital(&self.to_string())), remedy);
        match self {
            Self::Address { .. } => problem("docker.address", "Correct docker_host in the configuration and restart."),
            Self::Unreachable { .. } => problem("docker.unreachable", "Start Docker; Slipway notices within seconds."),
            Self::Timeout { .. } => problem("docker.timeout", "Look at the load of the machine and at Docker's log."),
            Self::NotFound { .. } => problem("docker.not_found", "Try again; if it happens again, deploy anew."),
            Self::OutOfSequence => problem("docker.out_of_sequence", "Try again."),
            Self::Refused { message, .. } => refusal(message)
                .unwrap_or_else(|| problem("docker.refused", "Correct what Docker complains about and try again.")),
            Self::Unexpected(source) => problem("docker.unexpected", "Check that Docker is version 25 or newer.")
                .with_details(source.to_string()),
        }
    }

    pub(super) fn of(address: &str, error: bollard::errors::Error) -> Self {
        use bollard::errors::Error;
        match error {
            Error::DockerResponseServerError { status_code, message } => Self::answered(status_code, message),
            Error::RequestTimeoutError => Self::Timeout { address: address.into() },
            Error::HyperLegacyError { .. } | Error::IOError { .. } | Error::HyperResponseError { .. } => {
                Self::Unreachable { address: address.into(), reason: reason(&error) }
            }
            other => Self::Unexpected(other),
        }
    }

    fn answered(status: u16, message: String) -> Self {
        let message = message.trim().to_owned();
        if message.contains("update out of sequence") {
            Self::OutOfSequence
        } else if status == 404 {
            Self::NotFound { message }
        } else {
            Self::Refused { status, message }
        }
    }
}

/// Refusals whose own words don't say what to do.
fn refusal(message: &str) -> Option<Problem> {
    let problem = if message.contains("not a swarm manager") {
        Problem::new(
            "docker.no_swarm",
            "Docker isn't the manager of a Swarm.",
            "Start Swarm mode in Settings, or connect Slipway to a manager.",
        )
        .with_link(app::paths::SETTINGS, "Open Settings")
    } else if message.contains("non-overlapping IPv4 address pool") || message.contains("address space") {
        Problem::new(
            "docker.no_addresses",
            "Docker has no addresses left for another network.",
            "Remove unused networks with docker network prune, or give the engine a larger default-address-pool.",
        )
    } else if message.contains("already in use by service") {
        Problem::new(
            "docker.port_taken",
            "A port is already published by another service of the Swarm.",
            "Publish another port, or remove the service that holds it.",
        )
    } else {
        return None;
    };
    Some(problem.with_details(message))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The innermost I/O failure in words.
fn reason(error: &bollard::errors::Error) -> String {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = match error {
        bollard::errors::Error::IOError { err } => Some(err),
        other => other.source(),
    };
    let mut last = error.to_string();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            let words = match io.kind() {
                io::ErrorKind::NotFound => "there is no such socket; is Docker installed and running?",
                io::ErrorKind::PermissionDenied => {
                    "Slipway's user may not open it; run Slipway as root or add the user to the group docker"
                }
                io::ErrorKind::ConnectionRefused => "nobody listens there; is Docker running?",
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
                    "the connection broke; Docker may be restarting"
                }
                _ => "",
            };
            if !words.is_empty() {
                return words.into();
            }
        }
        last = inner.to_string();
        cause = inner.source();
    }
    if last.contains("closed before message completed") || last.contains("connection closed") {
        return "the connection broke; Docker may be restarting".into();
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let out = DockerError::answered(500, "rpc error: code = Unknown desc = update out of sequence".into());
        assert!(matches!(out, DockerError::OutOfSequence));
        assert!(DockerError::answered(404, "service x not found".into()).is_not_found());
        let refused = DockerError::answered(409, "network is in use\n".into());
        assert_eq!(refused.to_string(), "Docker refused: network is in use");
        assert!(!refused.is_away());
    }

    #[test]
    fn a_failed_connection_says_what_to_look_at() {
        for (kind, part) in [
            (io::ErrorKind::NotFound, "no such socket"),
            (io::ErrorKind::PermissionDenied, "group docker"),
            (io::ErrorKind::ConnectionRefused, "nobody listens"),
        ] {
            let error = bollard::errors::Error::IOError { err: io::Error::new(kind, io::Error::from(kind)) };
            let text = DockerError::of("unix:///x.sock", error).to_string();
            assert!(text.contains("unix:///x.sock") && text.contains(part), "{text}");
        }
    }
}
