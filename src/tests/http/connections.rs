//! D1 and D2 over real sockets, in smaller numbers; and the stop with open connections.

use crate::app::TestApp;
use slipway::http::listener::{Limits, serve};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const LIMITS: Limits =
    Limits { connections: 64, headers: Duration::from_millis(800), stop: Duration::from_millis(800) };

async fn start(app: &TestApp) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
    start_with(app, LIMITS).await
}

async fn start_with(app: &TestApp, limits: Limits) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(serve(listener, app.router.clone(), limits, shutdown.clone()));
    (address, shutdown, served)
}

async fn get(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("answered");
    text
}

#[tokio::test]
async fn d1_silent_and_half_sent_connections_are_closed_while_others_are_served() {
    let app = TestApp::new().await;
    let (address, shutdown, served) = start(&app).await;
    let mut open = Vec::new();
    for index in 0..40 {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        if index % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ").await.expect("sent");
        }
        open.push(stream);
    }
    let began = Instant::now();
    assert!(get(address).await.contains("200 OK"), "others are served meanwhile");
    assert!(began.elapsed() < Duration::from_millis(700), "{:?}", began.elapsed());
    for mut stream in open {
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "a silent connection stays open");
    }
    shutdown.cancel();
    served.await.expect("stopped");
}

#[tokio::test]
async fn d1_whoever_fills_all_places_and_says_nothing_makes_room_for_others() {
    let app = TestApp::new().await;
    let patient = Limits { headers: Duration::from_secs(120), ..LIMITS };
    let (address, shutdown, served) = start_with(&app, patient).await;
    let mut open = Vec::new();
    for _ in 0..3 * LIMITS.connections {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(b"GET /").await.expect("sent");
        open.push(stream);
    }
    for _ in 0..20 {
        let answer = tokio::time::timeout(Duration::from_secs(5), get(address)).await.expect("in time");
        assert!(answer.contains("200 OK"));
    }
    shutdown.cancel();
    served.await.expect("stopped");
}

#[tokio::test]
async fn d2_a_big_body_over_the_wire_is_refused_early() {
    let app = TestApp::new().await;
    app.owner().await;
    let (address, shutdown, served) = start(&app).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let head = "POST /api/accounts/sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\nsec-fetch-site: same-origin\r\n\
                content-type: application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let (mut reader, mut writer) = stream.into_split();
    let sender = tokio::spawn(async move {
        let mut chunk = b"10000\r\n".to_vec();
        chunk.resize(chunk.len() + 0x1_0000, b'a');
        chunk.extend_from_slice(b"\r\n");
        let mut sent = 0_usize;
        // Ends when the other side has had enough, or at 64 MiB.
        while sent < 64 << 20 && writer.write_all(&chunk).await.is_ok() {
            sent += 0x1_0000;
        }
        sent
    });
    let mut head = [0; 12];
    tokio::time::timeout(Duration::from_secs(10), reader.read_exact(&mut head))
        .await
        .expect("in time")
        .expect("answered");
    assert_eq!(&head, b"HTTP/1.1 413");
    drop(reader);
    let sent = tokio::time::timeout(Duration::from_secs(10), sender).await.expect("in time").expect("ended");
    assert!(sent < 64 << 20, "the whole body was taken: {sent}");
    shutdown.cancel();
    served.await.expect("stopped");
}

#[tokio::test]
async fn the_stop_does_not_wait_for_connections_that_never_end() {
    let app = TestApp::new().await;
    let (address, shutdown, served) = start(&app).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(b"POST /api/accounts/set-up HTTP/1.1\r\nhost: 127.0.0.1\r\n").await.expect("sent");
    let began = Instant::now();
    shutdown.cancel();
    served.await.expect("stopped");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
