//! Opening a process's context, and asking its admin server.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
};

use service::{Config, Context, Inhabitants};
use tokio_util::sync::CancellationToken;

pub(crate) async fn opened(directory: &Path) -> Context {
    service::open(&Config::in_directory(directory.to_owned()), Inhabitants::ALL, CancellationToken::new())
        .await
        .unwrap()
}

fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text)
}

pub(crate) async fn asked(address: SocketAddr, path: &'static str) -> (u16, String) {
    tokio::task::spawn_blocking(move || get(address, path)).await.unwrap()
}
