//! The broker behind the spool, as the test wants it to be.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use broker::{Broker, ConsumeOptions, Error, Handler, Lane, Outgoing};
use common::Hop;
use tokio_util::sync::CancellationToken;

/// What the broker does with messages.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    Works,
    /// Takes them after a while.
    Slow(Duration),
    Fails,
    /// Neither takes them nor says so.
    Hangs,
    /// Takes them and never says so.
    TakesAndHangs,
}

type Taken = Vec<(Hop, Lane, Outgoing)>;

/// Remembers what it took.
pub(super) struct Main {
    mode: Mutex<Mode>,
    taken: Mutex<Taken>,
}

impl Main {
    pub(super) fn new(mode: Mode) -> Arc<Self> {
        Arc::new(Self { mode: Mutex::new(mode), taken: Mutex::default() })
    }

    pub(super) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    pub(super) fn taken(&self) -> Taken {
        self.taken.lock().unwrap().clone()
    }

    /// What it took of a key, in order.
    pub(super) fn payloads(&self, key: &str) -> Vec<String> {
        texts(self.taken().into_iter().filter(|(_, _, message)| message.ordering_key == key))
    }

    pub(super) fn in_lane(&self, hop: Hop, lane: &Lane) -> Vec<String> {
        texts(self.taken().into_iter().filter(|(of, at, _)| *of == hop && at == lane))
    }

    fn take(&self, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) {
        let messages = messages.into_iter().map(|message| (hop, lane.clone(), message));
        self.taken.lock().unwrap().extend(messages);
    }
}

fn texts(taken: impl Iterator<Item = (Hop, Lane, Outgoing)>) -> Vec<String> {
    taken.map(|(_, _, message)| String::from_utf8(message.payload.to_vec()).unwrap()).collect()
}

#[async_trait]
impl Broker for Main {
    async fn publish(&self, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) -> broker::Result<()> {
        let mode = *self.mode.lock().unwrap();
        match mode {
            Mode::Works => self.take(hop, lane, messages),
            Mode::Slow(wait) => {
                tokio::time::sleep(wait).await;
                self.take(hop, lane, messages);
            }
            Mode::Fails => return Err(Error::Closed),
            Mode::Hangs => std::future::pending().await,
            Mode::TakesAndHangs => {
                self.take(hop, lane, messages);
                std::future::pending::<()>().await;
            }
        }
        Ok(())
    }

    async fn consume(
        &self,
        _: Hop,
        _: &[Lane],
        _: ConsumeOptions,
        _: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> broker::Result<()> {
        stop.cancelled().await;
        Ok(())
    }

    async fn depth(&self, hop: Hop) -> broker::Result<u64> {
        Ok(self.taken.lock().unwrap().iter().filter(|(of, ..)| *of == hop).count() as u64)
    }
}
