//! One WebSocket connection.

use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use actix_ws::{CloseCode, Message, MessageStream, Session};
use tokio::sync::mpsc;

use super::Shared;

/// The greatest frame that is read from a client.
pub(in crate::dingtalk) const MAX_FRAME_BYTES: usize = 1 << 20;
/// How long the other side may take to answer a close frame.
const CLOSING: Duration = Duration::from_secs(1);

/// What is to be done with a connection.
pub(super) enum Out {
    /// Send a text.
    Text(String),
    /// Close it cleanly.
    Close,
}

/// A connection as its socket sees it. When it is dropped the connection is gone.
pub(in crate::dingtalk) struct Line {
    shared: Arc<Shared>,
    id: u64,
    out: mpsc::UnboundedReceiver<Out>,
}

impl Line {
    pub(super) fn new(shared: Arc<Shared>, id: u64, out: mpsc::UnboundedReceiver<Out>) -> Self {
        Self { shared, id, out }
    }

    fn hear(&self, text: &str) {
        let now_ms = self.shared.clock.now_ms();
        self.shared.state().hear(self.id, text, now_ms);
        self.shared.tell();
    }

    fn is_stalled(&self) -> bool {
        self.shared.state().is_stalled(self.id)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.state().left(self.id);
        self.shared.tell();
    }
}

/// Serves a connection until it ends.
pub(in crate::dingtalk) async fn run(
    mut line: Line,
    mut session: Session,
    mut messages: MessageStream,
    socket: Option<TcpStream>,
) {
    loop {
        tokio::select! {
            out = line.out.recv() => match out {
                Some(Out::Text(text)) => {
                    if session.text(text).await.is_err() {
                        return;
                    }
                }
                Some(Out::Close) | None => break,
            },
            message = messages.recv() => match message {
                None | Some(Err(_)) => return,
                // Who is half dead reads and says nothing.
                Some(Ok(_)) if line.is_stalled() => {}
                Some(Ok(Message::Text(text))) => line.hear(&text),
                Some(Ok(Message::Ping(bytes))) => {
                    if session.pong(&bytes).await.is_err() {
                        return;
                    }
                }
                Some(Ok(Message::Close(_))) => break,
                Some(Ok(_)) => {}
            },
        }
    }
    finish(&line, session, &mut messages).await;
    if let Some(socket) = socket {
        // Already closed by the other side is as good.
        socket.shutdown(Shutdown::Both).ok();
    }
}

/// Says the end, and takes in what was still on its way.
async fn finish(line: &Line, session: Session, messages: &mut MessageStream) {
    if session.close(Some(CloseCode::Normal.into())).await.is_err() {
        return;
    }
    let rest = async {
        while let Some(Ok(message)) = messages.recv().await {
            match message {
                Message::Text(text) => line.hear(&text),
                Message::Close(_) => return,
                _ => {}
            }
        }
    };
    // Who does not answer is cut.
    tokio::time::timeout(CLOSING, rest).await.ok();
}
