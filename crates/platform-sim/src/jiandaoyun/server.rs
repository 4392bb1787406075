//! The API on a socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use actix_web::body::SizedStream;
use actix_web::dev::ServerHandle;
use actix_web::http::{StatusCode, header};
use actix_web::rt::System;
use actix_web::rt::time::sleep;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures::{StreamExt, stream};

use super::{Answer, Api, Call, Delivery};
use crate::api::cutter;

const MAX_BODY_BYTES: usize = 4 << 20;
/// Idle connections of clients live long, so that nobody meets one that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// So that the first half of an answer is on its way before the connection breaks.
const BETWEEN_HALVES: Duration = Duration::from_millis(20);

/// Jiandaoyun on a socket. It stops when dropped.
pub struct Server {
    handle: ServerHandle,
    address: SocketAddr,
}

impl Server {
    /// Serves on a thread of its own until it is stopped.
    ///
    /// # Errors
    /// If the server cannot be set up.
    pub fn start(listener: TcpListener, api: Api) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, receiver) = mpsc::channel();
        std::thread::Builder::new().name("simulated-jiandaoyun".to_owned()).spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(web::Data::new(api.clone()))
                        .app_data(web::PayloadConfig::new(MAX_BODY_BYTES))
                        .default_service(web::to(handle))
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

    /// What goes before the version in addresses of interfaces.
    #[must_use]
    pub fn api_base(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// Stops it at once; open connections are closed.
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

async fn handle(request: HttpRequest, body: web::Bytes, api: web::Data<Api>) -> HttpResponse {
    let _ticket = api.enter();
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Vec<(String, String)> =
        request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let answer = api.call(&Call {
        method: request.method().as_str(),
        path: request.path(),
        headers: &headers,
        body: &body,
        peer: request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical()),
    });
    match answer.delivery {
        Delivery::Now | Delivery::Half => {}
        Delivery::Late(pause) => sleep(pause).await,
        Delivery::Cut => cutter::cut(&request),
        Delivery::Never => std::future::pending().await,
    }
    respond(answer, api.platform_ms())
}

fn respond(answer: Answer, platform_ms: i64) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(platform_ms.max(0).unsigned_abs());
    let mut response = HttpResponse::build(status);
    response.insert_header(header::Date(now.into())).content_type(answer.content_type);
    let mut body = answer.body;
    if answer.delivery != Delivery::Half {
        return response.body(body);
    }
    let length = body.len() as u64;
    body.truncate(body.len() / 2);
    let first = stream::iter([Ok(web::Bytes::from(body))]);
    let end = stream::once(async {
        sleep(BETWEEN_HALVES).await;
        Err::<web::Bytes, io::Error>(io::ErrorKind::ConnectionReset.into())
    });
    response.body(SizedStream::new(length, first.chain(end)))
}
