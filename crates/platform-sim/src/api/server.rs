//! The APIs' HTTP side.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use actix_web::dev::ServerHandle;
use actix_web::http::{StatusCode, header};
use actix_web::rt::System;
use actix_web::rt::time::sleep;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use super::{Answer, Call, Crowd, Delivery, cutter};

const MAX_BODY_BYTES: usize = 4 << 20;
/// Idle connections of clients live long, so that nobody meets one that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// One company's API on a socket, or those of many. It stops when dropped.
pub struct ApiServer {
    handle: ServerHandle,
    address: SocketAddr,
}

impl ApiServer {
    /// Serves on a thread of its own until it is stopped.
    pub(super) fn start(listener: TcpListener, crowd: Crowd) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, receiver) = mpsc::channel();
        std::thread::Builder::new().name("simulated-api".to_owned()).spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(web::Data::new(crowd.clone()))
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

    /// What goes before `/cgi-bin/` in addresses of interfaces.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it at once; open connections are closed.
    pub async fn stop(&self) {
        self.handle.stop(false).await;
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        // The order to stop is given by the call; nobody has to wait for it.
        drop(self.handle.stop(false));
    }
}

impl std::fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiServer").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn handle(request: HttpRequest, body: web::Bytes, crowd: web::Data<Crowd>) -> HttpResponse {
    let call = Call {
        method: request.method().as_str(),
        path: request.path(),
        query: request.query_string(),
        body: &body,
        peer: request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical()),
    };
    let api = crowd.of(&call);
    let mut released = api.released();
    let answer = api.call(&call);
    crowd.note(&call, &api, &answer);
    let Answer { status, body, delivery } = answer;
    match delivery {
        Delivery::Now => {}
        Delivery::Late(pause) => sleep(pause).await,
        Delivery::Held => {
            // The sender lives as long as this API.
            released.changed().await.ok();
        }
        Delivery::Cut => cutter::cut(&request),
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(api.platform_seconds().max(0).unsigned_abs());
    HttpResponse::build(status)
        .insert_header(header::Date(now.into()))
        .content_type("application/json; charset=UTF-8")
        .body(body)
}
