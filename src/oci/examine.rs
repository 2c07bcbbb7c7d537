//! One thing at a time: what the doctor looks at before it signs in.

use super::challenge::{self, Challenge};
use super::resolver::{LookupError, check_literal, forbidden};
use super::validity::last_day;
use super::{Access, Client, OciError, answer, check, failure};
use reqwest::{Method, Request, StatusCode, Url};
use rustls::pki_types::ServerName;
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpStream;
use tokio::time::timeout;

impl Client {
    /// The addresses that the registry's name leads to and that may be reached. [`OciError::Dns`], or a forbidden address.
    pub async fn look_up(&self, access: &Access) -> Result<Vec<IpAddr>, OciError> {
        let url = access.at("/v2/")?;
        let host = access.host();
        let name = match url.host() {
            Some(url::Host::Ipv4(address)) => return Ok(vec![address.into()]),
            Some(url::Host::Ipv6(address)) => return Ok(vec![address.into()]),
            Some(url::Host::Domain(name)) => name.to_owned(),
            None => return Err(access.unexpected("its address has no host")),
        };
        let resolver = self.route(&access.trust, &host)?.resolver;
        match timeout(self.inner.limits.connect, resolver.find(&name)).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(LookupError::NotFound(_))) => Err(OciError::Dns { host }),
            Ok(Err(LookupError::Forbidden(reach))) => Err(forbidden(&host, reach)),
            Err(_) => Err(OciError::Dns { host }),
        }
    }

    /// Connects and shakes hands; for plain HTTP connects alone. What was agreed on, in words (`TLS 1.3, certificate until
    /// 2027-03-31`).
    pub async fn shake_hands(&self, access: &Access) -> Result<String, OciError> {
        let url = access.at("/v2/")?;
        let addresses = self.look_up(access).await?;
        let shake = async {
            let stream = connect(access, &url, &addresses).await?;
            if url.scheme() == "http" {
                return Ok("Plain HTTP: everybody on the way can read what is sent".to_owned());
            }
            self.encrypt(access, &url, stream).await
        };
        match timeout(self.inner.limits.connect, shake).await {
            Ok(outcome) => outcome,
            Err(_) => Err(OciError::Timeout { host: access.host() }),
        }
    }

    async fn encrypt(&self, access: &Access, url: &Url, stream: TcpStream) -> Result<String, OciError> {
        let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name =
            ServerName::try_from(name).map_err(|_| access.unexpected("its name can't stand in a certificate"))?;
        let tls = self.route(&access.trust, &access.host())?.tls;
        let shaken = tokio_rustls::TlsConnector::from(tls).connect(name, stream).await;
        let stream = shaken.map_err(|error| broken(access, &error))?;
        let (_, session) = stream.get_ref();
        let version = match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        };
        let last = session.peer_certificates().and_then(|chain| chain.first()).and_then(|first| last_day(first));
        Ok(match last {
            Some(last) => format!("{version}, certificate until {last}"),
            None => version.to_owned(),
        })
    }

    /// Asks `GET /v2/` without a password: whether a registry answers, and what sign-in it wants (`Bearer at auth.example`).
    pub async fn greet(&self, access: &Access) -> Result<String, OciError> {
        let response = self.bare(access, Request::new(Method::GET, access.at("/v2/")?)).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            check::accept(access, response).await?;
            return Ok("It answers without a sign-in".to_owned());
        }
        match challenge::choose(response.url(), response.headers()) {
            Some(Challenge::Basic) => Ok("It wants user name and password (Basic)".to_owned()),
            Some(Challenge::Bearer(bearer)) => {
                let host = answer::sanitise(bearer.realm.host_str().unwrap_or_default());
                Ok(format!("It wants a token (Bearer) of {host}"))
            }
            None => {
                let reason = "it asks for a sign-in that is neither Basic nor Bearer".into();
                Err(OciError::NotARegistry { host: access.host(), reason })
            }
        }
    }
}

/// A connection to the first address that takes one.
async fn connect(access: &Access, url: &Url, addresses: &[IpAddr]) -> Result<TcpStream, OciError> {
    check_literal(&access.host(), url, access.trust.internal)?;
    let port = url.port_or_known_default().unwrap_or(443);
    let mut last = OciError::Dns { host: access.host() };
    for address in addresses {
        match TcpStream::connect(SocketAddr::new(*address, port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = broken(access, &error),
        }
    }
    Err(last)
}

fn broken(access: &Access, error: &std::io::Error) -> OciError {
    let host = access.host();
    failure::cause(&host, error).unwrap_or_else(|| {
        let words = answer::sanitise(&error.to_string());
        OciError::Unexpected { host, answer: format!("the connection broke: {words}") }
    })
}
