//! `/healthz` for whoever runs it, `/status` for whoever looks.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::{App, HttpResponse, HttpServer, web};

use super::Parts;

/// It stops when dropped.
pub(super) struct StatusServer {
    handle: ServerHandle,
    address: SocketAddr,
}

impl StatusServer {
    /// Serves on a thread of its own until it is stopped.
    pub(super) fn start(listener: TcpListener, parts: Arc<Parts>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, receiver) = mpsc::channel();
        std::thread::Builder::new().name("sandbox-status".to_owned()).spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(web::Data::from(Arc::clone(&parts)))
                        .route("/healthz", web::get().to(healthz))
                        .route("/status", web::get().to(status))
                })
                .workers(1)
                .disable_signals()
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
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for StatusServer {
    fn drop(&mut self) {
        // The order to stop is given by the call; nobody has to wait for it.
        drop(self.handle.stop(false));
    }
}

impl std::fmt::Debug for StatusServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatusServer").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

async fn status(parts: web::Data<Parts>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(format!("{:#}\n", parts.status()))
}
