//! Names to addresses, and away with those that may not be connected to.
//!
//! What must always hold: a connection goes to an address that this very lookup returned and judged, so no later answer of
//! a name server can lead it elsewhere (DNS rebinding).

use super::OciError;
use super::addresses::{Reach, reach};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

/// The answer of a [`Lookup`].
pub type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// What turns a name into addresses; the system's by default. What it returns is judged all the same.
pub type Lookup = Arc<dyn Fn(String) -> Looking + Send + Sync>;

/// The system's way: `/etc/hosts`, DNS, whatever is set up.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// Looks names up under one rule.
#[derive(Clone)]
pub(super) struct Resolver {
    pub lookup: Lookup,
    /// Whether this machine and private networks may be reached.
    pub internal: bool,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum LookupError {
    #[error("the name can't be resolved")]
    NotFound(#[source] io::Error),
    #[error("the name leads to addresses that may not be connected to")]
    Forbidden(Reach),
}

impl Resolver {
    /// The addresses of a name that may be connected to; at least one.
    pub async fn find(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        let found = (self.lookup)(name.to_owned()).await.map_err(LookupError::NotFound)?;
        let (open, closed): (Vec<IpAddr>, Vec<IpAddr>) =
            found.into_iter().partition(|address| reach(*address).is_open(self.internal));
        if !open.is_empty() {
            return Ok(open);
        }
        // The one that could be opened is the more helpful reason.
        match closed.into_iter().map(reach).min() {
            Some(reach) => Err(LookupError::Forbidden(reach)),
            None => Err(LookupError::NotFound(io::Error::new(io::ErrorKind::NotFound, "no addresses"))),
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.find(name.as_str()).await?;
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// Refuses addresses written as numbers; names are judged when they are looked up.
pub(super) fn check_literal(host: &str, url: &Url, internal: bool) -> Result<(), OciError> {
    let literal = match url.host() {
        Some(url::Host::Ipv4(address)) => IpAddr::V4(address),
        Some(url::Host::Ipv6(address)) => IpAddr::V6(address),
        _ => return Ok(()),
    };
    let reach = reach(literal);
    if reach.is_open(internal) { Ok(()) } else { Err(forbidden(host, reach)) }
}

/// What people are told about an address that may not be connected to.
pub(super) fn forbidden(host: &str, reach: Reach) -> OciError {
    OciError::Forbidden {
        host: host.to_owned(),
        reason: format!("it leads to {}", reach.kind()),
        internal_helps: matches!(reach, Reach::Internal(_)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(addresses: &'static [&'static str]) -> Lookup {
        Arc::new(|_| {
            let found = addresses.iter().map(|address| address.parse().expect("an address")).collect();
            Box::pin(async move { Ok(found) })
        })
    }

    #[tokio::test]
    async fn what_may_not_be_connected_to_is_left_out() {
        let find = async |addresses, internal| Resolver { lookup: fixed(addresses), internal }.find("r.example").await;
        let shown = |found: Result<Vec<IpAddr>, LookupError>| match found {
            Ok(found) => found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(LookupError::Forbidden(reach)) => format!("{reach:?}"),
            Err(error) => error.to_string(),
        };
        let mixed = &["10.0.0.7", "1.1.1.1", "169.254.169.254", "::1"];
        assert_eq!(shown(find(mixed, false).await), "1.1.1.1");
        assert_eq!(shown(find(mixed, true).await), "10.0.0.7 1.1.1.1 ::1");
        assert_eq!(
            shown(find(&["169.254.169.254", "10.0.0.7"], false).await),
            "Internal(\"a private address\")",
            "what could be opened is named first"
        );
        assert!(shown(find(&["169.254.169.254"], true).await).starts_with("Never"));
        assert_eq!(shown(find(&[], true).await), "the name can't be resolved");
    }

    #[test]
    fn addresses_in_all_spellings_are_judged() {
        for (url, internal, allowed) in [
            ("https://2852039166/v2/", true, false), // 169.254.169.254
            ("https://0xa9fea9fe/", true, false),
            ("https://0251.0376.0251.0376/", true, false),
            ("https://[::ffff:a9fe:a9fe]/", true, false),
            ("https://2130706433/", false, false), // 127.0.0.1
            ("https://0x7f.1/", false, false),
            ("https://[::1]/", false, false),
            ("https://127.0.0.1/", true, true),
            ("https://1.1.1.1/", false, true),
            ("https://localhost/", false, true), // a name: judged when it is looked up
        ] {
            let parsed = Url::parse(url).expect("a URL");
            assert_eq!(check_literal("r.example", &parsed, internal).is_ok(), allowed, "{url} {internal}");
        }
    }
}
