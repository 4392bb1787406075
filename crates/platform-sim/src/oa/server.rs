//! The OA's HTTP side: signature, decryption, scripted answers.

use std::any::Any;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};

use actix_web::dev::{Extensions, ServerHandle};
use actix_web::http::{Method, StatusCode};
use actix_web::rt::System;
use actix_web::rt::net::TcpStream as Connection;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use roxmltree::Document;

use super::{Shared, State};
use crate::query;

const MAX_BODY_BYTES: usize = 4 << 20;

/// A second handle on a connection, to cut it without an answer.
struct Cutter(TcpStream);

impl Cutter {
    fn cut(&self) {
        // Already closed by the other side is as good.
        self.0.shutdown(Shutdown::Both).ok();
    }
}

/// Serves on a thread of its own until it is stopped.
pub(super) fn start(listener: TcpListener, shared: Arc<Shared>) -> io::Result<ServerHandle> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new().name("simulated-oa".to_owned()).spawn(move || {
        System::new().block_on(async move {
            let at_the_door = Arc::clone(&shared);
            let server = HttpServer::new(move || {
                App::new()
                    .app_data(web::Data::from(Arc::clone(&shared)))
                    .app_data(web::PayloadConfig::new(MAX_BODY_BYTES))
                    .default_service(web::to(handle))
            })
            .workers(1)
            .disable_signals()
            .on_connect(move |connection, extensions| arrive(&at_the_door, connection, extensions))
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
    receiver.recv().map_err(io::Error::other)?
}

fn arrive(shared: &Shared, connection: &dyn Any, extensions: &mut Extensions) {
    let Some(Ok(duplicate)) = connection.downcast_ref::<Connection>().map(duplicate) else { return };
    let cutter = Cutter(duplicate);
    if shared.script.state() == State::Down {
        cutter.cut();
    }
    extensions.insert(cutter);
}

#[cfg(unix)]
fn duplicate(connection: &Connection) -> io::Result<TcpStream> {
    use std::os::fd::AsFd;
    connection.as_fd().try_clone_to_owned().map(TcpStream::from)
}

#[cfg(windows)]
fn duplicate(connection: &Connection) -> io::Result<TcpStream> {
    use std::os::windows::io::AsSocket;
    connection.as_socket().try_clone_to_owned().map(TcpStream::from)
}

async fn handle(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let state = shared.script.state();
    match state {
        State::Up | State::Mute => {}
        State::Down => return cut(&request),
        State::Failing(status) => return status_only(status),
        State::Hanging => {
            shared.script.changed().await;
            return cut(&request);
        }
    }
    let answer = match *request.method() {
        Method::GET => verify(&request, &shared),
        Method::POST => take(&request, &body, &shared),
        _ => Err(No::Scripted(405)),
    };
    if state == State::Mute {
        return cut(&request);
    }
    match answer {
        Ok(answer) => answer,
        Err(No::Scripted(status)) => status_only(status),
        Err(No::Refused(status)) => {
            shared.book().refused += 1;
            status_only(status)
        }
    }
}

/// Why there is no good answer, with its status.
enum No {
    /// Badly signed, not decryptable, unreadable.
    Refused(u16),
    /// As the OA was told.
    Scripted(u16),
}

fn verify(request: &HttpRequest, shared: &Shared) -> Result<HttpResponse, No> {
    let echo = query::parameter(request.query_string(), "echostr").ok_or(No::Refused(400))?;
    let text = open(request, shared, &echo)?;
    Ok(HttpResponse::Ok().content_type("text/plain").body(text))
}

fn take(request: &HttpRequest, body: &[u8], shared: &Shared) -> Result<HttpResponse, No> {
    let encrypt = encrypted(body).ok_or(No::Refused(400))?;
    let text = String::from_utf8(open(request, shared, &encrypt)?).map_err(|_error| No::Refused(400))?;
    let mut wire = request.query_string().as_bytes().to_vec();
    wire.extend_from_slice(body);
    let taken = shared.book().take(&text, &wire, |subject| shared.script.status_for(subject));
    taken.map_err(No::Scripted)?;
    Ok(HttpResponse::Ok().content_type("text/plain").body(shared.answer.clone()))
}

/// The decrypted text, or 401 for a bad signature and 400 for a bad inside.
fn open(request: &HttpRequest, shared: &Shared, encrypt: &str) -> Result<Vec<u8>, No> {
    let parameter = |name| query::parameter(request.query_string(), name).ok_or(No::Refused(401));
    let (signature, timestamp, nonce) = (parameter("msg_signature")?, parameter("timestamp")?, parameter("nonce")?);
    if !shared.keys.verify(&signature, &timestamp, &nonce, encrypt) {
        return Err(No::Refused(401));
    }
    shared.keys.decrypt(encrypt).map_err(|_error| No::Refused(400))
}

fn encrypted(body: &[u8]) -> Option<String> {
    let document = Document::parse(std::str::from_utf8(body).ok()?).ok()?;
    let mut nodes = document.root_element().children().filter(|node| node.has_tag_name("Encrypt"));
    let text = nodes.next()?.text()?.trim().to_owned();
    nodes.next().is_none().then_some(text)
}

fn status_only(status: u16) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)).finish()
}

/// Cuts the connection; the answer that is returned reaches nobody.
fn cut(request: &HttpRequest) -> HttpResponse {
    if let Some(cutter) = request.conn_data::<Cutter>() {
        cutter.cut();
    }
    HttpResponse::InternalServerError().force_close().finish()
}
