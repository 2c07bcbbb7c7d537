//! A way to the lab's registry that can be closed.

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

pub struct Proxy {
    /// `127.0.0.1:<port>`.
    pub address: String,
    stop: CancellationToken,
}

impl Proxy {
    pub async fn start(to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (stop, to) = (CancellationToken::new(), to.to_owned());
        let stopped = stop.clone();
        tokio::spawn(async move {
            loop {
                let mut inner = tokio::select! {
                    () = stopped.cancelled() => return,
                    accepted = listener.accept() => match accepted {
                        Ok((inner, _)) => inner,
                        Err(_) => return,
                    },
                };
                let (to, stopped) = (to.clone(), stopped.clone());
                tokio::spawn(async move {
                    let Ok(mut outer) = TcpStream::connect(&to).await else { return };
                    tokio::select! {
                        () = stopped.cancelled() => {}
                        _ = tokio::io::copy_bidirectional(&mut inner, &mut outer) => {}
                    }
                });
            }
        });
        Self { address, stop }
    }

    /// From now on connections are refused, and open ones are broken.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}
