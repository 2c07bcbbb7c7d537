//! What people read when a registry says no: cause and remedy for each [`OciError`].

use super::OciError;
use app::error::Problem;

impl OciError {
    /// Its host, as people wrote it.
    pub fn host(&self) -> &str {
        match self {
            Self::Dns { host }
            | Self::Refused { host }
            | Self::Tls { host, .. }
            | Self::Timeout { host }
            | Self::NotARegistry { host, .. }
            | Self::WrongCredentials { host, .. }
            | Self::Denied { host, .. }
            | Self::ForeignRealm { host, .. }
            | Self::SignIn { host }
            | Self::RateLimited { host, .. }
            | Self::NotOffered { host, .. }
            | Self::Forbidden { host, .. }
            | Self::Unexpected { host, .. } => host,
        }
    }

    /// Cause and remedy in plain words.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Dns { host } => Problem::new(
                "registry.dns",
                format!("The name {host} can't be resolved."),
                "Check its spelling, and whether this server's DNS knows it.",
            ),
            Self::Refused { host } => Problem::new(
                "registry.refused",
                format!("{host} refuses connections: nothing listens on that port."),
                "Check host and port, and whether the registry runs.",
            ),
            Self::Tls { host, reason } => Problem::new(
                "registry.tls",
                format!("There is no trusted TLS connection to {host}: {reason}."),
                "Check the address; if it is right, put the registry's certificate in order, or give the certificate of \
                 the authority that signed it to the credential.",
            ),
            Self::Timeout { host } => Problem::new(
                "registry.timeout",
                format!("{host} didn't answer in time."),
                "Check the address, and whether a firewall stands between this server and the registry; then try again.",
            ),
            Self::NotARegistry { host, reason } => Problem::new(
                "registry.not_a_registry",
                format!("{host} isn't a container registry: {reason}."),
                "Give the host (and port) where images are pushed to; it may differ from the web interface's.",
            ),
            Self::WrongCredentials { host, answer } => Problem::new(
                "registry.wrong_credentials",
                format!("{host} rejects the user name or the password."),
                "Check both; many registries want an access token instead of the account's password.",
            )
            .with_words(answer),
            // Some registries (GHCR) also answer a wrong token like this.
            Self::Denied { host, answer } => Problem::new(
                "registry.denied",
                format!("{host} denied the request."),
                "Check that the token is valid and may push, and that the repository's path exists there.",
            )
            .with_words(answer),
            Self::ForeignRealm { host, realm } => Problem::new(
                "registry.foreign_realm",
                format!("{host} asks to send the password to {realm}, which doesn't belong to it. It wasn't sent."),
                "Check the address; if both belong together, approve that sign-in service in the credential.",
            ),
            Self::SignIn { host } => Problem::new(
                "registry.sign_in",
                format!("{host} gives this to people who signed in alone."),
                "Create a credential for it, and choose that one.",
            ),
            Self::RateLimited { host, seconds } => Problem::new(
                "registry.rate_limited",
                format!("{host} wants to be asked less often."),
                match seconds {
                    Some(seconds) => format!("Try again in {seconds} s."),
                    None => "Wait a few minutes, then try again.".to_owned(),
                },
            ),
            Self::NotOffered { host, answer } => Problem::new(
                "registry.not_offered",
                format!("{host} doesn't offer this."),
                "Type the name instead; Slipway checks it.",
            )
            .with_words(answer),
            Self::Forbidden { host, reason, internal_helps } => Problem::new(
                "registry.forbidden_address",
                format!("Slipway didn't connect to {host}: {reason}."),
                if *internal_helps {
                    "Mark the credential as internal network if this registry is yours; else check the address."
                } else {
                    "Check the address; Slipway never connects there, whatever the credential allows."
                },
            ),
            Self::Unexpected { host, answer } => Problem::new(
                "registry.unexpected",
                format!("{host} couldn't be used: {answer}."),
                "Try again; if it stays so, look into the registry's own log.",
            ),
        }
    }
}

trait Words {
    fn with_words(self, words: &str) -> Self;
}

impl Words for Problem {
    fn with_words(self, words: &str) -> Self {
        if words.is_empty() { self } else { self.with_details(words) }
    }
}
