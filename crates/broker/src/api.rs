//! The queue as services see it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use common::{Backoff, Disposition, Hop};
use tokio_util::sync::CancellationToken;

use crate::{Delivery, Lane, Outgoing, Result, Share};

/// A durable queue with partitions. Delivery is at least once; order is kept per ordering key and publisher.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// Stores messages. On `Ok` all of them are durable; on an error some may be, too. Messages of one call keep their
    /// order per ordering key, and so do those of calls that one caller makes one after the other.
    ///
    /// Whatever waits at the same time shares one durable write, so many small calls at once are as good as a big one.
    ///
    /// # Errors
    /// See [`Error`](crate::Error).
    async fn publish(&self, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) -> Result<()>;

    /// Hands messages to the handler, in order within each partition, until `stop` is cancelled; then the batch in hand
    /// is finished. A batch is acknowledged after the handler said `Ok`, as a whole. Trouble with the queue itself is
    /// waited out here. Dropping the future instead of stopping it leaves the batch in hand to the next consumer.
    ///
    /// Several consumers of one hop and lane share its partitions, and at hand-overs may see the same messages.
    ///
    /// # Errors
    /// Only when the queue can never work again.
    async fn consume(
        &self,
        hop: Hop,
        lanes: &[Lane],
        options: ConsumeOptions,
        handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> Result<()>;

    /// What of a lane comes to the consumers of this process. All of it, where there are no others.
    fn share(&self, hop: Hop, lane: &Lane) -> Share {
        let _others = (hop, lane);
        Share::All
    }

    /// How much of a hop is not acknowledged yet, over all lanes that this instance has to do with; 0 means that nothing
    /// waits. What is counted is the broker's own: documents, or messages with several documents each. It is a gauge: what
    /// is under way from the broker to a consumer at this moment may be missing in it.
    ///
    /// # Errors
    /// See [`Error`](crate::Error).
    async fn depth(&self, hop: Hop) -> Result<u64>;

    /// The same of one lane; of all where they are not told apart.
    ///
    /// # Errors
    /// See [`Error`](crate::Error).
    async fn depth_of(&self, hop: Hop, lane: &Lane) -> Result<u64> {
        let _all = lane;
        self.depth(hop).await
    }
}

/// How a consumer works.
#[derive(Debug, Clone, Copy)]
pub struct ConsumeOptions {
    /// A batch is closed when it has this many messages; it may have up to 63 more, since what was stored together is
    /// not split.
    pub batch_size: usize,
    /// How long one call of the handler may take; after that it counts as [`Failure::Retry`].
    pub handler_deadline: Duration,
    /// The waits between repetitions where the handler names none.
    pub backoff: Backoff,
}

impl Default for ConsumeOptions {
    fn default() -> Self {
        Self {
            batch_size: 256,
            handler_deadline: Duration::from_secs(120),
            backoff: Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(3) },
        }
    }
}

/// Who works on messages.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Takes a batch over: all of it or nothing. It must be idempotent, since the same messages may come again. A panic
    /// counts as [`Failure::Poison`].
    async fn handle(&self, batch: &[Delivery]) -> Result<(), Failure>;

    /// Keeps a message that poisons even alone as a dead letter. Until this succeeds nothing behind it is handled.
    async fn bury(&self, delivery: &Delivery) -> Result<(), Failure>;
}

/// Why a batch was not taken over. Nothing of it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It may pass: the whole batch comes again.
    Retry {
        /// The least time to wait; zero leaves it to the consumer.
        after: Duration,
    },
    /// Something in it will never pass: the batch comes again in halves until that stands alone and can be buried.
    Poison,
}

impl Failure {
    /// It may pass; when to try again is left to the consumer.
    pub const RETRY: Self = Self::Retry { after: Duration::ZERO };
}

impl From<Disposition> for Failure {
    fn from(disposition: Disposition) -> Self {
        match disposition {
            Disposition::Retry { after } => Self::Retry { after },
            Disposition::Reject { .. } | Disposition::Fatal => Self::Poison,
        }
    }
}
