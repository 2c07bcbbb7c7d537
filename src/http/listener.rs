//! Accepts connections: bounded in number, in time for headers, and ended in order.
//!
//! Framework defaults keep half-sent requests for ever and wait for ever for open streams; that is why this is our own.
//! When all places are taken, the connection that has asked for nothing the longest makes room, so that whoever opens
//! thousands and says nothing keeps nobody out.

use super::transport::Peer;
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// What a connection may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more wait in the system's queue.
    pub connections: usize,
    /// For a request's headers to arrive, also on a connection that is kept open.
    pub headers: Duration,
    /// For open connections to end when the server stops.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 1_024, headers: Duration::from_secs(10), stop: Duration::from_secs(8) }
    }
}

/// One open connection.
#[derive(Debug, Default)]
struct Connection {
    /// Requests it waits for an answer to; 0: it says nothing, or hasn't finished saying it.
    requests: AtomicUsize,
    /// Cuts it.
    cut: CancellationToken,
}

/// Counts a request as long as it lives.
struct Busy(Arc<Connection>);

impl Busy {
    fn new(connection: &Arc<Connection>) -> Self {
        connection.requests.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(connection))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The open connections, oldest first.
#[derive(Clone, Debug, Default)]
struct Open(Arc<Mutex<BTreeMap<u64, Arc<Connection>>>>);

impl Open {
    fn insert(&self, number: u64) -> Arc<Connection> {
        let connection = Arc::new(Connection::default());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::clone(&connection));
        connection
    }

    fn remove(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    /// Cuts the oldest that asks for nothing, if there is one.
    fn make_room(&self) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_idle = |connection: &&Arc<Connection>| {
            connection.requests.load(Ordering::Relaxed) == 0 && !connection.cut.is_cancelled()
        };
        if let Some(connection) = open.values().find(is_idle) {
            connection.cut.cancel();
        }
    }

    fn cut_all(&self) {
        for connection in self.0.lock().unwrap_or_else(PoisonError::into_inner).values() {
            connection.cut.cancel();
        }
    }
}

/// Serves until `shutdown`, then lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, shutdown: CancellationToken) {
    let permits = Arc::new(Semaphore::new(limits.connections));
    let (tasks, open) = (TaskTracker::new(), Open::default());
    let mut number = 0;
    loop {
        // Accepted first and admitted then: only when somebody waits must somebody else make room.
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Mostly "too many open files": wait until some are closed.
                tracing::warn!(%error, "a connection couldn't be accepted");
                open.make_room();
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if permits.available_permits() == 0 {
            open.make_room();
        }
        let permit = tokio::select! {
            () = shutdown.cancelled() => break,
            permit = Arc::clone(&permits).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { break };
        number += 1;
        let (open, this) = (open.clone(), open.insert(number));
        let served = serve_one(stream, peer, router.clone(), limits, shutdown.clone(), Arc::clone(&this));
        tasks.spawn(async move {
            tokio::select! {
                () = served => {}
                () = this.cut.cancelled() => {}
            }
            open.remove(number);
            drop(permit);
        });
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(limits.stop, tasks.wait()).await.is_err() {
        tracing::warn!(open = tasks.len(), "some connections didn't end in time and are cut");
        open.cut_all();
        tasks.wait().await;
    }
}

async fn serve_one(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
    this: Arc<Connection>,
) {
    // Small writes must not wait for the other side's acknowledgement: 40 ms each.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY couldn't be set");
    }
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        let busy = Busy::new(&this);
        request.extensions_mut().insert(Peer(peer));
        let answer = router.clone().oneshot(request.map(Body::new));
        async move {
            let response = answer.await?;
            // The answer isn't over before its body is: streams stay busy.
            Ok::<_, std::convert::Infallible>(response.map(|body| Held { body, _busy: busy }))
        }
    });
    // HTTP/1.1 only: browsers speak HTTP/2 over TLS alone, which a proxy in front does; and waiting for a preface would
    // be a state without a time limit.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_headers(100)
        .max_buf_size(64 * 1_024);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// An answer's body that keeps its connection busy until it is sent.
struct Held {
    body: Body,
    _busy: Busy,
}

impl hyper::body::Body for Held {
    type Data = axum::body::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        std::pin::Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
