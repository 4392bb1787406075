//! A line to the server that can be cut.

use std::{
    future::pending,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use common::Secret;
use lapin::uri::AMQPUri;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::site::url;

#[derive(Clone, Copy)]
enum Line {
    Whole,
    /// Both sides are told.
    Cut,
    /// Nobody is told; nothing arrives any more.
    Silent,
}

/// See the module. What is done to the line concerns the connections that are on it; new ones work.
pub(super) struct Proxy {
    address: SocketAddr,
    line: watch::Sender<Line>,
    open: Arc<AtomicUsize>,
}

impl Proxy {
    pub(super) async fn new() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap()).await
    }

    pub(super) async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (line, open) = (watch::channel(Line::Whole).0, Arc::new(AtomicUsize::new(0)));
        tokio::spawn(accept(listener, line.clone(), Arc::clone(&open)));
        Self { address, line, open }
    }

    /// The URL of the server on this line.
    pub(super) fn url(&self, query: &str) -> Secret {
        url_at(self.address, query)
    }

    pub(super) fn cut(&self) {
        self.line.send_replace(Line::Cut);
    }

    pub(super) fn silence(&self) {
        self.line.send_replace(Line::Silent);
    }

    /// How many connections are on the line.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

/// The URL of the server as if it were at another address.
pub(super) fn url_at(address: SocketAddr, query: &str) -> Secret {
    let mut uri: AMQPUri = url().parse().unwrap();
    uri.authority.host = address.ip().to_string();
    uri.authority.port = address.port();
    Secret::new(format!("{uri}{query}"))
}

async fn accept(listener: TcpListener, line: watch::Sender<Line>, open: Arc<AtomicUsize>) {
    let host = url().parse::<AMQPUri>().unwrap().authority;
    while let Ok((mut client, _)) = listener.accept().await {
        let (mut changes, open, host) = (line.subscribe(), Arc::clone(&open), host.clone());
        tokio::spawn(async move {
            let Ok(mut server) = TcpStream::connect((host.host.as_str(), host.port)).await else { return };
            open.fetch_add(1, Ordering::SeqCst);
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => {}
                _ = changes.changed() => {}
            }
            open.fetch_sub(1, Ordering::SeqCst);
            let line = *changes.borrow();
            if matches!(line, Line::Silent) {
                // Both sockets stay open.
                pending::<()>().await;
            }
        });
    }
}
