//! The rate governor of all replicas: what is spent of what platforms allow is in the store.
//!
//! A caller waits in a lane with all who want the same. The one in front asks the store for turns, for itself and for those behind it; a
//! turn says when a call may start, and its caller sleeps until then. A refusal is known here at once, and to other replicas as soon
//! as they ask for turns, which is within a second: nothing is reserved further ahead.

mod lanes;
mod ledger;
mod pauses;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use common::{Backoff, Clock, UnixMillis, jitter_of};
use database::Database;
use outbound::{Allowance, Closed, Governor, Spend, Urgency};

use self::{
    lanes::{Lane, Lanes, Turn},
    ledger::{Answer, Ledger},
    pauses::Pauses,
};

/// How the store is asked again when it does not answer.
const TRY_AGAIN: Backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(5) };
/// How often it is tried to tell other replicas of a refusal. Those that are not told are refused themselves.
const TRIES_TO_TELL: u32 = 5;
/// Numbers that nobody used for a day are forgotten.
const UNUSED_MILLIS: i64 = 86_400_000;

/// Ends when so much time has passed.
type Sleep = dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// A [`Governor`] over the store. Its clock must go as fast as what it sleeps by: tokio's, unless told otherwise.
pub struct StoreGovernor {
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    sleep: Box<Sleep>,
    instance: String,
    lanes: Lanes,
    pauses: Pauses,
    /// The store did not answer last time.
    is_away: AtomicBool,
}

impl StoreGovernor {
    /// A governor on these tables; `instance` names the process among its replicas.
    pub fn new(database: Database, clock: Arc<dyn Clock>, instance: String) -> Self {
        Self {
            ledger: Ledger::new(database, Arc::clone(&clock)),
            clock,
            sleep: Box::new(|time| Box::pin(tokio::time::sleep(time))),
            instance,
            lanes: Lanes::default(),
            pauses: Pauses::default(),
            is_away: AtomicBool::new(false),
        }
    }

    /// The same, sleeping in another way: for whoever moves the clock by hand.
    #[must_use]
    pub fn with_sleep<F>(mut self, sleep: impl Fn(Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.sleep = Box::new(move |time| Box::pin(sleep(time)));
        self
    }

    /// Forgets numbers that nobody used for a day; returns how many. To be called now and then, by any replica.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn prune(&self) -> database::Result<usize> {
        self.ledger.prune(UNUSED_MILLIS).await
    }

    /// Waits in the lane for a turn, and takes it.
    async fn turn(&self, lane: &Lane, spends: &[Spend], urgency: Urgency) -> Result<Turn, Closed> {
        let place = lane.enter();
        let mut queue = place.front().await;
        loop {
            let now = self.clock.now();
            let opened = self.pauses.over(spends, now)?;
            if let Some(turn) = queue.next(now, opened) {
                return Ok(turn);
            }
            match self.take(spends, urgency, queue.wanted(urgency, place.waiting())).await {
                Answer::Turns(turns) => queue.fill(turns),
                Answer::Later(ask_again) => self.sleep_until(ask_again).await,
                Answer::Closed(of, until) => self.pauses.note(&of, until, now),
            }
        }
    }

    /// Asks the store for turns until it answers: what is not counted may be one call too many.
    async fn take(&self, spends: &[Spend], urgency: Urgency, wanted: usize) -> Answer {
        let mut attempt = 0;
        loop {
            match self.ledger.take(spends, urgency, wanted).await {
                Ok(answer) => {
                    if self.is_away.swap(false, Ordering::Relaxed) {
                        tracing::info!("calls to platforms go on");
                    }
                    return answer;
                }
                Err(error) => {
                    if !self.is_away.swap(true, Ordering::Relaxed) {
                        tracing::warn!(error = error.label(), "the database does not answer: calls to platforms wait");
                    }
                    attempt += 1;
                    self.pause(attempt).await;
                }
            }
        }
    }

    async fn pause(&self, attempt: u32) {
        (self.sleep)(TRY_AGAIN.wait(attempt, jitter_of(&[self.instance.as_str()], attempt))).await;
    }

    async fn sleep_until(&self, moment: UnixMillis) {
        let millis = u64::try_from(moment.since(self.clock.now())).unwrap_or_default();
        if millis > 0 {
            (self.sleep)(Duration::from_millis(millis)).await;
        }
    }
}

#[async_trait]
impl Governor for StoreGovernor {
    async fn admit(&self, spends: &[Spend], urgency: Urgency) -> Result<(), Closed> {
        if spends.is_empty() {
            return Ok(());
        }
        let lane = self.lanes.lane(spends, urgency);
        loop {
            let turn = self.turn(&lane, spends, urgency).await?;
            self.sleep_until(turn.start).await;
            // Much may have happened meanwhile: a refusal, or a process that stood still.
            let now = self.clock.now();
            let opened = self.pauses.over(spends, now)?;
            if turn.is_good(now, opened) {
                return Ok(());
            }
        }
    }

    async fn refused(&self, of: &Allowance, refuses_for: Duration) {
        tracing::warn!(
            interface = of.interface,
            seconds = refuses_for.as_secs(),
            "a platform refuses calls for a while"
        );
        // Here at once; the store may know that it is not the first time.
        let now = self.clock.now();
        self.pauses.note(of, now.plus_millis(i64::try_from(refuses_for.as_millis()).unwrap_or(i64::MAX)), now);
        for attempt in 1..=TRIES_TO_TELL {
            match self.ledger.refuse(of, refuses_for).await {
                Ok(until) => return self.pauses.note(of, until, now),
                Err(error) if attempt == TRIES_TO_TELL => {
                    tracing::warn!(error = error.label(), "other replicas could not be told that a platform refuses");
                }
                Err(_) => self.pause(attempt).await,
            }
        }
    }

    async fn done_by(&self, spends: &[Spend], calls: u64) -> Option<UnixMillis> {
        match self.ledger.predict(spends, calls).await {
            Ok(predicted) => predicted,
            Err(error) => {
                tracing::debug!(error = error.label(), "predicted without what is spent already");
                ledger::unspent(spends, calls, self.clock.now())
            }
        }
    }
}

impl fmt::Debug for StoreGovernor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreGovernor").finish_non_exhaustive()
    }
}
