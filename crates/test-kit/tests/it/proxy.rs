//! Connections through the proxy, to a server that sends back what it gets.

use std::{net::SocketAddr, time::Duration};

use test_kit::{Proxy, eventually};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// What is to be silent is listened to for so long.
const SILENCE: Duration = Duration::from_millis(200);

/// Sends back whatever comes, in upper case, and ends when the client does.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 64];
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    buffer.make_ascii_uppercase();
                    stream.write_all(&buffer[..count]).await.unwrap();
                }
            });
        }
    });
    address
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

/// Sends and reads the answer.
async fn exchange(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    receive(stream, text.len()).await
}

async fn receive(stream: &mut TcpStream, count: usize) -> String {
    let mut answer = vec![0; count];
    stream.read_exact(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// Whether the other side closes, in whatever way.
async fn ends(stream: &mut TcpStream) -> bool {
    let read = timeout(Duration::from_secs(10), stream.read(&mut [0])).await.expect("an end");
    !matches!(read, Ok(1..))
}

async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(SILENCE, stream.read(&mut [0])).await.is_err()
}

#[tokio::test]
async fn what_comes_is_passed_on_and_so_is_the_end() {
    let proxy = Proxy::start([echo().await]).await;
    let mut stream = connect(&proxy).await;
    assert_eq!(exchange(&mut stream, "hello").await, "HELLO");
    let long = "x".repeat(100_000);
    let (mut from, mut to) = stream.split();
    let (sent, answer) = tokio::join!(
        async {
            to.write_all(long.as_bytes()).await.unwrap();
            to.shutdown().await
        },
        async {
            let mut answer = String::new();
            from.read_to_string(&mut answer).await.unwrap();
            answer
        }
    );
    sent.unwrap();
    assert_eq!(answer.len(), long.len(), "all of it came back after the client had ended its side");
    eventually("nobody is left", async || proxy.connections(), |count| *count == 0).await;
}

#[tokio::test]
async fn a_cut_ends_the_connections_of_now_and_no_later_ones() {
    let proxy = Proxy::start([echo().await]).await;
    let (mut first, mut second) = (connect(&proxy).await, connect(&proxy).await);
    assert_eq!(exchange(&mut first, "a").await, "A");
    assert_eq!(exchange(&mut second, "b").await, "B");
    assert_eq!((proxy.connections(), proxy.accepted()), (2, 2));
    proxy.cut();
    assert!(ends(&mut first).await && ends(&mut second).await);
    eventually("both are gone", async || proxy.connections(), |count| *count == 0).await;
    let mut third = connect(&proxy).await;
    assert_eq!(exchange(&mut third, "c").await, "C");
    assert_eq!((proxy.connections(), proxy.accepted()), (1, 3));
}

#[tokio::test]
async fn a_black_hole_passes_nothing_closes_nothing_and_loses_nothing() {
    let proxy = Proxy::start([echo().await]).await;
    let mut stream = connect(&proxy).await;
    assert_eq!(exchange(&mut stream, "a").await, "A");
    proxy.black_hole(true);
    stream.write_all(b"b").await.unwrap();
    assert!(is_silent(&mut stream).await);
    let mut late = connect(&proxy).await;
    late.write_all(b"c").await.unwrap();
    assert!(is_silent(&mut late).await);
    proxy.black_hole(false);
    assert_eq!(receive(&mut stream, 1).await, "B");
    assert_eq!(receive(&mut late, 1).await, "C");
    proxy.black_hole(true);
    proxy.cut();
    assert!(ends(&mut stream).await, "a cut goes through a hole");
}

#[tokio::test]
async fn while_it_refuses_only_old_connections_live() {
    let proxy = Proxy::start([echo().await]).await;
    let mut old = connect(&proxy).await;
    assert_eq!(exchange(&mut old, "a").await, "A");
    proxy.refuse(true);
    let mut new = connect(&proxy).await;
    assert!(ends(&mut new).await);
    assert_eq!(exchange(&mut old, "b").await, "B");
    proxy.refuse(false);
    let mut newer = connect(&proxy).await;
    assert_eq!(exchange(&mut newer, "c").await, "C");
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test]
async fn targets_take_turns_and_dead_ones_are_passed_over() {
    /// Tells its name and closes.
    async fn named(name: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(name.as_bytes()).await.unwrap();
            }
        });
        address
    }
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let proxy = Proxy::start([named("a").await, dead, named("b").await]).await;
    let mut names = String::new();
    for _ in 0..6 {
        connect(&proxy).await.read_to_string(&mut names).await.unwrap();
    }
    assert_eq!(names, "abbabb");
}

#[tokio::test]
async fn its_connections_end_with_it() {
    let proxy = Proxy::start([echo().await]).await;
    let mut stream = connect(&proxy).await;
    assert_eq!(exchange(&mut stream, "a").await, "A");
    drop(proxy);
    assert!(ends(&mut stream).await);
}
