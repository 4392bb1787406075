//! One open connection: frames in, answers out.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dingtalk::stream::{Frame, FrameKind, ack_echo, ack_not_found};
use futures::{SinkExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    select,
    time::{Instant, sleep_until, timeout, timeout_at},
};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;

use super::dial::Socket;

/// A quiet connection is pinged, so that one that is dead is not quiet in the same way.
const PING_EVERY: Duration = Duration::from_secs(25);
/// Nothing was heard for so long, not even an answer to a ping: nobody is there any more. The network tells of few such ends.
const SILENCE: Duration = Duration::from_secs(50);
/// Events of one connection that are taken over at the same time. While there are so many nothing more is read, and the platform
/// sends elsewhere.
const MOST_IN_HAND: usize = 64;
/// How long sending one message may take.
const SENDING: Duration = Duration::from_secs(10);
/// How long a connection is kept for its last answers once another is to take its place; the platform ends it after as long
/// (reference dingtalk 1.7).
const LINGER: Duration = Duration::from_secs(10);
/// How long what is in hand is waited for at the end: a little longer than taking it over may take.
const LAST_ANSWERS: Duration = Duration::from_secs(3);
/// How long the other side is waited for when a connection is closed.
const CLOSING: Duration = Duration::from_secs(1);

/// What is done with what comes.
#[async_trait]
pub(super) trait Receive: Send + Sync {
    /// Takes over what a frame says that was heard then; the answer.
    async fn take(&self, frame: Frame, heard_at: Instant) -> String;

    /// Something came that is no frame, and cannot be answered.
    fn misread(&self);
}

/// An open connection.
pub(super) struct Connection {
    socket: Socket,
    receiver: Arc<dyn Receive>,
    in_hand: FuturesUnordered<BoxFuture<'static, String>>,
    opened_at: Instant,
    heard_at: Instant,
    ping_at: Instant,
    has_carried: bool,
}

/// Why a connection is not served any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// We were told to stop.
    Told,
    /// The platform will close it soon, and sends nothing more on it: another is to be opened at once.
    Planned,
    /// The platform closed it.
    Closed,
    /// It broke, or what came is no WebSocket's.
    Broken,
    /// Nothing was heard for too long.
    Silent,
}

/// What can happen while nothing is being sent.
enum Happened {
    Answered(String),
    Heard(Option<tungstenite::Result<Message>>),
    Silence,
    PingIsDue,
}

impl Ended {
    /// A word for the log.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Told => "told to stop",
            Self::Planned => "planned by the platform",
            Self::Closed => "closed by the platform",
            Self::Broken => "broken",
            Self::Silent => "silent",
        }
    }
}

impl Connection {
    pub(super) fn new(socket: Socket, receiver: Arc<dyn Receive>) -> Self {
        let now = Instant::now();
        Self {
            socket,
            receiver,
            in_hand: FuturesUnordered::new(),
            opened_at: now,
            heard_at: now,
            ping_at: now + PING_EVERY,
            has_carried: false,
        }
    }

    /// How old it is.
    pub(super) fn age(&self) -> Duration {
        self.opened_at.elapsed()
    }

    /// Whether an event came over it.
    pub(super) const fn has_carried(&self) -> bool {
        self.has_carried
    }

    /// Reads and answers until something ends it.
    pub(super) async fn serve(&mut self, stop: &CancellationToken) -> Ended {
        loop {
            let happened = select! {
                biased;
                () = stop.cancelled() => return Ended::Told,
                happened = self.happens() => happened,
            };
            if let Err(ended) = self.deal_with(happened).await {
                return ended;
            }
        }
    }

    /// Goes on until what is in hand is answered and `next` is cancelled, since another connection is open then; for a while
    /// at most.
    pub(super) async fn drain(mut self, next: CancellationToken) {
        let deadline = Instant::now() + LINGER;
        while !(next.is_cancelled() && self.in_hand.is_empty()) {
            let happened = select! {
                biased;
                () = sleep_until(deadline) => break,
                () = next.cancelled(), if !next.is_cancelled() => continue,
                happened = self.happens() => happened,
            };
            match self.deal_with(happened).await {
                Ok(()) | Err(Ended::Planned) => {}
                Err(_) => return self.abandon().await,
            }
        }
        self.close().await;
    }

    /// Reads nothing more, answers what is in hand, and closes it.
    pub(super) async fn finish(mut self) {
        let deadline = Instant::now() + LAST_ANSWERS;
        while let Ok(Some(answer)) = timeout_at(deadline, self.in_hand.next()).await {
            if self.send(Message::text(answer)).await.is_err() {
                return self.abandon().await;
            }
        }
        self.close().await;
    }

    /// Lets go of it at once. What is in hand is taken over all the same, though nobody hears the answers: it may have come for the
    /// last time.
    pub(super) fn abandon(self) -> BoxFuture<'static, ()> {
        let mut in_hand = self.in_hand;
        Box::pin(async move {
            let deadline = Instant::now() + LAST_ANSWERS;
            while let Ok(Some(_)) = timeout_at(deadline, in_hand.next()).await {}
        })
    }

    async fn close(mut self) {
        let closing = async {
            if self.socket.close(None).await.is_ok() {
                // What nobody reads would reset the connection, and the last answers with it.
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        if timeout(CLOSING, closing).await.is_err() {
            tracing::debug!("a Stream connection was left without a farewell");
        }
    }

    /// Waits for the next thing. Nothing is lost when it is waited for anew.
    async fn happens(&mut self) -> Happened {
        let has_room = self.in_hand.len() < MOST_IN_HAND;
        select! {
            // What came while the process stood still is looked at before the clock.
            biased;
            Some(answer) = self.in_hand.next(), if !self.in_hand.is_empty() => Happened::Answered(answer),
            heard = self.socket.next(), if has_room => Happened::Heard(heard),
            () = sleep_until(self.heard_at + SILENCE) => Happened::Silence,
            () = sleep_until(self.ping_at) => Happened::PingIsDue,
        }
    }

    async fn deal_with(&mut self, happened: Happened) -> Result<(), Ended> {
        match happened {
            Happened::Answered(answer) => self.send(Message::text(answer)).await,
            Happened::Heard(Some(Ok(message))) => {
                self.heard_at = Instant::now();
                self.hear(message).await
            }
            Happened::Heard(None) => Err(Ended::Closed),
            Happened::Heard(Some(Err(_))) => Err(Ended::Broken),
            Happened::Silence => Err(Ended::Silent),
            Happened::PingIsDue => {
                self.ping_at = Instant::now() + PING_EVERY;
                self.send(Message::Ping(Bytes::new())).await
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), Ended> {
        match message {
            Message::Text(text) => match Frame::parse(text.as_str()) {
                Ok(frame) => self.read(frame).await,
                Err(_) => {
                    self.receiver.misread();
                    Ok(())
                }
            },
            Message::Binary(_) => {
                self.receiver.misread();
                Ok(())
            }
            Message::Close(_) => Err(Ended::Closed),
            // The protocol's own pings are answered below us.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    async fn read(&mut self, frame: Frame) -> Result<(), Ended> {
        match (frame.kind, frame.topic()) {
            (FrameKind::Event, _) => {
                self.has_carried = true;
                let (receiver, heard_at) = (Arc::clone(&self.receiver), self.heard_at);
                self.in_hand.push(Box::pin(async move { receiver.take(frame, heard_at).await }));
                Ok(())
            }
            (FrameKind::System, "disconnect") => Err(Ended::Planned),
            (FrameKind::System, "ping" | "KEEPALIVE") => self.send(Message::text(ack_echo(&frame))).await,
            // CONNECTED, REGISTERED and what else there may be want no answer.
            (FrameKind::System, _) => Ok(()),
            (FrameKind::Callback | FrameKind::Other, _) => self.send(Message::text(ack_not_found(&frame))).await,
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Ended> {
        match timeout(SENDING, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Ended::Broken),
        }
    }
}
