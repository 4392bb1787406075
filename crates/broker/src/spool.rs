//! A broker that may be away, with a spool on the local disk in front of it.

mod envelope;
mod forward;
mod gauge;

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use common::{Backoff, Hop};
use database::{Database, Options};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::debug;

pub use self::gauge::SpoolStats;
use self::{forward::Forwarders, gauge::Gauge};
use crate::error::chain;
use crate::{Broker, ConsumeOptions, Embedded, Error, Handler, Lane, Outgoing, Result, Share};

/// How long [`Spooled::close`] goes on bringing messages to a broker that works.
const LAST_FORWARDING: Duration = Duration::from_secs(2);

/// How long it then waits for the batch in hand.
const LAST_BATCH: Duration = Duration::from_secs(2);

/// How a spool works.
#[derive(Debug, Clone, Copy)]
pub struct SpoolOptions {
    /// Bytes of messages that the spool takes; past this nothing is taken over. The file is somewhat longer.
    pub max_bytes: u64,
    /// How long the broker is waited for before a message goes to the spool instead.
    pub patience: Duration,
    /// How messages are brought from the spool to the broker.
    pub forwarding: ConsumeOptions,
}

impl SpoolOptions {
    /// A patience that lets a callback be answered within a second also while the broker is away.
    pub fn new(max_bytes: u64) -> Self {
        let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(1) };
        let forwarding = ConsumeOptions { batch_size: 256, handler_deadline: Duration::from_secs(30), backoff };
        Self { max_bytes, patience: Duration::from_millis(600), forwarding }
    }
}

/// A broker with a spool in front of it: what the broker does not take in time is durable on the local disk instead, and
/// brought to it later, in order.
///
/// Whatever is published while something is in the spool goes behind it, without waiting for the broker. So the order of a
/// caller's messages is kept, and it is the spool that tries whether the broker is back. The broker itself is tried
/// again by callers as soon as the spool is empty; its last few messages are waited for, since under load it would never be.
///
/// A message whose fate at the broker is not known goes to the spool too, and so may reach the broker twice.
///
/// Consuming is the broker's alone. One instance per spool may be open at a time (see [`database::DirectoryLock`]).
pub struct Spooled {
    main: Arc<dyn Broker>,
    spool: Embedded,
    gauge: Arc<Gauge>,
    forwarders: Forwarders,
    patience: Duration,
}

impl Spooled {
    /// The name of the spool's file in a data directory.
    pub const FILE_NAME: &str = "spool.db";

    /// Opens the spool of a data directory in front of `main`, and makes it where there is none. See [`Spooled::open`].
    ///
    /// # Errors
    /// Those of [`Spooled::open`].
    pub async fn open_in(directory: &Path, main: Arc<dyn Broker>, options: SpoolOptions) -> Result<Self> {
        let url = format!("sqlite://{}", directory.join(Self::FILE_NAME).display());
        let database = Database::open(&Options { pool_size: 2, ..Options::new(url) })?;
        Self::open(main, database, options).await
    }

    /// Opens a spool in a database that holds nothing else and syncs at every commit. What was left in it is brought to `main`
    /// from now on, while this lives.
    ///
    /// # Errors
    /// [`Error::NoRuntime`], and [`Error::Storage`] for what the database says. `main` is not asked.
    pub async fn open(main: Arc<dyn Broker>, database: Database, options: SpoolOptions) -> Result<Self> {
        // One partition: then order is kept whatever the keys are, and a batch is as large as it can be.
        let spool = Embedded::open(database, 1)?;
        let holdings = spool.holdings().await?;
        let held = holdings.iter().map(|holding| SpoolStats { events: holding.elements, bytes: holding.bytes });
        let gauge = Arc::new(Gauge::new(held.fold(SpoolStats::default(), SpoolStats::plus), options.max_bytes));
        let forwarders = Forwarders::new(Arc::clone(&main), spool.clone(), Arc::clone(&gauge), options.forwarding);
        for holding in holdings {
            forwarders.ensure(holding.hop, &holding.lane);
        }
        Ok(Self { main, spool, gauge, forwarders, patience: options.patience })
    }

    /// How much is in the spool. Costs nothing.
    pub fn stats(&self) -> SpoolStats {
        self.gauge.stats()
    }

    /// Ends forwarding, a few seconds at most: goes on for a short while if the broker works, then finishes the batch in hand.
    /// What remains stays on the disk for the next start.
    pub async fn close(&self) {
        drop(timeout(LAST_FORWARDING, self.gauge.runs_empty()).await);
        self.forwarders.stop(LAST_BATCH).await;
        self.spool.close().await;
    }

    /// `None`: it is the spool's turn.
    async fn publish_directly(&self, hop: Hop, lane: &Lane, messages: &[Outgoing]) -> Option<Result<()>> {
        if !self.gauge.is_clear().await {
            return None;
        }
        match self.main.publish(hop, lane, messages.to_vec()).await {
            Ok(()) => {
                self.gauge.works();
                Some(Ok(()))
            }
            // Nobody will ever take it.
            Err(error @ (Error::NotJson { .. } | Error::BadName)) => Some(Err(error)),
            Err(error) => {
                debug!(error = %chain(&error), "the broker did not take messages");
                self.gauge.fails();
                None
            }
        }
    }

    async fn keep(&self, hop: Hop, lane: &Lane, messages: &[Outgoing]) -> Result<()> {
        let sealed = envelope::seal(messages)?;
        let size = SpoolStats::of(sealed.iter().map(|message| &message.payload));
        if !self.gauge.reserve(size) {
            return Err(Error::Full);
        }
        self.forwarders.ensure(hop, lane);
        let (spool, gauge, lane) = (self.spool.clone(), Arc::clone(&self.gauge), lane.clone());
        // In a task of its own: a caller who stops waiting must not leave the gauge wrong.
        let kept = tokio::spawn(async move {
            fail::fail_point!("spool.before_write");
            let kept = spool.publish(hop, &lane, sealed).await;
            fail::fail_point!("spool.written_before_answer");
            if kept.is_err() {
                gauge.release(size);
            }
            kept
        });
        kept.await.unwrap_or(Err(Error::Closed))
    }
}

#[async_trait]
impl Broker for Spooled {
    async fn publish(&self, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        match timeout(self.patience, self.publish_directly(hop, lane, &messages)).await {
            Ok(Some(done)) => return done,
            Ok(None) => {}
            Err(_elapsed) => self.gauge.fails(),
        }
        self.keep(hop, lane, &messages).await
    }

    async fn consume(
        &self,
        hop: Hop,
        lanes: &[Lane],
        options: ConsumeOptions,
        handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> Result<()> {
        self.main.consume(hop, lanes, options, handler, stop).await
    }

    fn share(&self, hop: Hop, lane: &Lane) -> Share {
        self.main.share(hop, lane)
    }

    async fn depth(&self, hop: Hop) -> Result<u64> {
        let spooled = self.spool.depth(hop).await?;
        Ok(self.main.depth(hop).await?.saturating_add(spooled))
    }

    async fn depth_of(&self, hop: Hop, lane: &Lane) -> Result<u64> {
        let spooled = self.spool.depth_of(hop, lane).await?;
        Ok(self.main.depth_of(hop, lane).await?.saturating_add(spooled))
    }
}
