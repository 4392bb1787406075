use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::{Lookup, Refusal};

/// A server that reads a request and answers these bytes, as often as it is asked. Counts connections.
async fn server(answer: Vec<u8>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            if socket.read(&mut request).await.is_ok() {
                socket.write_all(&answer).await.ok();
            }
        }
    });
    (address, connections)
}

fn answer(status: &str, extra: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{extra}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn client(networks: &[&str]) -> Client {
    let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
    Client::new(Guard::new(networks), Duration::from_secs(5)).unwrap()
}

/// Says something else each time it is asked, the last one from then on.
struct Rebinding(Vec<Vec<IpAddr>>, AtomicUsize);

impl Lookup for Rebinding {
    fn lookup(&self, _host: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        let turn = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
        let found = self.0[turn].clone();
        Box::pin(async move { Ok(found) })
    }
}

#[tokio::test]
async fn an_answer_is_read_whole() {
    let (address, _) = server(answer("418 I'm a teapot", "retry-after: 7\r\n", "short")).await;
    let got = client(&["127.0.0.0/8"]).send(Request::get(format!("http://{address}/a?b=c"))).await.unwrap();
    assert_eq!((got.status, &got.body[..]), (418, &b"short"[..]));
    assert_eq!(got.headers["retry-after"], "7");
}

#[tokio::test]
async fn a_refused_address_is_never_connected_to() {
    let (address, connections) = server(answer("200 OK", "", "")).await;
    let closed = client(&[]);
    for url in [format!("http://{address}/"), format!("http://localhost:{}/", address.port())] {
        let error = closed.send(Request::get(url)).await.unwrap_err();
        assert!(matches!(error, Error::Refused(Refusal::Address { .. })), "{error:?}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_moves_inside_later_is_refused_then() {
    let (address, connections) = server(answer("200 OK", "", "")).await;
    let turns = vec![vec!["127.0.0.2".parse().unwrap()], vec![address.ip()]];
    let lookup = Arc::new(Rebinding(turns, AtomicUsize::new(0)));
    let guard = Guard::with_lookup(vec!["127.0.0.2/32".parse().unwrap()], lookup);
    let client = Client::new(guard, Duration::from_secs(5)).unwrap();
    let url = format!("http://oa.example.com:{}/", address.port());
    let first = client.send(Request::get(&url)).await.unwrap_err();
    assert!(matches!(first, Error::Connect(_)), "nobody listens there: {first:?}");
    let second = client.send(Request::get(&url)).await.unwrap_err();
    assert!(matches!(second, Error::Refused(_)), "{second:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (inside, connections) = server(answer("200 OK", "", "")).await;
    for status in ["302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let (address, _) = server(answer(status, &format!("location: http://{inside}/\r\n"), "")).await;
        let got = client(&["127.0.0.0/8"]).send(Request::get(format!("http://{address}/"))).await.unwrap();
        assert_eq!(got.status.to_string(), status[..3]);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_and_its_status_kept() {
    let body = "x".repeat(ANSWER_LIMIT_BYTES + 1);
    let (address, _) = server(answer("200 OK", "", &body)).await;
    let error = client(&["127.0.0.0/8"]).send(Request::get(format!("http://{address}/"))).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { status: 200, .. }), "{error:?}");
}

#[tokio::test]
async fn silence_ends_in_time_and_errors_hide_the_url() {
    let (address, _) = server(Vec::new()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap();
    let client = client(&["127.0.0.0/8"]).with_timeout(Duration::from_millis(200));
    let broken = client.send(Request::get(format!("http://{address}/?access_token=canary"))).await.unwrap_err();
    let timeout = client.send(Request::get(format!("http://{silent}/?access_token=canary"))).await.unwrap_err();
    drop(listener);
    let nobody = client.send(Request::get(format!("http://{silent}/?access_token=canary"))).await.unwrap_err();
    assert_eq!([broken.label(), timeout.label(), nobody.label()], ["broken", "timeout", "connect"]);
    for error in [broken, timeout, nobody] {
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    let request = Request::post("http://oa.example.com/secret-path?token=canary", "text/xml", "canary");
    assert!(!format!("{request:?}").contains("canary") && !format!("{request:?}").contains("secret-path"));
}

#[tokio::test]
async fn https_is_spoken_and_its_failure_named() {
    // Not TLS at all: what comes back is no record of the protocol.
    let (address, _) = server(answer("400 Bad Request", "", "")).await;
    let error = client(&["127.0.0.0/8"]).send(Request::get(format!("https://{address}/"))).await.unwrap_err();
    assert_eq!(error.label(), "tls", "{error:?}");
}
