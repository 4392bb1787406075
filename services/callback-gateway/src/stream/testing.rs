//! A platform at the other end of a line in memory. Time is tokio's: it passes only when everybody waits.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use dingtalk::stream::{Frame, ack_success};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_tungstenite::tungstenite::{Message, protocol::Role};

use super::{
    connection::Receive,
    dial::{Dial, NoConnection, Socket, websocket},
};

/// So much may be on its way.
const LINE_BYTES: usize = 1 << 20;

/// Both ends of a new connection: ours, and the platform's.
pub(super) async fn line() -> (Socket, Far) {
    let (near, far) = tokio::io::duplex(LINE_BYTES);
    (websocket(Box::new(near), Role::Client).await, Far(websocket(Box::new(far), Role::Server).await))
}

/// The platform's end of a connection.
pub(super) struct Far(Socket);

impl Far {
    pub(super) async fn say(&mut self, kind: &str, topic: &str, id: &str, data: &str) {
        let frame = json!({ "type": kind, "headers": { "topic": topic, "messageId": id }, "data": data });
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// An event whose take-over takes so many milliseconds.
    pub(super) async fn event(&mut self, id: &str, millis: u64) {
        self.say("EVENT", "*", id, &millis.to_string()).await;
    }

    pub(super) async fn raw(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(super) async fn close(&mut self) {
        self.0.close(None).await.unwrap();
    }

    /// The next answer; nothing when the connection was closed instead. Pings are answered meanwhile.
    pub(super) async fn answer(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await?.ok()? {
                Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// The next answer: its message id and code.
    pub(super) async fn answered(&mut self) -> Option<(String, u64)> {
        let answer = self.answer().await?;
        Some((answer["headers"]["messageId"].as_str().unwrap().to_owned(), answer["code"].as_u64().unwrap()))
    }
}

/// Takes each event over in the time that it asks for.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) taken: AtomicUsize,
    pub(super) misread: AtomicUsize,
    pub(super) most_at_once: AtomicUsize,
    at_once: AtomicUsize,
}

#[async_trait]
impl Receive for Desk {
    async fn take(&self, frame: Frame, _: Instant) -> String {
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        sleep(Duration::from_millis(frame.data.parse().unwrap())).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        self.taken.fetch_add(1, Ordering::SeqCst);
        ack_success(&frame)
    }

    fn misread(&self) {
        self.misread.fetch_add(1, Ordering::SeqCst);
    }
}

/// Opens connections to whoever holds the other ends.
pub(super) struct Dials {
    failures: Mutex<VecDeque<NoConnection>>,
    fails_always: Mutex<Option<NoConnection>>,
    at: Mutex<Vec<Instant>>,
    far: mpsc::UnboundedSender<Far>,
}

impl Dials {
    /// The first ones fail like this. Also gives the other ends, one after the other.
    pub(super) fn new(failures: impl IntoIterator<Item = NoConnection>) -> (Arc<Self>, mpsc::UnboundedReceiver<Far>) {
        let (far, ends) = mpsc::unbounded_channel();
        let failures = Mutex::new(failures.into_iter().collect());
        (Arc::new(Self { failures, fails_always: Mutex::default(), at: Mutex::default(), far }), ends)
    }

    pub(super) fn fail_from_now_on(&self, failure: NoConnection) {
        *self.fails_always.lock().unwrap() = Some(failure);
    }

    /// When it was tried.
    pub(super) fn at(&self) -> Vec<Instant> {
        self.at.lock().unwrap().clone()
    }
}

#[async_trait]
impl Dial for Dials {
    async fn dial(&self) -> Result<Socket, NoConnection> {
        self.at.lock().unwrap().push(Instant::now());
        let failure = self.failures.lock().unwrap().pop_front().or(*self.fails_always.lock().unwrap());
        if let Some(failure) = failure {
            return Err(failure);
        }
        let (near, far) = line().await;
        // Who holds no other end is not interested in it.
        self.far.send(far).ok();
        Ok(near)
    }
}
