//! One HTTP client for all registries, with limits, and the reasons why a connection fails.
//!
//! What must always hold: no redirect is followed, no proxy is taken from the environment, nothing is decompressed, every
//! request ends within its limit, and link-local addresses (cloud metadata among them) are never connected to.

use super::OciError;
use super::answer::sanitise;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::CertificateError;
use std::error::Error;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

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

/// The client behind all requests.
#[expect(clippy::disallowed_methods, reason = "this is the one client, and these are its limits")]
pub(super) fn http_client(limits: Limits) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(concat!("slipway/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .dns_resolver(Arc::new(Resolver))
        .connect_timeout(limits.connect)
        .timeout(limits.answer)
        .pool_idle_timeout(Duration::from_secs(20))
        .pool_max_idle_per_host(4)
        .build()
}

/// Whether Slipway may ever connect there: not to link-local (metadata services), unspecified or multicast addresses.
pub(super) fn may_connect(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => !(v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast()),
        IpAddr::V6(v6) => {
            let metadata = [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254];
            !(v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast() || v6.segments() == metadata)
        }
    }
}

/// Refuses addresses written as numbers; names are looked at when they are resolved.
pub(super) fn check_literal(host: &str, url: &reqwest::Url) -> Result<(), OciError> {
    let literal = match url.host() {
        Some(url::Host::Ipv4(address)) => IpAddr::V4(address),
        Some(url::Host::Ipv6(address)) => IpAddr::V6(address),
        _ => return Ok(()),
    };
    if may_connect(literal) { Ok(()) } else { Err(forbidden_address(host)) }
}

fn forbidden_address(host: &str) -> OciError {
    OciError::Unexpected {
        host: host.to_owned(),
        answer: "its address is link-local, unspecified or multicast; Slipway never connects to such addresses".into(),
    }
}

/// Looks names up and leaves out the addresses that are never connected to, so that no later answer can change that.
struct Resolver;

#[derive(Debug, thiserror::Error)]
enum LookupError {
    #[error("the name can't be resolved")]
    NotFound(#[source] std::io::Error),
    #[error("the name leads to addresses that are never connected to alone")]
    Forbidden,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(LookupError::NotFound)?;
            let allowed: Vec<SocketAddr> = found.filter(|address| may_connect(address.ip())).collect();
            if allowed.is_empty() {
                return Err(LookupError::Forbidden.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Why a request got no answer.
pub(super) fn failure(host: &str, error: &reqwest::Error) -> OciError {
    let host = host.to_owned();
    if let Some(reason) = cause(&host, error) {
        return reason;
    }
    if error.is_timeout() {
        return OciError::Timeout { host };
    }
    let mut innermost: &dyn Error = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    let words = sanitise(&innermost.to_string());
    OciError::Unexpected { host, answer: format!("the connection broke: {words}") }
}

/// Walks the chain of causes for one that says more than "error sending request".
fn cause(host: &str, error: &(dyn Error + 'static)) -> Option<OciError> {
    let host_name = || host.to_owned();
    if let Some(lookup) = error.downcast_ref::<LookupError>() {
        return Some(match lookup {
            LookupError::NotFound(_) => OciError::Dns { host: host_name() },
            LookupError::Forbidden => forbidden_address(host),
        });
    }
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(OciError::Tls { host: host_name(), reason: tls_reason(tls) });
    }
    if let Some(http) = error.downcast_ref::<hyper::Error>()
        && http.is_parse()
    {
        let reason = "what answers there isn't HTTP; if it is HTTPS, write https:// in front of the address".into();
        return Some(OciError::NotARegistry { host: host_name(), reason });
    }
    if let Some(io) = error.downcast_ref::<std::io::Error>() {
        // `source()` of an I/O error is the source of what it wraps, so what it wraps is looked at here.
        if let Some(wrapped) = io.get_ref()
            && let Some(reason) = cause(host, wrapped)
        {
            return Some(reason);
        }
        match io.kind() {
            ErrorKind::ConnectionRefused => return Some(OciError::Refused { host: host_name() }),
            ErrorKind::TimedOut => return Some(OciError::Timeout { host: host_name() }),
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                let answer = "there is no way to it through the network".into();
                return Some(OciError::Unexpected { host: host_name(), answer });
            }
            _ => {}
        }
    }
    error.source().and_then(|inner| cause(host, inner))
}

/// What is wrong with a certificate or handshake, in plain words.
fn tls_reason(error: &rustls::Error) -> String {
    let known = match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            // A bad signature: an authority of that name is known, but it isn't the one that signed.
            CertificateError::UnknownIssuer
            | CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                "an authority that this machine doesn't know signed its certificate"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate isn't valid yet; the clock of one of the two machines is wrong"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name"
            }
            CertificateError::Revoked => "its certificate was revoked",
            // webpki has no variant of its own for this, and it is what most self-signed certificates lead to.
            other if format!("{other:?}").contains("CaUsedAsEndEntity") => "its certificate is self-signed",
            other => return format!("its certificate is bad ({})", sanitise(&format!("{other:?}"))),
        },
        rustls::Error::InvalidMessage(_) => "it doesn't speak TLS; plain HTTP (or something else) answers on this port",
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(
            rustls::AlertDescription::ProtocolVersion | rustls::AlertDescription::HandshakeFailure,
        ) => "it offers neither TLS 1.2 nor 1.3 in a form that is safe today",
        other => return sanitise(&other.to_string()),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_are_never_connected_to() {
        for (address, allowed) in [
            ("169.254.169.254", false),
            ("::ffff:169.254.169.254", false),
            ("fe80::1", false),
            ("fd00:ec2::254", false),
            ("0.0.0.0", false),
            ("::", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("127.0.0.1", true),
            ("10.0.0.7", true),
            ("fd00::7", true),
            ("192.0.2.1", true),
        ] {
            let parsed: IpAddr = address.parse().expect("an address");
            assert_eq!(may_connect(parsed), allowed, "{address}");
        }
        let url = reqwest::Url::parse("https://2852039166/v2/").expect("a decimal address is an address");
        assert!(check_literal("2852039166", &url).is_err(), "169.254.169.254 in decimal was let through");
    }

    #[test]
    fn each_certificate_fault_has_its_own_words() {
        let reason = |error| tls_reason(&rustls::Error::InvalidCertificate(error));
        let all = [
            reason(CertificateError::UnknownIssuer),
            reason(CertificateError::Expired),
            reason(CertificateError::NotValidForName),
            reason(CertificateError::NotValidYet),
            reason(CertificateError::Revoked),
            tls_reason(&rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len(), "{all:?}");
        assert!(all[1].contains("expired") && all[2].contains("another name"), "{all:?}");
    }
}
