//! The registry client: OCI distribution specification v1.1 and the token protocol of CNCF distribution.
//!
//! Credentials go to the stored origin alone (REGISTRIES rules: realm, redirect, `Location` and `Link` are not trusted).

mod access;
mod addresses;
mod answer;
mod auth;
mod blobs;
mod call;
mod challenge;
mod check;
mod delete;
mod digest;
mod examine;
mod failure;
mod gate;
mod guarded;
mod link;
mod list;
mod look;
mod manifests;
mod problem;
mod push;
mod put;
mod realm;
mod resolver;
mod shape;
mod tokens;
mod transport;
mod uploads;
mod validity;

pub use access::{Access, Login};
pub use call::{Answer, Call, Sign};
pub use digest::of as digest_of;
pub use guarded::Guarded;
pub use list::Names;
pub use manifests::Manifest;
pub use put::Put;
pub use resolver::{Looking, Lookup};
pub use transport::{ClientError, Limits, check_ca};

use app::model::credential::Trust;
use app::model::image_ref::{Digest, Repository};
use std::sync::Arc;

/// Why a registry said no, or nothing.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// The name doesn't resolve.
    #[error("the host name {host} can't be resolved")]
    Dns {
        /// Which name.
        host: String,
    },
    /// Nobody listens there.
    #[error("{host} refuses connections")]
    Refused {
        /// Which host.
        host: String,
    },
    /// The certificate or the handshake is bad, or plain HTTP answers.
    #[error("no trusted TLS connection to {host}: {reason}")]
    Tls {
        /// Which host.
        host: String,
        /// What TLS says.
        reason: String,
    },
    /// No answer in time.
    #[error("{host} didn't answer in time")]
    Timeout {
        /// Which host.
        host: String,
    },
    /// Something else answers.
    #[error("{host} isn't a registry: {reason}")]
    NotARegistry {
        /// Which host.
        host: String,
        /// How that shows.
        reason: String,
    },
    /// User name or password is wrong.
    #[error("{host} rejects user name or password")]
    WrongCredentials {
        /// Which host.
        host: String,
        /// Its own words, sanitised, at most 200 characters.
        answer: String,
    },
    /// Signed in, but not allowed.
    #[error("{host} denies this: {answer}")]
    Denied {
        /// Which host.
        host: String,
        /// Its own words, sanitised.
        answer: String,
    },
    /// The registry asks for the password to be sent somewhere else.
    #[error("{host} asks to send the password to {realm}")]
    ForeignRealm {
        /// Which host.
        host: String,
        /// Where.
        realm: String,
    },
    /// It wants a sign-in, and there is no credential.
    #[error("{host} wants a sign-in")]
    SignIn {
        /// Which host.
        host: String,
    },
    /// It is asked too often.
    #[error("{host} wants to be asked less often")]
    RateLimited {
        /// Which host.
        host: String,
        /// So long to wait, when it says so.
        seconds: Option<u64>,
    },
    /// This registry has no such endpoint: it can't list, for example.
    #[error("{host} doesn't offer this: {answer}")]
    NotOffered {
        /// Which host.
        host: String,
        /// Its own words, sanitised.
        answer: String,
    },
    /// What it is asked at, or leads to, may not be reached with this credential.
    #[error("{host} may not be connected to: {reason}")]
    Forbidden {
        /// Which host.
        host: String,
        /// Why, in plain words.
        reason: String,
        /// Whether marking the credential as internal network allows it.
        internal_helps: bool,
    },
    /// Another status, a broken body, a digest that doesn't fit.
    #[error("{host} answered unexpectedly: {answer}")]
    Unexpected {
        /// Which host.
        host: String,
        /// Status and its own words, sanitised.
        answer: String,
    },
}

/// Talks to registries. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    /// What it calls itself; None: as usual.
    agent: Option<&'static str>,
}

struct Inner {
    limits: Limits,
    routes: transport::Routes,
    gate: gate::Gate,
    tokens: tokens::Tokens,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}

impl Client {
    /// A client with its limits: connect 5 s, answer 30 s, bodies capped, no redirects followed by itself.
    pub fn new() -> Result<Self, ClientError> {
        Self::with_limits(Limits::default())
    }

    /// A client that waits longer or shorter.
    pub fn with_limits(limits: Limits) -> Result<Self, ClientError> {
        Self::with_lookup(limits, resolver::system())
    }

    /// A client that looks names up in another way; what it finds is judged all the same.
    pub fn with_lookup(limits: Limits, lookup: Lookup) -> Result<Self, ClientError> {
        let routes = transport::Routes::new(limits, lookup);
        // Made now, so that a machine without authorities is noticed at the start.
        routes.of(&Trust::default())?;
        let (gate, tokens) = (gate::Gate::default(), tokens::Tokens::default());
        Ok(Self { inner: Arc::new(Inner { limits, routes, gate, tokens }), agent: None })
    }

    /// The same client, with the same places and tokens, under another name (its `User-Agent`).
    pub fn named(&self, agent: &'static str) -> Self {
        Self { inner: Arc::clone(&self.inner), agent: Some(agent) }
    }

    /// Pings and signs in: `GET /v2/`, the challenge, a token with empty scope or Basic. 10 s in all.
    pub async fn check(&self, access: &Access) -> Result<(), OciError> {
        match tokio::time::timeout(self.inner.limits.check, self.check_access(access)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(OciError::Timeout { host: access.host() }),
        }
    }

    /// The digest behind a tag or digest by HEAD (GET and hash when the header is missing); None: 404.
    pub async fn digest(
        &self,
        access: &Access,
        repository: &Repository,
        reference: &str,
    ) -> Result<Option<Digest>, OciError> {
        self.find_digest(access, repository, reference).await
    }

    /// Proves the right to push: opens an upload session and cancels it.
    pub async fn may_push(&self, access: &Access, repository: &Repository) -> Result<(), OciError> {
        self.try_upload(access, repository).await
    }
}
