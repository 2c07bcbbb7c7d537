//! Why a connection or a handshake failed, in plain words.

use super::answer::sanitise;
use super::resolver::LookupError;
use super::{OciError, resolver};
use rustls::CertificateError;
use std::error::Error;
use std::io::ErrorKind;

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
pub(super) fn cause(host: &str, error: &(dyn Error + 'static)) -> Option<OciError> {
    let host_name = || host.to_owned();
    if let Some(lookup) = error.downcast_ref::<LookupError>() {
        return Some(match lookup {
            LookupError::NotFound(_) => OciError::Dns { host: host_name() },
            LookupError::Forbidden(reach) => resolver::forbidden(host, *reach),
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
pub(super) fn tls_reason(error: &rustls::Error) -> String {
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
