//! Cuts a connection without an answer.

use std::any::Any;
use std::io;
use std::net::{Shutdown, TcpStream};

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream as Connection;

/// A second handle on a connection.
struct Cutter(TcpStream);

/// Keeps a second handle on a connection that has just come in.
pub(crate) fn arrive(connection: &dyn Any, extensions: &mut Extensions) {
    if let Some(Ok(duplicate)) = connection.downcast_ref::<Connection>().map(duplicate) {
        extensions.insert(Cutter(duplicate));
    }
}

/// Cuts the connection that a request came by; no answer reaches anybody any more.
pub(crate) fn cut(request: &HttpRequest) {
    if let Some(Cutter(connection)) = request.conn_data::<Cutter>() {
        // Already closed by the other side is as good.
        connection.shutdown(Shutdown::Both).ok();
    }
}

/// Another handle on the connection that a request came by, to cut it later.
pub(crate) fn second_handle(request: &HttpRequest) -> Option<TcpStream> {
    let Cutter(connection) = request.conn_data::<Cutter>()?;
    connection.try_clone().ok()
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
