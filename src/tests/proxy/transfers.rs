//! What goes in comes out: all of it, in order, in both directions, or visibly not.

use super::{Inside, Name, Parrot, ask, end_of};
use sha2::{Digest as _, Sha256};
use slipway::proxy::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const LARGE: usize = 48 << 20;

/// Bytes that don't repeat in step with any buffer.
fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

#[tokio::test]
async fn large_transfers_arrive_unchanged_and_each_half_ends_by_itself() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let proxy = Inside::start(Name::of(listener.local_addr().expect("an address")), Limits::default()).await;
    // The answer begins when the question has ended, as with HTTP/1.0.
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut question = Vec::new();
        stream.read_to_end(&mut question).await.expect("the whole question");
        stream.write_all(&noise(2, LARGE)).await.expect("answered");
        stream.shutdown().await.expect("ended");
        Sha256::digest(&question)
    });
    let mut client = proxy.connect().await;
    client.write_all(&noise(1, LARGE)).await.expect("asked");
    client.shutdown().await.expect("ended");
    let answer = end_of(&mut client).await.expect("the whole answer");
    assert!(answer == noise(2, LARGE), "{} bytes came", answer.len());
    assert_eq!(server.await.expect("no panic"), Sha256::digest(noise(1, LARGE)));
}

#[tokio::test]
async fn both_directions_flow_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let proxy = Inside::start(Name::of(listener.local_addr().expect("an address")), Limits::default()).await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        both(stream, 4).await
    });
    let here = both(proxy.connect().await, 3).await;
    assert!(here == noise(4, LARGE), "what the server sent is another thing here");
    assert!(server.await.expect("no panic") == noise(3, LARGE), "what was sent is another thing at the server");
}

/// Sends noise and reads until the other side ends.
async fn both(stream: tokio::net::TcpStream, seed: u64) -> Vec<u8> {
    let (mut reader, mut writer) = stream.into_split();
    let sent = tokio::spawn(async move {
        writer.write_all(&noise(seed, LARGE)).await.expect("sent");
        writer.shutdown().await.expect("ended");
    });
    let mut heard = Vec::new();
    reader.read_to_end(&mut heard).await.expect("heard");
    sent.await.expect("no panic");
    heard
}

#[tokio::test]
async fn a_break_in_the_middle_is_a_break_and_no_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let proxy = Inside::start(Name::of(listener.local_addr().expect("an address")), Limits::default()).await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"half of it").await.expect("written");
        assert_eq!(stream.read_u8().await.expect("the client has heard that"), b'!');
        stream.set_zero_linger().expect("an option");
    });
    let mut client = proxy.connect().await;
    let mut half = [0; 10];
    client.read_exact(&mut half).await.expect("half of it");
    client.write_all(b"!").await.expect("written");
    let end = end_of(&mut client).await;
    assert_eq!(end.map_err(|error| error.kind()), Err(std::io::ErrorKind::ConnectionReset));
    server.await.expect("no panic");
    // And the other way round.
    let parrot = Parrot::saying(b'a').await;
    let proxy = Inside::start(Name::of(parrot.address), Limits::default()).await;
    let mut client = proxy.connect().await;
    assert_eq!(ask(&mut client).await.expect("an answer"), b'a');
    client.set_zero_linger().expect("an option");
    drop(client);
    let mut next = proxy.connect().await;
    assert_eq!(ask(&mut next).await.expect("others are not concerned"), b'a');
}
