//! The lab's registry behind a door that refuses pushes to some paths, as a provider does. Everything else passes.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Status and body of a refusal.
pub type Refusal = (u16, String);

pub struct Enforcer {
    /// `127.0.0.1:<port>`.
    pub address: String,
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Enforcer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Enforcer {
    /// `rule`: why nothing may be pushed to a repository.
    pub async fn start(to: &str, rule: impl Fn(&str) -> Option<Refusal> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (to, rule, log) = (to.to_owned(), Arc::new(rule), Arc::clone(&heard));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (to, rule, log) = (to.clone(), Arc::clone(&rule), Arc::clone(&log));
                tokio::spawn(async move {
                    // Whoever gives up in the middle is no failure of the door.
                    let _ = converse(stream, &to, &*rule, &log).await;
                });
            }
        });
        Self { address, heard, task }
    }

    /// `POST /v2/acme/shop/blobs/uploads/`: all signed-in writes so far, without query.
    pub fn writes(&self) -> Vec<String> {
        self.heard.lock().expect("a lock").clone()
    }
}

/// An error as registries write it.
pub fn error(status: u16, code: &str, message: &str) -> Option<Refusal> {
    let body = serde_json::json!({ "errors": [{ "code": code, "message": message }] });
    Some((status, body.to_string()))
}

async fn converse(
    mut inner: TcpStream,
    to: &str,
    rule: &(dyn Fn(&str) -> Option<Refusal> + Send + Sync),
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = vec![inner.read_u8().await?];
    if !head[0].is_ascii_uppercase() {
        // BuildKit tries TLS first; said the way real servers say that there is none.
        inner.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await?;
        return inner.shutdown().await;
    }
    while !head.ends_with(b"\r\n\r\n") && head.len() < 65_536 {
        head.push(inner.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.trim_end().lines();
    let first = lines.next().unwrap_or_default();
    let headers: Vec<&str> = lines.filter(|line| !line.to_ascii_lowercase().starts_with("connection:")).collect();
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let is_signed_in = headers.iter().any(|line| line.to_ascii_lowercase().starts_with("authorization:"));
    if is_signed_in && !matches!(method, "GET" | "HEAD") {
        log.lock().expect("a lock").push(format!("{method} {path}"));
        let repository = path.strip_prefix("/v2/").and_then(|rest| {
            rest.split_once("/blobs/").or_else(|| rest.split_once("/manifests/")).map(|(name, _)| name)
        });
        if let Some((status, body)) = repository.and_then(rule) {
            let answer = format!(
                "HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            inner.write_all(answer.as_bytes()).await?;
            return inner.shutdown().await;
        }
    }
    // One request a connection, so that each one is looked at. The host stays: answers lead back through the door.
    let mut outer = TcpStream::connect(to).await?;
    let request = format!("{first}\r\n{}\r\nConnection: close\r\n\r\n", headers.join("\r\n"));
    outer.write_all(request.as_bytes()).await?;
    tokio::io::copy_bidirectional(&mut inner, &mut outer).await.map(|_| ())
}
