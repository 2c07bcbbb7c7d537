//! A way to the lab's registry that sees every request, and answers or cuts those that a test chooses.

use axum::body::Body;
use axum::http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Answer(u16),
    Cut,
}

type Rule = Box<dyn Fn(&Method, &str) -> Verdict + Send>;

struct Inner {
    to: String,
    rule: Mutex<Rule>,
    /// Method, path, and the status of the answer; 0: cut.
    seen: Mutex<Vec<(Method, String, u16)>>,
    client: reqwest::Client,
}

pub struct Gate {
    /// `127.0.0.1:<port>`: for Slipway and Docker another registry on this machine.
    pub address: String,
    inner: Arc<Inner>,
    _stop: DropGuard,
}

impl Gate {
    pub async fn start(to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let rule: Rule = Box::new(|_, _| Verdict::Pass);
        let inner = Arc::new(Inner { to: to.to_owned(), rule: Mutex::new(rule), seen: Mutex::default(), client });
        let stop = CancellationToken::new();
        let (served, stopped) = (Arc::clone(&inner), stop.clone());
        tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    () = stopped.cancelled() => return,
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => stream,
                        Err(_) => return,
                    },
                };
                let (inner, stopped) = (Arc::clone(&served), stopped.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| decide(Arc::clone(&inner), request));
                    let served =
                        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    tokio::select! {
                        _ = served => {}
                        () = stopped.cancelled() => {}
                    }
                });
            }
        });
        Self { address, inner, _stop: stop.drop_guard() }
    }

    pub fn rule(&self, rule: impl Fn(&Method, &str) -> Verdict + Send + 'static) {
        *self.inner.rule.lock().expect("a lock") = Box::new(rule);
    }

    /// Tags that manifests were put under, one for each time that it was done: `<repository>:<tag>`.
    pub fn pushed(&self) -> Vec<String> {
        let seen = self.inner.seen.lock().expect("a lock");
        seen.iter()
            .filter(|(method, _, status)| *method == Method::PUT && *status == 201)
            .filter_map(|(_, path, _)| path.strip_prefix("/v2/")?.split_once("/manifests/"))
            .filter(|(_, tag)| !tag.starts_with("sha256:"))
            .map(|(repository, tag)| format!("{repository}:{tag}"))
            .collect()
    }

    /// How many requests were answered by the rule and not by the registry.
    pub fn refused(&self, status: u16) -> usize {
        self.inner.seen.lock().expect("a lock").iter().filter(|(_, _, seen)| *seen == status).count()
    }
}

async fn decide(inner: Arc<Inner>, request: Request<Incoming>) -> Result<Response<Body>, std::io::Error> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let verdict = (inner.rule.lock().expect("a lock"))(&method, &path);
    let (status, answer) = match verdict {
        Verdict::Pass => match forward(&inner, request).await {
            Ok(answer) => (answer.status().as_u16(), Ok(answer)),
            Err(error) => (0, Err(std::io::Error::other(error))),
        },
        Verdict::Answer(status) => {
            let answer = Response::builder().status(status).body(Body::from("{\"errors\":[]}")).expect("an answer");
            (status, Ok(answer))
        }
        // Without an answer the connection is closed.
        Verdict::Cut => (0, Err(std::io::Error::other("cut"))),
    };
    inner.seen.lock().expect("a lock").push((method, path, status));
    answer
}

async fn forward(inner: &Inner, request: Request<Incoming>) -> Result<Response<Body>, reqwest::Error> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    // The Host header stays, so that the registry's answers lead back through the gate.
    let answer = inner
        .client
        .request(parts.method, format!("http://{}{target}", inner.to))
        .headers(parts.headers)
        .body(reqwest::Body::wrap_stream(Body::new(body).into_data_stream()))
        .send()
        .await?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != "transfer-encoding" && name != "connection" {
            response = response.header(name, value);
        }
    }
    Ok(response.body(Body::from_stream(answer.bytes_stream())).expect("an answer"))
}
