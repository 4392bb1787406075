//! TCP connections that a test can disturb.

use std::{
    io, mem,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Listens on a free loopback port and carries each connection to one of its targets, by turns; a target that does not
/// listen is passed over. When it is dropped its connections are closed.
///
/// What it disturbs are connections, not packets: the kernel on either side goes on to acknowledge what it was sent, so
/// time-outs of TCP itself do not run, only those of who waits for an answer.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _running: DropGuard,
}

struct Shared {
    targets: Vec<SocketAddr>,
    turn: AtomicUsize,
    refuses: AtomicBool,
    hole: watch::Sender<bool>,
    accepted: AtomicUsize,
    open: AtomicUsize,
    running: CancellationToken,
    /// Ends the connections of now; those that come later have another.
    cut: Mutex<CancellationToken>,
}

impl Proxy {
    /// Starts one.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(targets: impl IntoIterator<Item = SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let running = CancellationToken::new();
        let shared = Arc::new(Shared {
            targets: targets.into_iter().collect(),
            turn: AtomicUsize::new(0),
            refuses: AtomicBool::new(false),
            hole: watch::Sender::new(false),
            accepted: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            cut: Mutex::new(running.child_token()),
            running: running.clone(),
        });
        let accepting = accept(listener, Arc::clone(&shared));
        let until = running.clone();
        tokio::spawn(async move { until.run_until_cancelled(accepting).await });
        Self { address, shared, _running: running.drop_guard() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections of now, on both sides.
    pub fn cut(&self) {
        let next = self.shared.running.child_token();
        let mut cut = self.shared.cut.lock().unwrap_or_else(PoisonError::into_inner);
        mem::replace(&mut *cut, next).cancel();
    }

    /// While `on`, nothing gets through, in either direction: no byte, no end, no new connection; and nothing is closed.
    /// Afterwards everything that was held arrives, as TCP sends again what was lost.
    pub fn black_hole(&self, on: bool) {
        self.shared.hole.send_replace(on);
    }

    /// While `on`, new connections are closed as soon as they are made. Those that are there stay.
    pub fn refuse(&self, on: bool) {
        self.shared.refuses.store(on, Ordering::SeqCst);
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// How many connections there have ever been, without refused ones.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (client, _) = listener.accept().await.expect("a connection");
        if shared.refuses.load(Ordering::SeqCst) {
            continue;
        }
        shared.accepted.fetch_add(1, Ordering::SeqCst);
        shared.open.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(&shared);
        let cut = shared.cut.lock().unwrap_or_else(PoisonError::into_inner).clone();
        tokio::spawn(async move {
            // However it ends: both sides are closed by now.
            cut.run_until_cancelled(shared.carry(client)).await;
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

impl Shared {
    async fn carry(&self, client: TcpStream) {
        self.pass_hole().await;
        let Some(server) = self.connect().await else { return };
        for side in [&client, &server] {
            // Without it small packets only take longer.
            side.set_nodelay(true).ok();
        }
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        // An end is passed on and leaves the other direction open; a failure is one of both.
        tokio::try_join!(self.pass(from_client, to_server), self.pass(from_server, to_client)).ok();
    }

    async fn connect(&self) -> Option<TcpStream> {
        let first = self.turn.fetch_add(1, Ordering::SeqCst);
        for offset in 0..self.targets.len() {
            let target = self.targets.get((first + offset) % self.targets.len())?;
            if let Ok(server) = TcpStream::connect(target).await {
                return Some(server);
            }
        }
        None
    }

    async fn pass(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = from.read(&mut buffer).await;
            self.pass_hole().await;
            match buffer.get(..read?) {
                None | Some([]) => return to.shutdown().await,
                Some(bytes) => to.write_all(bytes).await?,
            }
        }
    }

    async fn pass_hole(&self) {
        // The sender is ours, so it cannot have gone.
        self.hole.subscribe().wait_for(|is_there| !is_there).await.ok();
    }
}
