//! Where connections go, and who gets a place.

use super::{Inside, Name, Parrot, ask, end_of};
use crate::swarm::free_port;
use slipway::proxy::{Limits, Lookup as _, Target};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn limits() -> Limits {
    Limits { connections: 8, connect: Duration::from_millis(600), ..Limits::default() }
}

#[tokio::test]
async fn a_name_that_changes_leads_the_next_connection_elsewhere() {
    let (first, second) = (Parrot::saying(b'a').await, Parrot::saying(b'b').await);
    let name = Name::of(first.address);
    let proxy = Inside::start(name.clone(), limits()).await;
    let mut old = proxy.connect().await;
    assert_eq!(ask(&mut old).await.expect("an answer"), b'a');
    name.set(&[second.address]);
    let mut new = proxy.connect().await;
    assert_eq!(ask(&mut new).await.expect("an answer"), b'b');
    assert_eq!(ask(&mut old).await.expect("what is open goes on"), b'a');
    // A task that is gone may be among the addresses for a moment.
    name.set(&[SocketAddr::from(([127, 0, 0, 1], free_port())), first.address]);
    assert_eq!(ask(&mut proxy.connect().await).await.expect("the next address answers"), b'a');
}

#[tokio::test]
async fn a_target_that_is_away_breaks_connections_until_it_is_back() {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let proxy = Inside::start(Name::of(address), limits()).await;
    for _ in 0..3 {
        let begun = Instant::now();
        assert!(ask(&mut proxy.connect().await).await.is_err());
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    // A name without addresses is the same.
    let nowhere = Inside::start(Name::default(), limits()).await;
    assert!(ask(&mut nowhere.connect().await).await.is_err());
    let _parrot = Parrot::on(TcpListener::bind(address).await.expect("the port"), b'c');
    assert_eq!(ask(&mut proxy.connect().await).await.expect("it is back"), b'c');
}

#[tokio::test]
async fn a_short_absence_is_waited_out() {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let proxy = Inside::start(Name::of(address), Limits::default()).await;
    let mut client = proxy.connect().await;
    client.write_all(b"?").await.expect("the proxy listens");
    let _parrot = Parrot::on(TcpListener::bind(address).await.expect("the port"), b'd');
    assert_eq!(client.read_u8().await.expect("an answer"), b'd');
}

#[tokio::test]
async fn names_are_looked_up_by_the_system() {
    let target: Target = "localhost:80".parse().expect("a target");
    let found = target.look_up().await.expect("localhost has an address");
    assert!(found.iter().any(|address| address.ip().is_loopback() && address.port() == 80), "{found:?}");
}

#[tokio::test]
async fn when_all_places_are_taken_the_quietest_goes() {
    let parrot = Parrot::saying(b'a').await;
    let limits = Limits { connections: 2, quiet: Duration::from_millis(50), ..Limits::default() };
    let proxy = Inside::start(Name::of(parrot.address), limits).await;
    let (mut quietest, mut quiet) = (proxy.connect().await, proxy.connect().await);
    assert_eq!(ask(&mut quietest).await.expect("an answer"), b'a');
    assert_eq!(ask(&mut quiet).await.expect("an answer"), b'a');
    let mut third = proxy.connect().await;
    assert_eq!(ask(&mut third).await.expect("a place became free"), b'a');
    assert!(end_of(&mut quietest).await.is_err(), "its place was taken");
    assert_eq!(ask(&mut quiet).await.expect("one place was enough"), b'a');
}

#[tokio::test]
async fn nobody_who_moves_something_loses_a_place_and_the_next_waits() {
    let parrot = Parrot::saying(b'a').await;
    let limits = Limits { connections: 1, quiet: Duration::from_secs(3_600), ..Limits::default() };
    let proxy = Inside::start(Name::of(parrot.address), limits).await;
    let mut first = proxy.connect().await;
    assert_eq!(ask(&mut first).await.expect("an answer"), b'a');
    let mut second = proxy.connect().await;
    second.write_all(b"?").await.expect("it waits in the queue");
    let early = tokio::time::timeout(Duration::from_millis(700), second.read_u8()).await;
    assert!(early.is_err(), "one place, and two were served");
    assert_eq!(ask(&mut first).await.expect("it kept its place"), b'a');
    drop(first);
    assert_eq!(second.read_u8().await.expect("its turn"), b'a');
}
