//! The way out: one HTTP client for each kind of trust, and the one function through which every request goes.
//!
//! What must always hold: no redirect is followed, no proxy is taken from the environment, nothing is decompressed, every
//! request ends within its limit, keeps the manners of `gate.rs`, and reaches only what its trust opens.

use super::resolver::{Lookup, Resolver, check_literal};
use super::{Client, OciError, answer, failure, gate};
use app::model::credential::Trust;
use reqwest::header::{HeaderValue, USER_AGENT};
use reqwest::{Request, StatusCode, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// How long the client waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For name, connection and TLS.
    pub connect: Duration,
    /// For one request with its whole answer.
    pub answer: Duration,
    /// For a check of a credential, all requests together.
    pub check: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(30), check: Duration::from_secs(10) }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The authorities that this machine trusts can't be read, or one that was added is none.
    #[error("the certificates of authorities can't be used")]
    Authorities(#[from] rustls::Error),
    /// The HTTP client can't be made.
    #[error("the HTTP client can't be made")]
    Http(#[from] reqwest::Error),
}

/// An answer that keeps its place in the gate until it is read or dropped.
pub(super) struct Response {
    inner: reqwest::Response,
    _place: OwnedSemaphorePermit,
}

impl Deref for Response {
    type Target = reqwest::Response;

    fn deref(&self) -> &reqwest::Response {
        &self.inner
    }
}

impl DerefMut for Response {
    fn deref_mut(&mut self) -> &mut reqwest::Response {
        &mut self.inner
    }
}

/// What a request goes through: address rule and authorities.
#[derive(Clone)]
pub(super) struct Route {
    pub http: reqwest::Client,
    pub resolver: Resolver,
    pub tls: Arc<rustls::ClientConfig>,
}

/// Longest wait, in seconds, that is passed on to people and plans.
const LONGEST_WAIT: u64 = 3_600;
/// A request waits for its place as long as so many answers may take.
const QUEUE: u32 = 10;
/// At most so many private authorities have their routes kept.
const MANY: usize = 64;

/// All routes, made when they are needed.
pub(super) struct Routes {
    limits: Limits,
    lookup: Lookup,
    made: Mutex<HashMap<(bool, Option<String>), Route>>,
}

impl Routes {
    pub fn new(limits: Limits, lookup: Lookup) -> Self {
        Self { limits, lookup, made: Mutex::default() }
    }

    /// The route for a trust. Wrong authorities show here.
    pub fn of(&self, trust: &Trust) -> Result<Route, ClientError> {
        let key = (trust.internal, trust.ca.clone());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = made.get(&key) {
            return Ok(route.clone());
        }
        if made.len() >= MANY {
            made.retain(|(_, ca), _| ca.is_none());
        }
        let route = self.make(trust)?;
        made.insert(key, route.clone());
        Ok(route)
    }

    #[expect(clippy::disallowed_methods, reason = "these are the clients, and these are their limits")]
    fn make(&self, trust: &Trust) -> Result<Route, ClientError> {
        let extra = match &trust.ca {
            Some(pem) => authorities(pem).map_err(rustls::Error::General)?,
            None => Vec::new(),
        };
        let tls = tls(extra)?;
        let resolver = Resolver { lookup: self.lookup.clone(), internal: trust.internal };
        let http = reqwest::Client::builder()
            .user_agent(concat!("slipway/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .tls_backend_preconfigured(tls.clone())
            .dns_resolver(Arc::new(resolver.clone()))
            .connect_timeout(self.limits.connect)
            .timeout(self.limits.answer)
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(gate::AT_ONCE)
            .build()?;
        Ok(Route { http, resolver, tls: Arc::new(tls) })
    }
}

/// TLS 1.2 and 1.3, the system's authorities and some more.
fn tls(extra: Vec<CertificateDer<'static>>) -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider.clone())?;
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The certificates in a PEM text.
fn authorities(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut roots = rustls::RootCertStore::empty();
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let broken = "A certificate in it is damaged: copy the file again, with its BEGIN and END lines.";
        let certificate = certificate.map_err(|_| broken.to_owned())?;
        roots.add(certificate.clone()).map_err(|_| broken.to_owned())?;
        found.push(certificate);
    }
    if pem.contains("PRIVATE KEY") {
        return Err(
            "There is a private key in it. Give the authority's certificate alone, and keep the key secret.".into()
        );
    }
    match found.len() {
        0 => Err("There is no certificate in it. It starts with -----BEGIN CERTIFICATE-----.".into()),
        1..=32 => Ok(found),
        _ => {
            Err("There are more than 32 certificates in it. Give the one authority that signed the registry's.".into())
        }
    }
}

/// Whether a text is fit to be [`Trust::ca`]; what is wrong with it, in plain words.
pub fn check_ca(pem: &str) -> Result<(), String> {
    authorities(pem).map(|_| ())
}

impl Client {
    /// The way for a trust.
    pub(super) fn route(&self, trust: &Trust, host: &str) -> Result<Route, OciError> {
        self.inner.routes.of(trust).map_err(|error| OciError::Tls {
            host: host.to_owned(),
            reason: match error {
                ClientError::Authorities(rustls::Error::General(reason)) => {
                    format!("the authority's certificate that belongs to the credential can't be used ({reason})")
                }
                other => format!("{other}"),
            },
        })
    }

    /// The one function through which every request goes. A 429 is an error here, for all.
    pub(super) async fn execute(&self, trust: &Trust, host: &str, mut request: Request) -> Result<Response, OciError> {
        if let Some(agent) = self.agent {
            request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(agent));
        }
        check_url(host, request.url(), trust)?;
        let route = self.route(trust, host)?;
        let url = request.url().clone();
        let place = self.inner.gate.enter(&url, host, self.inner.limits.answer * QUEUE).await?;
        let inner = route.http.execute(request).await.map_err(|error| failure::failure(host, &error))?;
        let mut response = Response { inner, _place: place };
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            let pause = gate::retry_after(response.headers());
            self.inner.gate.close(&url, pause);
            answer::drain(&mut response).await;
            return Err(OciError::RateLimited {
                host: host.to_owned(),
                seconds: pause.map(|pause| pause.as_secs().min(LONGEST_WAIT)),
            });
        }
        Ok(response)
    }
}

/// What an address needs before anything is sent to it.
pub(super) fn check_url(host: &str, url: &Url, trust: &Trust) -> Result<(), OciError> {
    let forbidden = |reason: &str, internal_helps| {
        Err(OciError::Forbidden { host: host.to_owned(), reason: reason.to_owned(), internal_helps })
    };
    match url.scheme() {
        "https" => {}
        "http" if trust.internal => {}
        "http" => return forbidden("it is asked over plain HTTP, which everybody on the way can read", true),
        _ => return forbidden("its address is neither https:// nor http://", false),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return forbidden("its address has a user name in it", false);
    }
    check_literal(host, url, trust.internal)
}
