//! The one task that publishes. It outlives connections.

use std::{collections::HashMap, sync::Arc, time::Duration};

use lapin::options::ConfirmSelectOptions;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{debug, warn};

use super::{
    flight::{Fate, Flight, Settled},
    line::Line,
    link::{Link, Trouble},
    topology::Topology,
};
use crate::error::chain;
use crate::{
    Error, Result,
    group::{Document, group},
};

/// Calls that are grouped into messages together, at most.
const CALLS_AT_ONCE: usize = 1024;

/// Messages of one queue that are under way when what else is for it waits, to share the next one. The broker syncs one while the
/// other is on its way; more would only make messages smaller, and each costs both sides a round.
const UNDER_WAY_PER_QUEUE: usize = 2;

/// While some calls have no turn, how often it is looked whether others came that do.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A connection on which everything stands still for that long is replaced.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// What a call asks of the publisher: to publish these documents.
pub(super) struct Job {
    pub(super) documents: Vec<Document>,
    /// Told when the broker keeps all of them.
    pub(super) answer: oneshot::Sender<Result<()>>,
}

/// See the module.
pub(super) struct Publisher {
    pub(super) line: Line,
    pub(super) topology: Arc<Topology>,
    pub(super) jobs: mpsc::Receiver<Job>,
    /// Calls whose turn has not come: the next connection takes them over.
    pub(super) held: Vec<Job>,
    pub(super) calls: Calls,
    pub(super) stop: CancellationToken,
    /// Ends the line after the publisher, not before.
    pub(super) _line_ends: DropGuard,
}

impl Publisher {
    /// Works until told to stop; then what is under way is waited for.
    pub(super) async fn run(mut self) {
        while let Some(Ok(link)) = self.stop.run_until_cancelled(self.line.link()).await {
            if let Err(trouble) = self.publish_on(&link).await {
                debug!(error = %chain(&trouble), "publishing begins anew on the next connection");
                link.give_up();
            }
            self.calls.fail(&Error::Unavailable);
        }
    }

    async fn publish_on(&mut self, link: &Link) -> Result<(), Trouble> {
        let channel = link.channel().await?;
        link.within(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        let mut flight = Flight::new(channel.clone());
        let mut changes = self.line.changes();
        let (mut stopping, mut open) = (false, true);
        let mut took_at = Instant::now();
        while open || !flight.is_empty() || !self.held.is_empty() {
            self.send(&mut flight);
            let stuck_at = flight.oldest().unwrap_or_else(Instant::now) + STUCK_AFTER;
            tokio::select! {
                biased;
                () = link.broken() => return Err(Trouble::Lost),
                // Before the next calls, since what was sent goes out here.
                settled = flight.settled(), if !flight.is_empty() => {
                    for message in settled {
                        self.settle(link, message)?;
                    }
                }
                () = self.stop.cancelled(), if !stopping => {
                    stopping = true;
                    self.jobs.close();
                }
                changed = changes.changed() => {
                    changed.map_err(|_gone| Trouble::Lost)?;
                    if self.line.is_blocked() {
                        // What is under way may hang for hours; their callers have better things to do.
                        self.calls.fail(&Error::Blocked);
                    }
                }
                count = take(&mut self.jobs, &mut self.held, took_at), if open && flight.has_room() => {
                    open = count > 0;
                    took_at = Instant::now();
                }
                () = sleep_until(stuck_at), if !(self.line.is_blocked() || open && flight.has_room()) => {
                    return Err(Trouble::Silent);
                }
            }
        }
        link.close(&channel).await;
        Ok(())
    }

    /// Sends what is held of those queues that have little under way; what waits for one queue goes out together.
    fn send(&mut self, flight: &mut Flight) {
        if self.line.is_blocked() {
            self.held.drain(..).for_each(|job| drop(job.answer.send(Err(Error::Blocked))));
            return;
        }
        // Who no longer waits will come again; sending it now would double it.
        self.held.retain(|job| !job.answer.is_closed());
        let has_turn = |job: &mut Job| {
            let queue = job.documents.first().map(|document| &document.queue);
            queue.is_none_or(|queue| flight.under_way(queue) < UNDER_WAY_PER_QUEUE)
        };
        let mut documents = Vec::new();
        for job in self.held.extract_if(.., has_turn) {
            let call = self.calls.open(job.answer);
            documents.extend(job.documents.into_iter().map(|document| (call, document)));
        }
        for group in group(documents) {
            self.calls.expect_one_more(&group.callers);
            let (exchange, key) = (self.topology.exchange(group.queue.hop), self.topology.name(&group.queue));
            fail::fail_point!("rabbitmq.before_publish");
            flight.publish(exchange, key, group);
        }
    }

    fn settle(&mut self, link: &Link, message: Settled) -> Result<(), Trouble> {
        let result = match message.fate {
            Fate::Stored => Ok(()),
            Fate::Refused => Err(Error::Full),
            Fate::Returned => {
                let name = self.topology.name(&message.queue);
                // Told once until they are declared again.
                if link.forget(message.queue.hop, &message.queue.lane) {
                    warn!(
                        queue = name.as_str(),
                        "the broker has no queue for a message; the queues are declared again"
                    );
                }
                Err(Error::Unroutable)
            }
            Fate::Lost(error) => return Err(Trouble::Failed(error)),
        };
        fail::fail_point!("rabbitmq.confirmed_before_answer");
        self.calls.settle(&message.callers, &result);
        Ok(())
    }
}

/// Waits for calls. While there are some whose turn has not come, most of those that come have to wait as well, and do so without
/// a wake-up for each.
async fn take(jobs: &mut mpsc::Receiver<Job>, held: &mut Vec<Job>, took_at: Instant) -> usize {
    if !held.is_empty() {
        sleep_until(took_at + LOOK_EVERY).await;
    }
    jobs.recv_many(held, CALLS_AT_ONCE).await
}

/// The calls that wait for an answer.
#[derive(Default)]
pub(super) struct Calls {
    waiting: HashMap<u64, Call>,
    last: u64,
}

struct Call {
    /// Messages with documents of this call whose fate is not known.
    messages: usize,
    answer: oneshot::Sender<Result<()>>,
}

impl Calls {
    fn open(&mut self, answer: oneshot::Sender<Result<()>>) -> u64 {
        self.last += 1;
        self.waiting.insert(self.last, Call { messages: 0, answer });
        self.last
    }

    /// A message is about to go out with documents of these calls.
    fn expect_one_more(&mut self, calls: &[u64]) {
        for call in calls {
            if let Some(call) = self.waiting.get_mut(call) {
                call.messages += 1;
            }
        }
    }

    /// A message with documents of these calls has met its fate. A call has failed with the first of its messages that
    /// did, and succeeded with the last.
    fn settle(&mut self, calls: &[u64], result: &Result<()>) {
        for id in calls {
            let Some(call) = self.waiting.get_mut(id) else { continue };
            call.messages = call.messages.saturating_sub(1);
            if (result.is_err() || call.messages == 0)
                && let Some(call) = self.waiting.remove(id)
            {
                // Who no longer waits for the answer does not need it.
                drop(call.answer.send(result.clone()));
            }
        }
    }

    fn fail(&mut self, error: &Error) {
        for (_, call) in self.waiting.drain() {
            drop(call.answer.send(Err(error.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_succeeds_with_its_last_message() {
        let mut calls = Calls::default();
        let (answer, mut answered) = oneshot::channel();
        let call = calls.open(answer);
        calls.expect_one_more(&[call]);
        calls.expect_one_more(&[call]);
        calls.settle(&[call], &Ok(()));
        assert!(answered.try_recv().is_err(), "one message is still under way");
        calls.settle(&[call], &Ok(()));
        assert!(matches!(answered.try_recv(), Ok(Ok(()))));
    }

    #[test]
    fn a_call_fails_with_its_first_message_that_does() {
        let mut calls = Calls::default();
        let (answers, mut answered): (Vec<_>, Vec<_>) = (0..2).map(|_| oneshot::channel()).unzip();
        let ids: Vec<u64> = answers.into_iter().map(|answer| calls.open(answer)).collect();
        calls.expect_one_more(&ids);
        calls.expect_one_more(&ids[..1]);
        calls.settle(&ids[..1], &Err(Error::Unroutable));
        assert!(matches!(answered[0].try_recv(), Ok(Err(Error::Unroutable))));
        calls.settle(&ids, &Ok(()));
        assert!(matches!(answered[1].try_recv(), Ok(Ok(()))), "the other one shares only a message that succeeded");
    }
}
