//! The way to the engine: one connection per call over a Unix socket or TCP.
//!
//! It repairs a defect of bollard 0.21: `X-Registry-Auth` is written in base64's standard alphabet, but the engine
//! decodes the URL alphabet (moby `api/types/registry/authconfig.go`) and takes an undecodable header for *no
//! credentials*, so that pulls fail with some passwords only. Delete the repair when bollard encodes it right; the test
//! below will say so.

use super::{DockerError, LIMIT};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bollard::{API_DEFAULT_VERSION, BollardRequest};
use http::{HeaderMap, HeaderValue, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use hyperlocal::UnixConnector;

/// A client for `unix:///path` or `tcp://host:port`.
pub(super) fn client(address: &str) -> Result<bollard::Docker, DockerError> {
    let bad = || DockerError::Address { address: address.to_owned() };
    if let Some(path) = address.strip_prefix("unix://") {
        if !path.starts_with('/') {
            return Err(bad());
        }
        let path = path.to_owned();
        return over(UnixConnector, move |path_and_query| hyperlocal::Uri::new(&path, path_and_query).into());
    }
    let host = address.strip_prefix("tcp://").or_else(|| address.strip_prefix("http://")).ok_or_else(bad)?;
    let authority: http::uri::Authority = host.trim_end_matches('/').parse().map_err(|_| bad())?;
    if authority.port_u16().is_none() {
        return Err(bad());
    }
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(LIMIT));
    over(connector, move |path_and_query| {
        let uri = Uri::builder().scheme("http").authority(authority.clone()).path_and_query(path_and_query).build();
        uri.unwrap_or_default()
    })
}

fn over<C>(connector: C, place: impl Fn(&str) -> Uri + Send + Sync + 'static) -> Result<bollard::Docker, DockerError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    // No idle connections: after a restart of the daemon a kept one would fail the next call.
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
    let send = move |mut request: BollardRequest| {
        repair_auth(request.headers_mut());
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = place(path);
        let answer = client.request(request);
        async move { answer.await.map_err(bollard::errors::Error::from) }
    };
    bollard::Docker::connect_with_custom_transport(send, Some("http://docker"), LIMIT.as_secs(), API_DEFAULT_VERSION)
        .map_err(DockerError::Unexpected)
}

fn repair_auth(headers: &mut HeaderMap) {
    for name in ["x-registry-auth", "x-registry-config"] {
        let Some(json) = headers.get(name).and_then(|value| STANDARD.decode(value.as_bytes()).ok()) else { continue };
        if let Ok(mut value) = HeaderValue::from_str(&URL_SAFE.encode(json)) {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::{Docker, PullLogin, Spec};
    use app::model::secret::Secret;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// What the engine receives is what it can decode, for a password whose base64 has `+` and `/`.
    #[tokio::test]
    async fn registry_credentials_arrive_in_the_alphabet_that_the_engine_decodes() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("docker.sock");
        let listener = tokio::net::UnixListener::bind(&socket).expect("a socket");
        let engine = async {
            let (mut stream, _) = listener.accept().await.expect("a call");
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                assert_ne!(stream.read_buf(&mut head).await.expect("bytes"), 0, "the head is complete");
            }
            let answer = b"HTTP/1.1 201 Created\r\ncontent-length: 10\r\nconnection: close\r\n\r\n{\"ID\":\"x\"}";
            stream.write_all(answer).await.expect("answered");
            String::from_utf8(head).expect("text")
        };
        let password = "abc~~~?>>>ü";
        let docker = Docker::connect(&format!("unix://{}", socket.display())).expect("an address");
        let login =
            PullLogin { server: "127.0.0.1:5000".into(), username: "u".into(), password: Secret::new(password.into()) };
        let spec = Spec::sample();
        let (head, created) = tokio::join!(engine, docker.create_service(&spec, Some(&login)));
        created.expect("the service is created");
        let header = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().starts_with("x-registry-auth:").then(|| line[16..].trim()))
            .expect("the header is sent");
        assert!(!header.contains(['+', '/']), "{header}");
        let json: serde_json::Value =
            serde_json::from_slice(&URL_SAFE.decode(header).expect("the engine's alphabet")).expect("JSON");
        assert_eq!(json["password"], password);
        assert_eq!(json["serveraddress"], "127.0.0.1:5000");
        assert!(head.starts_with("POST /services/create HTTP/1.1"), "{head}");
    }

    #[test]
    fn the_repair_is_needed_for_this_very_password() {
        let json = r#"{"username":"u","password":"abc~~~?>>>ü"}"#;
        assert!(STANDARD.encode(json).contains(['+', '/']), "choose a password that shows the defect");
    }

    #[test]
    fn only_sockets_and_tcp_addresses_are_taken() {
        for good in ["unix:///var/run/docker.sock", "tcp://10.0.0.1:2375", "tcp://[::1]:2375"] {
            assert!(client(good).is_ok(), "{good}");
        }
        for bad in ["", "ssh://host", "unix://relative.sock", "tcp://host", "/var/run/docker.sock", "npipe:////./x"] {
            assert!(matches!(client(bad), Err(DockerError::Address { .. })), "{bad}");
        }
    }
}
