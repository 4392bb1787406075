//! One socket for all of DingTalk's hosts: the Stream gateway, its WebSocket, and the API.

mod routes;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::{App, HttpServer, web};
use serde_json::Value;

use super::stream::Stream;
use crate::api::cutter;

const MAX_BODY_BYTES: usize = 4 << 20;
/// Idle connections of clients live long, so that nobody meets one that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// One request to the API.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `GET`, `POST`, ...
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
    /// The query string as it came.
    pub query: &'a str,
    /// The headers; names in lower case.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
    /// Who asks.
    pub peer: IpAddr,
}

impl Call<'_> {
    /// The value of the first header of that name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _value)| known == name).map(|(_name, value)| value.as_str())
    }
}

/// An answer and how it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// How it is delivered.
    pub delivery: Delivery,
}

impl Answer {
    /// A JSON answer, at once.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        let content_type = "application/json;charset=UTF-8";
        Self { status, content_type, body: body.to_string().into_bytes(), delivery: Delivery::Now }
    }

    /// The same answer, delivered that way.
    #[must_use]
    pub fn delivered(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }
}

/// How an answer is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// At once.
    Now,
    /// So much later, really.
    Late(Duration),
    /// Never: the connection is cut.
    Cut,
    /// Never: the connection stays open.
    Never,
}

/// What answers requests that are not the Stream gateway's.
pub trait Handler: Send + Sync {
    /// Answers one request; nothing is waited for.
    fn call(&self, call: &Call<'_>) -> Answer;

    /// What the platform's clock shows, Unix ms: the `Date` of answers.
    fn platform_ms(&self) -> i64;
}

/// What a server serves.
#[derive(Clone, Default)]
pub struct ServerParts {
    /// The Stream gateways, one for each app.
    pub streams: Vec<Stream>,
    /// The API; without one everything else is 404.
    pub api: Option<Arc<dyn Handler>>,
}

/// DingTalk on a socket. It stops when dropped.
pub struct Server {
    handle: ServerHandle,
    address: SocketAddr,
}

impl Server {
    /// Serves on a thread of its own until it is stopped.
    ///
    /// # Errors
    /// If the server cannot be set up.
    pub fn start(listener: TcpListener, parts: ServerParts) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let parts = Arc::new(parts);
        let (sender, receiver) = mpsc::channel();
        std::thread::Builder::new().name("simulated-dingtalk".to_owned()).spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(web::Data::from(Arc::clone(&parts)))
                        .app_data(web::PayloadConfig::new(MAX_BODY_BYTES))
                        .configure(routes::configure)
                })
                .workers(1)
                .keep_alive(KEEP_ALIVE)
                .disable_signals()
                .on_connect(cutter::arrive)
                .listen(listener);
                match server.map(HttpServer::run) {
                    Ok(server) => {
                        // Nobody waits any more if the owner is gone; then the server goes too.
                        if sender.send(Ok(server.handle())).is_ok() {
                            server.await.ok();
                        }
                    }
                    Err(error) => drop(sender.send(Err(error))),
                }
            });
        })?;
        let handle = receiver.recv().map_err(io::Error::other)??;
        Ok(Self { handle, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What goes before the paths of both the old and the new API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it at once; open connections are closed without a word.
    pub async fn stop(&self) {
        self.handle.stop(false).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The order to stop is given by the call; nobody has to wait for it.
        drop(self.handle.stop(false));
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}
