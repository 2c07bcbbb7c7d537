//! A server whose script sees whole requests, bodies too, and writes down all it heard.

use app::model::credential::RegistryUrl;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Heard {
    /// `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: http::HeaderMap,
    pub body: String,
}

impl Heard {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap_or("bytes that are no text"))
    }

    pub fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// An answer.
pub struct Reply(http::response::Builder, String);

impl Reply {
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self(Response::builder().status(status).header("content-type", "application/json"), body.into())
    }

    pub fn status(status: u16) -> Self {
        Self(Response::builder().status(status), String::new())
    }

    pub fn html(status: u16) -> Self {
        Self(Response::builder().status(status).header("content-type", "text/html"), "<h1>no</h1>".into())
    }

    pub fn challenge(challenges: &[&str]) -> Self {
        let errors = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
        challenges.iter().fold(Self::json(401, errors), |reply, one| reply.with("www-authenticate", *one))
    }

    #[must_use]
    pub fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        Self(self.0.header(name, value.into()), self.1)
    }
}

/// The server; it ends when it is dropped.
pub struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Vec<Heard>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub async fn start(script: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (heard, script) = (log.clone(), Arc::new(script));
        let answer = move |request: Request| {
            let (heard, script) = (heard.clone(), script.clone());
            async move {
                let (head, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
                let request = Heard {
                    method: head.method.to_string(),
                    target: head.uri.to_string(),
                    headers: head.headers,
                    body: String::from_utf8_lossy(&body).into_owned(),
                };
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
                let Reply(builder, body) = script(&request);
                builder.body(Body::from(body)).expect("an answer")
            }
        };
        let router = Router::new().fallback(answer);
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves until it is dropped");
        });
        Self { address, log, task }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn url(&self) -> RegistryUrl {
        self.origin().parse().expect("a registry's address")
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Path and query of all requests up to now.
    pub fn targets(&self) -> Vec<String> {
        self.heard().into_iter().map(|heard| heard.target).collect()
    }

    /// Whether a text came in any header, address or body.
    pub fn heard_of(&self, text: &str) -> bool {
        self.heard().iter().any(|heard| {
            heard.target.contains(text)
                || heard.body.contains(text)
                || heard.headers.values().any(|value| String::from_utf8_lossy(value.as_bytes()).contains(text))
        })
    }
}
