//! From the spool to the broker: one consumer of the spool per hop and lane.

use std::{
    collections::BTreeSet,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use common::Hop;
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use super::{
    envelope,
    gauge::{Gauge, SpoolStats},
};
use crate::error::chain;
use crate::{Broker, ConsumeOptions, Delivery, Embedded, Failure, Handler, Lane};

/// The consumers of a spool. They end, wherever they are, when this is dropped.
pub(super) struct Forwarders {
    main: Arc<dyn Broker>,
    spool: Embedded,
    gauge: Arc<Gauge>,
    options: ConsumeOptions,
    stop: CancellationToken,
    started: Mutex<Started>,
}

#[derive(Default)]
struct Started {
    of: BTreeSet<(Hop, Lane)>,
    running: JoinSet<()>,
}

impl Forwarders {
    pub(super) fn new(main: Arc<dyn Broker>, spool: Embedded, gauge: Arc<Gauge>, options: ConsumeOptions) -> Self {
        Self { main, spool, gauge, options, stop: CancellationToken::new(), started: Mutex::default() }
    }

    /// Sees to it that somebody forwards what is in this lane.
    pub(super) fn ensure(&self, hop: Hop, lane: &Lane) {
        let mut started = self.started();
        if !started.of.insert((hop, lane.clone())) {
            return;
        }
        let (main, gauge) = (Arc::clone(&self.main), Arc::clone(&self.gauge));
        let (spool, options, stop, lane) = (self.spool.clone(), self.options, self.stop.clone(), lane.clone());
        started.running.spawn(async move {
            let lanes = [lane.clone()];
            let forwarder = Arc::new(Forwarder { main, gauge, hop, lane });
            if let Err(error) = spool.consume(hop, &lanes, options, forwarder, stop).await {
                error!(error = %chain(&error), "the spool cannot be read any more");
            }
        });
    }

    /// Ends them all: gives them that long to finish what is in hand, then cuts them off.
    pub(super) async fn stop(&self, patience: Duration) {
        self.stop.cancel();
        let mut running = mem::take(&mut self.started().running);
        let ended = async { while running.join_next().await.is_some() {} };
        if timeout(patience, ended).await.is_err() {
            running.shutdown().await;
        }
    }

    fn started(&self) -> MutexGuard<'_, Started> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Forwarder {
    main: Arc<dyn Broker>,
    gauge: Arc<Gauge>,
    hop: Hop,
    lane: Lane,
}

#[async_trait]
impl Handler for Forwarder {
    async fn handle(&self, batch: &[Delivery]) -> Result<(), Failure> {
        let messages = batch.iter().map(|delivery| envelope::open(&delivery.payload)).collect();
        match self.main.publish(self.hop, &self.lane, messages).await {
            Ok(()) => {
                fail::fail_point!("spool.forwarded_before_delete");
                self.gauge.forwarded(SpoolStats::of(batch.iter().map(|delivery| &delivery.payload)));
                Ok(())
            }
            // Also what looks hopeless is tried again: nothing that was answered may be dropped here.
            Err(error) => {
                debug!(error = %chain(&error), "the broker does not take messages of the spool yet");
                self.gauge.fails();
                Err(Failure::RETRY)
            }
        }
    }

    /// Reached only after a panic below us; the message stays.
    async fn bury(&self, _delivery: &Delivery) -> Result<(), Failure> {
        Err(Failure::RETRY)
    }
}
