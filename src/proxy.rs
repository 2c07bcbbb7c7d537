//! `slipway proxy`: takes connections on a port and passes each on to another place, byte for byte.
//!
//! On a Swarm without IP_VS a managed registry can't publish its port on every node; one of these on each node does. It needs
//! no settings, no data folder and no rights. What must always hold:
//!
//! - the name is looked up anew for each connection: a registry that was started anew has another address;
//! - a side that ends its half leaves the other half open; a side that breaks breaks the other too, so that half a transfer
//!   never looks like a whole one;
//! - who is quiet keeps nobody out: when all places are taken, the connection that has moved nothing the longest goes.
//!   Nobody else is ever cut for being slow, since a push may wait for its registry for minutes;
//! - told to end, it takes no new connections, and what moves comes to its end.

mod open;

use open::{Metered, Open};
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// For each direction of a connection.
const BUFFER: usize = 16 * 1_024;
/// Between two tries to reach the target, and two looks for a free place.
const PAUSE: Duration = Duration::from_millis(250);
/// For one address to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// One line about failures in so long a time.
const SILENCE: Duration = Duration::from_secs(10);

/// What the proxy may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more wait.
    pub connections: usize,
    /// For the target to be found and to answer. A registry that is started anew has its name again when it is healthy, some
    /// seconds later: who asks in between waits, and sees no failure.
    pub connect: Duration,
    /// A connection that has moved nothing for so long may be cut when its place is needed, or when the proxy ends.
    pub quiet: Duration,
    /// For what moves to come to its end.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            connect: Duration::from_secs(10),
            quiet: Duration::from_secs(10),
            grace: Duration::from_secs(30),
        }
    }
}

/// Finds where connections go; asked for each of them.
#[async_trait::async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// The addresses to try, in order.
    async fn look_up(&self) -> io::Result<Vec<SocketAddr>>;
}

/// A host and a port, as `--to` takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = || "write a host and a port, such as registry:5000 or [::1]:5000".to_owned();
        let (host, port) = text.rsplit_once(':').ok_or_else(rule)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(rule)?;
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/') {
            return Err(rule());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

#[async_trait::async_trait]
impl Lookup for Target {
    async fn look_up(&self) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((self.host.as_str(), self.port)).await?.collect())
    }
}

/// Passes on what comes to `listener` until `stop`, and lets what moves end.
pub async fn serve<L: Lookup>(listener: TcpListener, to: L, limits: Limits, stop: CancellationToken) {
    let to = Arc::new(to);
    let places = Arc::new(Semaphore::new(limits.connections));
    let (tasks, open, failures) = (TaskTracker::new(), Open::default(), Arc::new(Failures::default()));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let client = match accepted {
            Ok((client, _)) => client,
            Err(error) => {
                // Mostly "too many open files": wait until some are closed.
                failures.tell("A connection couldn't be accepted", &error);
                open.cut_quietest(limits.quiet);
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(place) = free_place(&places, &open, limits.quiet, &stop).await else { break };
        let (to, open, failures) = (Arc::clone(&to), open.clone(), Arc::clone(&failures));
        tasks.spawn(async move {
            pass_on(client, &*to, limits, &open, &failures).await;
            drop(place);
        });
    }
    drop(listener);
    tasks.close();
    end(&tasks, &open, limits).await;
}

/// A place for one more connection, taken from the quietest if need be. None: told to stop.
async fn free_place(
    places: &Arc<Semaphore>,
    open: &Open,
    quiet: Duration,
    stop: &CancellationToken,
) -> Option<OwnedSemaphorePermit> {
    loop {
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Some(place);
        }
        open.cut_quietest(quiet);
        tokio::select! {
            () = stop.cancelled() => return None,
            place = Arc::clone(places).acquire_owned() => return place.ok(),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Waits for open connections, the quiet ones only until they are that.
async fn end(tasks: &TaskTracker, open: &Open, limits: Limits) {
    let last = Instant::now() + limits.grace;
    while Instant::now() < last {
        tokio::select! {
            () = tasks.wait() => return,
            () = tokio::time::sleep(PAUSE) => open.cut_all_quiet(limits.quiet),
        }
    }
    open.cut_all_quiet(Duration::ZERO);
    // They only have to notice.
    drop(tokio::time::timeout(Duration::from_secs(1), tasks.wait()).await);
}

async fn pass_on<L: Lookup>(client: TcpStream, to: &L, limits: Limits, open: &Open, failures: &Failures) {
    let here = open.enter();
    let target = tokio::select! {
        target = connect(to, limits.connect) => target,
        () = here.cut() => Err(io::ErrorKind::Interrupted.into()),
    };
    let mut target = match target {
        Ok(target) => target,
        Err(error) => {
            if error.kind() != io::ErrorKind::Interrupted {
                failures.tell("The target can't be reached", &error);
            }
            break_off(&client);
            return;
        }
    };
    watch_over(&client);
    watch_over(&target);
    let mut client = Metered::new(client, &here);
    let ended = tokio::select! {
        ended = tokio::io::copy_bidirectional_with_sizes(&mut client, &mut target, BUFFER, BUFFER) => ended.map(drop),
        () = here.cut() => Err(io::ErrorKind::Interrupted.into()),
    };
    if let Err(error) = ended {
        // Clients go away all the time: nobody needs to know.
        tracing::debug!(%error, "a connection broke off");
        break_off(client.inner());
        break_off(&target);
    }
}

/// Tries all addresses, again and again, until one answers or time is up.
async fn connect<L: Lookup>(to: &L, within: Duration) -> io::Result<TcpStream> {
    let mut last: io::Error = io::ErrorKind::TimedOut.into();
    let tries = async {
        loop {
            match connect_once(to).await {
                Ok(stream) => return stream,
                Err(error) => last = error,
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let connected = tokio::time::timeout(within, tries).await;
    connected.map_err(|_| last)
}

async fn connect_once<L: Lookup>(to: &L) -> io::Result<TcpStream> {
    let mut last: io::Error = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
    for address in to.look_up().await? {
        match tokio::time::timeout(ANSWER, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

/// Small pieces go at once; a machine that is gone is noticed within some minutes.
fn watch_over(stream: &TcpStream) {
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(20))
        .with_retries(6);
    let done = stream.set_nodelay(true).and_then(|()| socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = done {
        // The connection is gone already; copying will say so.
        tracing::debug!(%error, "a connection's options couldn't be set");
    }
}

/// Closing it will be a reset, so that nobody takes what has arrived for all there was.
fn break_off(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "a connection will be closed, not reset");
    }
}

/// Says what fails, but not a thousand times.
#[derive(Debug, Default)]
struct Failures(Mutex<(Option<Instant>, u64)>);

impl Failures {
    fn tell(&self, what: &str, error: &io::Error) {
        if let Some(more) = self.count(Instant::now()) {
            tracing::warn!(%error, more, "{what}");
        }
    }

    /// How many weren't told since the last one that was; None: this isn't either.
    fn count(&self, now: Instant) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.0.is_some_and(|last| now.duration_since(last) < SILENCE) {
            told.1 += 1;
            return None;
        }
        told.0 = Some(now);
        Some(std::mem::take(&mut told.1))
    }
}

/// Each connection takes two files, and containers often begin with 1,024 in all; up to the hard limit is everybody's right.
pub fn raise_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(soft, hard)| if soft < hard { setrlimit(Resource::RLIMIT_NOFILE, hard, hard) } else { Ok(()) });
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files couldn't be raised");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_host_and_a_port() {
        let target = |text: &str| text.parse::<Target>().map(|target| (target.host, target.port));
        assert_eq!(target("registry-abc:5000"), Ok(("registry-abc".into(), 5_000)));
        assert_eq!(target("[::1]:80"), Ok(("::1".into(), 80)));
        for wrong in
            ["", "registry", ":5000", "registry:", "registry:0", "registry:70000", "http://registry:80/", "a b:80"]
        {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn failures_are_told_once_in_a_while_with_how_many_there_were() {
        let (failures, start) = (Failures::default(), Instant::now());
        assert_eq!(failures.count(start), Some(0));
        for second in 1..=9 {
            assert_eq!(failures.count(start + Duration::from_secs(second)), None);
        }
        assert_eq!(failures.count(start + Duration::from_secs(10)), Some(9));
        assert_eq!(failures.count(start + Duration::from_secs(21)), Some(0));
    }
}
