//! The proxy's open connections, and when each moved something last.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

/// One open connection.
#[derive(Debug)]
struct Connection {
    began: Instant,
    /// The last byte in either direction, in milliseconds since it began.
    moved: AtomicU64,
    cut: CancellationToken,
}

impl Connection {
    fn mark(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(now, Ordering::Relaxed);
    }

    fn quiet_for(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.moved.load(Ordering::Relaxed)))
    }
}

/// All open connections. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Open(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    connections: BTreeMap<u64, Arc<Connection>>,
}

impl Open {
    /// One more; it is open until what is returned is dropped.
    pub(super) fn enter(&self) -> Here {
        let connection =
            Arc::new(Connection { began: Instant::now(), moved: AtomicU64::new(0), cut: CancellationToken::new() });
        let mut inner = self.lock();
        inner.next += 1;
        let number = inner.next;
        inner.connections.insert(number, Arc::clone(&connection));
        Here { open: self.clone(), number, connection }
    }

    /// Cuts the one that has moved nothing the longest, if that is at least so long.
    pub(super) fn cut_quietest(&self, at_least: Duration) {
        let inner = self.lock();
        let open = inner.connections.values().filter(|connection| !connection.cut.is_cancelled());
        let quietest = open.map(|connection| (connection.quiet_for(), connection)).max_by_key(|(quiet, _)| *quiet);
        if let Some((_, connection)) = quietest.filter(|(quiet, _)| *quiet >= at_least) {
            connection.cut.cancel();
        }
    }

    /// Cuts all that have moved nothing for so long.
    pub(super) fn cut_all_quiet(&self, at_least: Duration) {
        for connection in self.lock().connections.values().filter(|connection| connection.quiet_for() >= at_least) {
            connection.cut.cancel();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open connection's place among the others.
#[derive(Debug)]
pub(super) struct Here {
    open: Open,
    number: u64,
    connection: Arc<Connection>,
}

impl Here {
    /// Until it is cut.
    pub(super) async fn cut(&self) {
        self.connection.cut.cancelled().await;
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.open.lock().connections.remove(&self.number);
    }
}

/// A stream that notes when something moved.
#[derive(Debug)]
pub(super) struct Metered<S> {
    inner: S,
    connection: Arc<Connection>,
}

impl<S> Metered<S> {
    pub(super) fn new(inner: S, here: &Here) -> Self {
        Self { inner, connection: Arc::clone(&here.connection) }
    }

    pub(super) fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.connection.mark();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if matches!(polled, Poll::Ready(Ok(written)) if written > 0) {
            self.connection.mark();
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
