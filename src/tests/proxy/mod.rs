//! `slipway proxy`, with real sockets, as a process where signals and the command line matter, and between a real engine and
//! a real registry.

mod ending;
mod images;
mod targets;
mod transfers;

use crate::swarm::free_port;
use slipway::proxy::{self, Limits, Lookup};
use std::io;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here should take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A proxy in this process.
struct Inside {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Inside {
    async fn start(to: impl Lookup, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let task = tokio::spawn(proxy::serve(listener, to, limits, stop.clone()));
        Self { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("the proxy takes connections")
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The real program.
struct Outside {
    port: u16,
    child: Child,
}

impl Outside {
    /// Runs with nothing but its arguments: no environment, an empty folder.
    fn start(to: &str) -> Self {
        let port = free_port();
        let child = Command::new(env!("CARGO_BIN_EXE_slipway"))
            .args(["proxy", "--listen", &format!("127.0.0.1:{port}"), "--to", to])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .spawn()
            .expect("it starts");
        Self { port, child }
    }

    /// When it takes connections.
    async fn started(self) -> Self {
        crate::swarm::eventually(PATIENCE, "the proxy listens", || async {
            TcpStream::connect(("127.0.0.1", self.port)).await.ok()
        })
        .await;
        self
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A name whose addresses the test changes.
#[derive(Clone, Default)]
struct Name(Arc<Mutex<Vec<SocketAddr>>>);

impl Name {
    fn of(address: SocketAddr) -> Self {
        let name = Self::default();
        name.set(&[address]);
        name
    }

    fn set(&self, addresses: &[SocketAddr]) {
        addresses.clone_into(&mut self.0.lock().expect("not poisoned"));
    }
}

#[async_trait::async_trait]
impl Lookup for Name {
    async fn look_up(&self) -> io::Result<Vec<SocketAddr>> {
        Ok(self.0.lock().expect("not poisoned").clone())
    }
}

/// Answers each byte with one of its own, until the other side ends.
struct Parrot {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Parrot {
    async fn saying(word: u8) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.expect("a port"), word)
    }

    fn on(listener: TcpListener, word: u8) -> Self {
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move {
            let mut calls = tokio::task::JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                calls.spawn(async move {
                    let mut heard = vec![0; 64 * 1_024];
                    while let Ok(count @ 1..) = stream.read(&mut heard).await {
                        if stream.write_all(&vec![word; count]).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { address, task }
    }
}

impl Drop for Parrot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Says one byte and returns what comes back; an error when the connection breaks or ends instead.
async fn ask(stream: &mut TcpStream) -> io::Result<u8> {
    stream.write_all(b"?").await?;
    tokio::time::timeout(PATIENCE, stream.read_u8()).await.expect("an answer or an end in time")
}

/// How a connection that nobody writes to ends; a panic when it doesn't.
async fn end_of(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("it ends in time").map(|_| rest)
}
