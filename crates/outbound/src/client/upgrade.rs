//! A connection that goes on with another protocol (RFC 9110, 7.8).

use futures::future::BoxFuture;
use reqwest::{Upgraded, header::HeaderMap};
use tokio::time::timeout;

use super::{Client, Request, Response};
use crate::Error;

/// What came of asking for another protocol.
#[derive(Debug)]
pub enum Upgrade {
    /// The connection speaks it from now on.
    Switched {
        /// The header fields of the answer, 101.
        headers: HeaderMap,
        /// The connection, for both sides at any time; no time limit is on it.
        connection: Upgraded,
    },
    /// It does not: this was answered instead.
    Answered(Response),
}

impl Client {
    /// Sends a request once that asks for another protocol; which one its header fields say. The client must be one
    /// [for upgrades](Client::for_upgrades).
    ///
    /// # Errors
    /// Everything that kept the answer from being read whole, or the connection from being handed over; see [`Error`].
    pub fn upgrade(&self, request: Request) -> BoxFuture<'_, Result<Upgrade, Error>> {
        Box::pin(async move {
            let sent = self.begin(request).await?;
            if sent.status() != reqwest::StatusCode::SWITCHING_PROTOCOLS {
                return self.finish(sent).await.map(Upgrade::Answered);
            }
            let headers = sent.headers().clone();
            match timeout(self.timeout, sent.upgrade()).await {
                Ok(handed) => Ok(Upgrade::Switched { headers, connection: handed.map_err(Error::from_reqwest)? }),
                Err(_) => Err(Error::Timeout),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, time::Duration};

    use reqwest::header::{CONNECTION, UPGRADE};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::Guard;

    /// Answers one request with this, and repeats whatever comes afterwards.
    async fn parrot(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut heard = [0; 4096];
            let count = socket.read(&mut heard).await.unwrap();
            assert!(heard[..count].ends_with(b"\r\n\r\n"));
            socket.write_all(answer.as_bytes()).await.unwrap();
            while let Ok(count @ 1..) = socket.read(&mut heard).await {
                socket.write_all(&heard[..count]).await.unwrap();
            }
        });
        address
    }

    async fn ask(networks: &[&str], address: SocketAddr) -> Result<Upgrade, Error> {
        let guard = Guard::new(networks.iter().map(|network| network.parse().unwrap()).collect());
        let client = Client::for_upgrades(guard, Duration::from_secs(5)).unwrap();
        let request = Request::get(format!("http://{address}/connect?ticket=canary"));
        client.upgrade(request.with_header(CONNECTION, "Upgrade").with_header(UPGRADE, "parrot")).await
    }

    #[tokio::test]
    async fn a_connection_goes_on_with_the_other_protocol() {
        let switching = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: parrot\r\n\r\nhello";
        let upgrade = ask(&["127.0.0.0/8"], parrot(switching).await).await.unwrap();
        let Upgrade::Switched { headers, mut connection } = upgrade else { panic!("something else came of it") };
        assert_eq!(headers[UPGRADE], "parrot");
        connection.write_all(b" again").await.unwrap();
        let mut heard = [0; 11];
        connection.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello again");
    }

    #[tokio::test]
    async fn what_is_answered_instead_is_read() {
        let refused = "HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\n\r\nused";
        let upgrade = ask(&["127.0.0.0/8"], parrot(refused).await).await.unwrap();
        let Upgrade::Answered(answer) = upgrade else { panic!("something else came of it") };
        assert_eq!((answer.status, &answer.body[..]), (403, &b"used"[..]));
    }

    #[tokio::test]
    async fn an_address_that_is_not_allowed_is_not_asked() {
        let error = ask(&[], parrot("").await).await.unwrap_err();
        assert_eq!(error.label(), "refused");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
