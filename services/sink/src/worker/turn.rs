//! One turn of a worker: what is to be done next, in order of urgency.

use std::{sync::Arc, time::Duration};

use common::{EntityKey, Reason, UnixMillis};
use database::Connection;
use destinations::Destination;
use store::{
    deliveries::{self, Attempt},
    destinations::{self as rows, Backfill, State},
    held, outbox,
};

use super::{
    Trouble, Turn, Worker,
    books::{Books, Opening},
    round::Round,
};
use crate::courier::{Step, Verdict};

/// Messages that are made and stored at once.
const MESSAGES_PER_GROUP: usize = 16;
/// Longest sleep while something is held: the clock may be moved.
const HELD_NAP: Duration = Duration::from_secs(1);
/// How often it is looked whether something is held for too long.
const OVERDUE_LOOK_SECONDS: i64 = 10;

impl Worker {
    pub(super) async fn turn(&mut self) -> Result<Turn, Trouble> {
        let signal = self.signal.borrow_and_update().clone();
        if !signal.is_declared || signal.state != State::Active || signal.backfill == Some(Backfill::Wanted) {
            self.collect().await;
            return Ok(Turn::Idle(None));
        }
        if signal.comes_here != Some(true) && !self.finishes_first(signal.comes_here).await {
            return Ok(Turn::Idle(None));
        }
        if self.books.as_ref().is_some_and(|books| books.touched != signal.touched) {
            self.books = None;
        }
        if self.books.is_none() {
            let last = signal.last_version.max(self.feed.heard_of());
            if self.is_prepared && last <= signal.position && !signal.has_held {
                return Ok(Turn::Idle(None));
            }
            if !self.open_books().await? {
                // Whatever comes meanwhile is no reason to ask sooner: the outbox has it.
                self.feed.clear();
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    () = tokio::time::sleep(self.timing.watch_every) => {}
                }
                return Ok(Turn::Worked);
            }
        }
        self.keep_lease().await?;
        if !self.is_prepared {
            self.prepare().await?;
        }
        if self.breaker.is_open() {
            self.probe().await?;
        }
        self.work(signal.last_version).await
    }

    /// Nothing is delivered; what comes collects in the outbox, and the clocks of what is held stand still.
    async fn collect(&mut self) {
        self.feed.clear();
        self.give_back_lease().await;
        if self.away_since.is_none() {
            self.away_since = Some(self.context.clock.now());
        }
    }

    /// Whether there is something to be finished though the changes come to another sink, or to nobody knows whom. The other one
    /// takes over once the lease is given back, which costs it the least between two batches.
    async fn finishes_first(&mut self, comes_here: Option<bool>) -> bool {
        match &self.books {
            None => {
                self.feed.clear();
                !self.unsettled.is_empty()
            }
            Some(books) if comes_here.is_none() || books.is_in_the_middle() => true,
            Some(_) => {
                tracing::debug!(tenant.id = %self.tenant, destination.id = %self.id, "another process sends there from now on");
                self.feed.clear();
                self.give_back_lease().await;
                self.away_since = None;
                false
            }
        }
    }

    /// Asks the destination whether it is there.
    pub(super) async fn probe(&self) -> Result<(), Trouble> {
        self.destination.probe(self.context.clock.now()).await.map_err(Trouble::Away)
    }

    async fn work(&mut self, last_version: u64) -> Result<Turn, Trouble> {
        let Some(books) = &self.books else { return Err(Trouble::LeaseLost) };
        if !books.is_in_the_middle() {
            self.give_up_overdue().await?;
            let due = self.due().await?;
            if !due.is_empty() {
                return self.carry_out(&due).await;
            }
        }
        let steps = self.next_steps(last_version).await?;
        if !steps.is_empty() {
            return self.carry_out(&steps).await;
        }
        let Some(books) = &self.books else { return Err(Trouble::LeaseLost) };
        Ok(Turn::Idle(books.courier.next_due().map(|due| self.until(due)).or_else(|| self.any_open())))
    }

    fn until(&self, due: UnixMillis) -> Duration {
        let millis = due.since(self.context.clock.now()).max(1);
        Duration::from_millis(u64::try_from(millis).unwrap_or(1)).min(HELD_NAP)
    }

    /// What waits has a clock too.
    fn any_open(&self) -> Option<Duration> {
        let is_open = self.books.as_ref()?.courier.exceptions().any(|(_, exception)| !exception.is_dead());
        is_open.then_some(HELD_NAP)
    }

    async fn carry_out(&mut self, steps: &[Step]) -> Result<Turn, Trouble> {
        let destination = Arc::clone(&self.destination);
        match &*destination {
            Destination::Batch(batch) => self.carry_out_batch(batch.as_ref(), steps).await,
            Destination::Messages(messages) => self.carry_out_messages(messages.as_ref(), steps).await,
            Destination::Members(members) => Box::pin(self.carry_out_members(members.as_ref(), steps)).await,
        }
    }

    fn limit(&self) -> usize {
        match &*self.destination {
            _ if self.is_cautious || self.breaker.is_open() => 1,
            Destination::Batch(_) | Destination::Members(_) => self.batch_size,
            Destination::Messages(_) => MESSAGES_PER_GROUP,
        }
    }

    /// The steps of exceptions whose time has come.
    async fn due(&mut self) -> Result<Vec<Step>, Trouble> {
        let (now, limit) = (self.context.clock.now(), self.limit());
        let Some(books) = &self.books else { return Err(Trouble::LeaseLost) };
        let due: Vec<EntityKey> = books.courier.due(now, limit).into_iter().map(|(_, key)| key).collect();
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let (tenant, id, keys) = (self.tenant.clone(), self.id.clone(), due.clone());
        let read = move |conn: &mut Connection| held::changes(conn, &tenant, &id, &keys);
        let mut changes = self.context.database.read("sink.held", read).await?;
        let step = |key: &EntityKey| books.courier.retry(key, changes.remove(key)?);
        Ok(due.iter().filter_map(step).collect())
    }

    /// The steps of the next changes.
    async fn next_steps(&mut self, last_version: u64) -> Result<Vec<Step>, Trouble> {
        let limit = self.limit();
        let Some(books) = &self.books else { return Err(Trouble::LeaseLost) };
        let position = books.courier.position();
        let mut changes = self.feed.next(position, limit);
        if changes.is_empty() && last_version.max(self.feed.heard_of()) > position {
            self.refill(position).await?;
            let Some(books) = &self.books else { return Err(Trouble::LeaseLost) };
            changes = self.feed.next(books.courier.position(), limit);
        }
        let Some(books) = &self.books else { return Err(Trouble::LeaseLost) };
        let takes = |change: &common::Change| change.is_for(&self.id) && self.destination.takes(change);
        Ok(books.courier.plan(&changes, takes, limit))
    }

    /// Reads the outbox. What is there no more was passed by everybody when it was deleted; it is passed over.
    async fn refill(&mut self, position: u64) -> Result<(), Trouble> {
        let (tenant, limit) = (self.tenant.clone(), self.batch_size.max(MESSAGES_PER_GROUP) * 2);
        let read = move |conn: &mut Connection| -> database::Result<_> {
            Ok((outbox::after(conn, &tenant, position, limit)?, outbox::last_version(conn, &tenant)?))
        };
        let (changes, last) = self.context.database.read("sink.outbox", read).await?;
        let first = changes.first().map_or(last + 1, |change| change.version);
        if first > position + 1
            && let Some(books) = &mut self.books
        {
            let (tenant, id) = (&self.tenant, &self.id);
            tracing::warn!(tenant.id = %tenant, destination.id = %id, from = position + 1, to = first - 1, "versions are in the outbox no more");
            books.courier.skip_to(first - 1);
        }
        self.feed.refill(changes);
        Ok(())
    }

    /// Makes dead letters of what was held or waited for too long.
    async fn give_up_overdue(&mut self) -> Result<(), Trouble> {
        let now = self.context.clock.now();
        if now < self.next_overdue_look || self.away_since.is_some() {
            return Ok(());
        }
        self.next_overdue_look = now.plus_seconds(OVERDUE_LOOK_SECONDS);
        let Some(books) = &self.books else { return Err(Trouble::LeaseLost) };
        let mut overdue = books.courier.overdue(now.plus_millis(-self.retry_limit_millis));
        overdue.truncate(self.batch_size);
        if overdue.is_empty() {
            return Ok(());
        }
        let (tenant, id, keys) = (self.tenant.clone(), self.id.clone(), overdue.clone());
        let read = move |conn: &mut Connection| held::changes(conn, &tenant, &id, &keys);
        let changes = self.context.database.read("sink.overdue", read).await?;
        let mut round = Round::default();
        for (key, change) in &changes {
            let Some(books) = &mut self.books else { return Err(Trouble::LeaseLost) };
            let Some(exception) = books.courier.exception(key) else { continue };
            let (reason, detail) = match exception.waits_on() {
                Some(_) => (Reason::DependencyMissing, "what it refers to did not arrive there in time".to_owned()),
                None => (Reason::RetriesExhausted, exception.reason.clone()),
            };
            books.courier.give_up(key);
            self.bury(key, change, reason, detail, &mut round);
        }
        let (tenant, id) = (&self.tenant, &self.id);
        tracing::warn!(tenant.id = %tenant, destination.id = %id, count = changes.len(), "changes were given up on; see `orgbridge dead list`");
        self.commit(round).await
    }

    /// Settles steps that are not sent, without anything else.
    pub(super) fn pass_over(&mut self, step: &Step, round: &mut Round) {
        self.settle(step, Verdict::Applied, round);
    }

    async fn open_books(&mut self) -> Result<bool, Trouble> {
        let now = self.context.clock.now();
        let opening = Opening {
            tenant: self.tenant.clone(),
            destination: self.id.clone(),
            owner: self.context.instance.clone(),
            fingerprint: self.fingerprint.clone(),
            batch: match &*self.destination {
                Destination::Batch(_) | Destination::Members(_) => self.batch_size as u64,
                Destination::Messages(_) => 0,
            },
            now,
            until: now.plus_millis(millis(self.timing.lease)),
        };
        let open = move |conn: &mut Connection| Books::open(conn, &opening);
        self.books = self.context.database.write("sink.open", open).await?;
        fail::fail_point!("sink.after_lease");
        self.own_up_unless_nobody_else_sent().await;
        if let Some(books) = &self.books {
            self.away_since = self.away_since.or(books.failing_since);
        }
        Ok(self.books.is_some())
    }

    /// Makes sure that the lease holds longer than whatever is sent next takes.
    pub(super) async fn keep_lease(&mut self) -> Result<(), Trouble> {
        let now = self.context.clock.now();
        let Some(books) = &self.books else { return Err(Trouble::LeaseLost) };
        if books.lease_until.since(now) > millis(self.timing.request_timeout) * 2 {
            return Ok(());
        }
        let until = now.plus_millis(millis(self.timing.lease));
        let lease = books.lease.clone();
        let renew = move |conn: &mut Connection| rows::renew(conn, &lease, now, until);
        if !self.context.database.write("sink.lease", renew).await? {
            return Err(Trouble::LeaseLost);
        }
        if let Some(books) = &mut self.books {
            books.lease_until = until;
        }
        Ok(())
    }

    pub(super) async fn give_back_lease(&mut self) {
        let Some(books) = self.books.take() else { return };
        let release = move |conn: &mut Connection| rows::release(conn, &books.lease);
        match self.context.database.write("sink.release", release).await {
            // Nobody else sent there meanwhile: what was not settled is looked at by whoever comes next, as after a crash.
            Ok(true) => self.unsettled.clear(),
            Ok(false) => {}
            Err(error) => tracing::debug!(%error, "a lease runs out by itself"),
        }
    }

    /// Tables are made, or the handshake succeeds once; before that nothing is delivered.
    async fn prepare(&mut self) -> Result<(), Trouble> {
        match &*self.destination {
            Destination::Batch(batch) => {
                let links = self.links(&[], &[]).await?;
                batch.prepare(&links).await.map_err(Trouble::Away)?;
            }
            Destination::Messages(messages) => {
                let Some(books) = &self.books else { return Err(Trouble::LeaseLost) };
                if !books.is_handshaken {
                    let (lease, now) = (books.lease.clone(), self.context.clock.now());
                    messages.probe(now).await.map_err(Trouble::Away)?;
                    let note = move |conn: &mut Connection| rows::handshaken(conn, &lease, now);
                    self.context.database.write("sink.handshake", note).await?;
                    tracing::info!(tenant.id = %self.tenant, destination.id = %self.id, "the handshake succeeded");
                }
            }
            // Each member says by itself whether it can be made.
            Destination::Members(_) => {}
        }
        self.is_prepared = true;
        self.breaker.succeeded();
        Ok(())
    }

    pub(super) async fn note_failure(&self, reason: String) {
        let Some(books) = &self.books else { return };
        let (lease, now) = (books.lease.clone(), self.context.clock.now());
        // A destination that is away for a week need not fill the list of attempts.
        let attempt = (!self.breaker.is_open()).then(|| Attempt {
            from_version: books.courier.position() + 1,
            to_version: books.courier.position() + 1,
            changes: 1,
            entity: None,
            at: now,
            took_millis: 0,
            outcome: "unavailable".to_owned(),
            answer: Some(reason.clone()),
        });
        let note = move |conn: &mut Connection| {
            deliveries::record(conn, &lease.tenant, &lease.destination, attempt.as_slice())?;
            rows::failed(conn, &lease, &reason, now)
        };
        if let Err(error) = self.context.database.write("sink.failed", note).await {
            tracing::debug!(%error, "a failure is not noted");
        }
    }

    /// When a step that failed is tried again; not before the destination wants it.
    pub(super) fn next_attempt(&self, step: &Step, after: Option<Duration>) -> UnixMillis {
        let exception = self.books.as_ref().and_then(|books| books.courier.exception(&step.key));
        let attempts = exception.filter(|_| step.again).map_or(0, |exception| exception.attempts);
        let roll = self.jitter(&step.key.id, attempts);
        let wait = self.timing.held_backoff.wait(attempts.saturating_add(1), roll);
        self.context.clock.now().plus_millis(millis(wait.max(after.unwrap_or_default())))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
