//! The task of one destination: does what its [`Courier`](crate::courier::Courier) says.

mod batch;
mod books;
mod breaker;
mod feed;
mod members;
mod messages;
mod round;
mod turn;
mod unsettled;

use std::{sync::Arc, time::Duration};

use broker::Lane;
use common::{DestinationId, Platform, TenantId, UnixMillis, jitter_of};
use destinations::{Destination, Unavailable};
use service::Context;
use store::destinations::{Backfill, State};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{Timing, handler::Batch};
use books::Books;
use breaker::Breaker;
use feed::Feed;
use unsettled::Unsettled;

/// What the manager tells a courier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Signal {
    /// The tenant's last version.
    pub(crate) last_version: u64,
    /// The destination's position.
    pub(crate) position: u64,
    /// What an operator wants.
    pub(crate) state: State,
    /// Whether the back-fill is still to come.
    pub(crate) backfill: Option<Backfill>,
    /// Grows when a person changed what is held.
    pub(crate) touched: i64,
    /// Something is held or waits.
    pub(crate) has_held: bool,
    /// The destination has a row.
    pub(crate) is_declared: bool,
    /// The tenant's changes come to this process; `None` while nobody knows to whom they come.
    pub(crate) comes_here: Option<bool>,
}

/// What a worker is made of.
pub(crate) struct WorkerParts {
    pub(crate) context: Context,
    pub(crate) timing: Timing,
    pub(crate) batch_size: usize,
    pub(crate) retry_limit_millis: i64,
    pub(crate) tenant: TenantId,
    pub(crate) destination_id: DestinationId,
    pub(crate) kind: &'static str,
    pub(crate) directory: Platform,
    pub(crate) lane: Lane,
    pub(crate) corp_id: String,
    pub(crate) destination: Destination,
    pub(crate) fingerprint: String,
    pub(crate) feed: mpsc::Receiver<Batch>,
    pub(crate) signal: watch::Receiver<Signal>,
    pub(crate) stop: CancellationToken,
}

pub(crate) struct Worker {
    context: Context,
    timing: Timing,
    batch_size: usize,
    retry_limit_millis: i64,
    tenant: TenantId,
    id: DestinationId,
    kind: &'static str,
    /// Where the tenant's directory comes from.
    directory: Platform,
    /// Where events of the tenant go.
    lane: Lane,
    /// WeCom's id of the company; empty where it has none.
    corp_id: String,
    destination: Arc<Destination>,
    fingerprint: String,
    feed: Feed,
    signal: watch::Receiver<Signal>,
    stop: CancellationToken,
    breaker: Breaker,
    /// What is loaded while the lease is held.
    books: Option<Books>,
    /// Tables are made, or the handshake succeeded.
    is_prepared: bool,
    /// One change at a time, after a batch that nobody answered: to find the one that is to blame.
    is_cautious: bool,
    /// Since when the destination is away or paused.
    away_since: Option<UnixMillis>,
    /// When the last message was sent, for spacing.
    last_sent: Option<Instant>,
    next_overdue_look: UnixMillis,
    unsettled: Unsettled,
}

/// Why a turn came to nothing.
pub(crate) enum Trouble {
    /// The destination as a whole does not answer.
    Away(Unavailable),
    /// A change failed and is tried again in place.
    Failed {
        /// The least time to wait.
        after: Option<Duration>,
    },
    /// Our database.
    Database(database::Error),
    /// The queue did not take what is to be told.
    Queue(broker::Error),
    /// Somebody else sends there now.
    LeaseLost,
}

impl From<database::Error> for Trouble {
    fn from(error: database::Error) -> Self {
        Self::Database(error)
    }
}

impl From<broker::Error> for Trouble {
    fn from(error: broker::Error) -> Self {
        Self::Queue(error)
    }
}

/// What a turn came to.
pub(crate) enum Turn {
    /// There may be more to do.
    Worked,
    /// Nothing to do before something happens, or this much time passed.
    Idle(Option<Duration>),
}

impl Worker {
    pub(crate) fn new(parts: WorkerParts) -> Self {
        Self {
            breaker: Breaker::new(parts.timing.backoff),
            context: parts.context,
            timing: parts.timing,
            batch_size: parts.batch_size,
            retry_limit_millis: parts.retry_limit_millis,
            tenant: parts.tenant,
            id: parts.destination_id,
            kind: parts.kind,
            directory: parts.directory,
            lane: parts.lane,
            corp_id: parts.corp_id,
            destination: Arc::new(parts.destination),
            fingerprint: parts.fingerprint,
            feed: Feed::new(parts.feed),
            signal: parts.signal,
            stop: parts.stop,
            books: None,
            is_prepared: false,
            is_cautious: false,
            away_since: None,
            last_sent: None,
            next_overdue_look: UnixMillis(0),
            unsettled: Unsettled::default(),
        }
    }

    /// Works until it is told to stop; what was sent is recorded first.
    pub(crate) async fn run(mut self) {
        while !self.stop.is_cancelled() {
            match self.turn().await {
                Ok(Turn::Worked) => tokio::task::yield_now().await,
                Ok(Turn::Idle(longest)) => self.idle(longest).await,
                Err(trouble) => self.suffer(trouble).await,
            }
        }
        self.give_back_lease().await;
    }

    /// Waits until something happens.
    async fn idle(&mut self, longest: Option<Duration>) {
        let timer = async {
            match longest {
                Some(longest) => tokio::time::sleep(longest).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            () = self.feed.receive() => {}
            changed = self.signal.changed() => {
                if changed.is_err() {
                    self.stop.cancel();
                }
            }
            () = timer => {}
        }
    }

    async fn suffer(&mut self, trouble: Trouble) {
        let wait = match trouble {
            Trouble::Away(unavailable) => self.is_away(unavailable).await,
            Trouble::Failed { after } => self.count_failure().max(after.unwrap_or_default()),
            Trouble::Database(error) => {
                let (tenant, id) = (&self.tenant, &self.id);
                tracing::warn!(tenant.id = %tenant, destination.id = %id, %error, "our database failed; trying again");
                // Nobody knows what was recorded: everything is read anew.
                self.books = None;
                self.timing.backoff.first
            }
            Trouble::Queue(error) => {
                let (tenant, id) = (&self.tenant, &self.id);
                tracing::warn!(tenant.id = %tenant, destination.id = %id, %error, "what was written there cannot be told; trying again");
                self.count_failure()
            }
            Trouble::LeaseLost => {
                tracing::info!(tenant.id = %self.tenant, destination.id = %self.id, "another process sends there now");
                self.books = None;
                self.own_up().await;
                self.timing.watch_every
            }
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }

    /// Counts a failure of the destination; returns how long to wait.
    fn count_failure(&mut self) -> Duration {
        let roll = self.jitter("", self.breaker.failures());
        self.breaker.failed(roll)
    }

    /// Where in its spread a wait lies. `what` is waited for, the destination as a whole when it is empty.
    fn jitter(&self, what: &str, attempt: u32) -> f64 {
        jitter_of(&[self.context.instance.as_str(), self.tenant.as_str(), self.id.as_str(), what], attempt)
    }

    async fn is_away(&mut self, unavailable: Unavailable) -> Duration {
        let wait = self.count_failure().max(unavailable.after.unwrap_or_default());
        let (tenant, id, reason) = (&self.tenant, &self.id, &unavailable.reason);
        if self.breaker.just_opened() {
            tracing::warn!(tenant.id = %tenant, destination.id = %id, reason, "a destination does not answer");
        } else {
            tracing::debug!(tenant.id = %tenant, destination.id = %id, reason, "a destination does not answer");
        }
        if self.away_since.is_none() {
            self.away_since = Some(self.context.clock.now());
        }
        self.note_failure(unavailable.reason).await;
        wait
    }
}
