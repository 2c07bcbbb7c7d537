//! A server for faults that a real registry can't show: it answers what its script says, writes down what it heard, and
//! may lie, hang, cut bodies off or speak something else than HTTP.
//!
//! Speaks just enough HTTP/1.1: one request a connection.

use app::model::credential::RegistryUrl;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A self-signed certificate for `localhost`, until 2126, and its key; DER in base64. Known to everybody, good for nothing.
const CERTIFICATE: &str = "\
    MIIBrDCCAVKgAwIBAgIULGO93qcIR8bDegY9oVIzoIgoHyMwCgYIKoZIzj0EAwIwHjEcMBoGA1UEAwwTYSBsaWFyIG9mIHRoZSB0ZXN0\
    czAgFw0yNjExMjQwNjUxMTVaGA8yMTI2MTAzMTA2NTExNVowHjEcMBoGA1UEAwwTYSBsaWFyIG9mIHRoZSB0ZXN0czBZMBMGByqGSM49\
    AgEGCCqGSM49AwEHA0IABEHvrxXQTW/VHp0AVt2um6fndPPDLNBFkkgZe9bXsC5tLjIKERPcGpTvoUmSWmpaIgq36uz2muIT+kvXqI6a\
    eQSjbDBqMB0GA1UdDgQWBBSyWtKtOFgD4d2145bIhG3wCiNGgDAfBgNVHSMEGDAWgBSyWtKtOFgD4d2145bIhG3wCiNGgDAaBgNVHREE\
    EzARgglsb2NhbGhvc3SHBH8AAAEwDAYDVR0TAQH/BAIwADAKBggqhkjOPQQDAgNIADBFAiANsAAf1qJB6v5ADTt045a9vieFznjq7zER\
    DHvhowsZFAIhAK3MQBVv5Ub8qAZved2JycjocWb2gnRyAtMv/DxZJjTW";
const KEY: &str = "\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQggmADcW5gw7arySWFit923UVLSWaiW8upfKJ9ReYIrUGhRANCAARB768V\
    0E1v1R6dAFbdrpun53TzwyzQRZJIGXvW17AubS4yChET3BqU76FJklpqWiIKt+rs9priE/pL16iOmnkE";

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Heard {
    /// `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As long as `content-length` says.
    pub body: Vec<u8>,
}

impl Heard {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The `Authorization` header.
    pub fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }

    /// The path without query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// What the script answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Status, headers and body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes and no HTTP.
    Raw(Vec<u8>),
    /// A body that is announced longer than it is.
    Cut(Vec<u8>),
    /// A body of this many bytes.
    Flood(usize),
    /// Nothing, until the other side gives up.
    Hang,
}

impl Reply {
    /// A status alone.
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }

    /// JSON.
    pub fn json(status: u16, body: &str) -> Self {
        Self::Answer(status, vec![("content-type", "application/json".into())], body.into())
    }

    /// 401 with challenges, each in a header of its own.
    pub fn challenge(challenges: &[&str]) -> Self {
        let headers = challenges.iter().map(|challenge| ("www-authenticate", (*challenge).to_owned())).collect();
        Self::Answer(
            401,
            headers,
            br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#.into(),
        )
    }

    /// The same answer with one header more.
    #[must_use]
    pub fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.into()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }
}

/// The server; it ends when it is dropped.
pub struct Liar {
    address: SocketAddr,
    log: Arc<Mutex<Vec<Heard>>>,
    task: JoinHandle<()>,
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Liar {
    /// Starts one on a free port of this machine.
    pub async fn start(script: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(script, None).await
    }

    /// The same behind TLS, with a certificate that nobody trusts.
    pub async fn start_tls(script: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_tls_with(script, CERTIFICATE, KEY).await
    }

    /// The same behind TLS, with this certificate and key (DER in base64).
    pub async fn start_tls_with(
        script: impl Fn(&Heard) -> Reply + Send + Sync + 'static,
        certificate: &str,
        key: &str,
    ) -> Self {
        let bytes = |text: &str| STANDARD.decode(text).expect("base64");
        let key = rustls::pki_types::PrivateKeyDer::try_from(bytes(key)).expect("a key");
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![bytes(certificate).into()], key)
            .expect("a TLS configuration");
        Self::serve(script, Some(tokio_rustls::TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn serve(
        script: impl Fn(&Heard) -> Reply + Send + Sync + 'static,
        tls: Option<tokio_rustls::TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let log = Arc::new(Mutex::new(Vec::new()));
        let heard = log.clone();
        let script = Arc::new(script);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, heard, tls) = (script.clone(), heard.clone(), tls.clone());
                tokio::spawn(async move {
                    // A client that gives up is what some tests are about.
                    let _ = converse(stream, tls, &*script, &heard).await;
                });
            }
        });
        Self { address, log, task }
    }

    /// `127.0.0.1:<port>`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// `https://localhost:<port>`, for those behind TLS.
    pub fn secure_url(&self) -> RegistryUrl {
        format!("https://localhost:{}", self.address.port()).parse().expect("a registry's address")
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> RegistryUrl {
        format!("http://{}", self.address).parse().expect("a registry's address")
    }

    /// All requests up to now.
    pub fn heard(&self) -> Vec<Heard> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All `Authorization` headers up to now.
    pub fn authorizations(&self) -> Vec<String> {
        self.heard().iter().filter_map(|heard| heard.authorization().map(str::to_owned)).collect()
    }
}

async fn converse(
    stream: TcpStream,
    tls: Option<tokio_rustls::TlsAcceptor>,
    script: &(dyn Fn(&Heard) -> Reply + Send + Sync),
    log: &Mutex<Vec<Heard>>,
) -> std::io::Result<()> {
    match tls {
        Some(tls) => answer(tls.accept(stream).await?, script, log).await,
        None => answer(stream, script, log).await,
    }
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    script: &(dyn Fn(&Heard) -> Reply + Send + Sync),
    log: &Mutex<Vec<Heard>>,
) -> std::io::Result<()> {
    let mut head = vec![stream.read_u8().await?];
    if !head[0].is_ascii_uppercase() {
        // TLS or the like arrives at plain HTTP: said the way real servers say it.
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await?;
        return stream.shutdown().await;
    }
    while !head.ends_with(b"\r\n\r\n") && head.len() < 65_536 {
        head.push(stream.read_u8().await?);
    }
    let mut heard = parse(&String::from_utf8_lossy(&head));
    let length = heard.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0_usize);
    heard.body = vec![0; length.min(1 << 20)];
    stream.read_exact(&mut heard.body).await?;
    log.lock().unwrap_or_else(PoisonError::into_inner).push(heard.clone());
    match script(&heard) {
        Reply::Answer(status, headers, body) => {
            let mut text = format!("HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            text.push_str("\r\n");
            stream.write_all(text.as_bytes()).await?;
            if heard.method != "HEAD" {
                stream.write_all(&body).await?;
            }
        }
        Reply::Raw(bytes) => stream.write_all(&bytes).await?,
        Reply::Cut(body) => {
            let text = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len() + 100);
            stream.write_all(text.as_bytes()).await?;
            stream.write_all(&body).await?;
        }
        Reply::Flood(bytes) => {
            let text = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {bytes}\r\n\r\n");
            stream.write_all(text.as_bytes()).await?;
            let block = vec![b'x'; 65_536];
            let mut left = bytes;
            while left > 0 {
                let part = left.min(block.len());
                stream.write_all(&block[..part]).await?;
                left -= part;
            }
        }
        Reply::Hang => {
            // Ends when the other side closes.
            stream.read_u8().await?;
        }
    }
    stream.shutdown().await
}

fn parse(head: &str) -> Heard {
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers = lines.filter_map(|line| line.split_once(':'));
    Heard {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: headers.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect(),
        body: Vec::new(),
    }
}
