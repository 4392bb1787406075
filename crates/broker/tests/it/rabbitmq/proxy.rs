//! A line to the server that can be cut.

use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use common::Secret;
use lapin::uri::AMQPUri;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
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
    /// Whether what the server says waits here.
    is_held: watch::Sender<bool>,
    open: Arc<AtomicUsize>,
}

impl Proxy {
    pub(super) async fn new() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap()).await
    }

    pub(super) async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (line, is_held) = (watch::channel(Line::Whole).0, watch::channel(false).0);
        let open = Arc::new(AtomicUsize::new(0));
        tokio::spawn(accept(listener, line.clone(), is_held.clone(), Arc::clone(&open)));
        Self { address, line, is_held, open }
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

    /// From now on the server hears, and what it says waits.
    pub(super) fn hold_answers(&self) {
        self.is_held.send_replace(true);
    }

    /// What waited arrives.
    pub(super) fn release_answers(&self) {
        self.is_held.send_replace(false);
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

async fn accept(
    listener: TcpListener,
    line: watch::Sender<Line>,
    is_held: watch::Sender<bool>,
    open: Arc<AtomicUsize>,
) {
    let host = url().parse::<AMQPUri>().unwrap().authority;
    while let Ok((mut client, _)) = listener.accept().await {
        let (mut changes, is_held) = (line.subscribe(), is_held.subscribe());
        let (open, host) = (Arc::clone(&open), host.clone());
        tokio::spawn(async move {
            let Ok(mut server) = TcpStream::connect((host.host.as_str(), host.port)).await else { return };
            open.fetch_add(1, Ordering::SeqCst);
            tokio::select! {
                _ = carry(&mut client, &mut server, is_held) => {}
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

/// Carries what both say, until both have nothing more to say.
async fn carry(client: &mut TcpStream, server: &mut TcpStream, is_held: watch::Receiver<bool>) -> io::Result<()> {
    let ((mut asks, hears), (answers, mut is_asked)) = (client.split(), server.split());
    let there = async {
        copy(&mut asks, &mut is_asked).await?;
        is_asked.shutdown().await
    };
    tokio::try_join!(there, pass_on(answers, hears, is_held)).map(drop)
}

async fn pass_on(
    mut answers: ReadHalf<'_>,
    mut hears: WriteHalf<'_>,
    mut is_held: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        let count = answers.read(&mut bytes).await?;
        drop(is_held.wait_for(|is_held| !is_held).await);
        if count == 0 {
            return hears.shutdown().await;
        }
        hears.write_all(&bytes[..count]).await?;
    }
}
