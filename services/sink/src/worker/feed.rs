//! The next changes: from the queue's messages while they are contiguous, else from the outbox.

use std::collections::VecDeque;

use common::Change;
use tokio::sync::mpsc;

use crate::handler::Batch;

/// Changes that wait here at most; more stay in the outbox.
const WAITING_MAX: usize = 2048;

/// What came for a courier and was not worked off.
pub(super) struct Feed {
    receiver: mpsc::Receiver<Batch>,
    waiting: VecDeque<Change>,
    /// The highest version that was heard of.
    heard_of: u64,
}

impl Feed {
    pub(super) const fn new(receiver: mpsc::Receiver<Batch>) -> Self {
        Self { receiver, waiting: VecDeque::new(), heard_of: 0 }
    }

    /// Waits for a message. Cancellation loses nothing.
    pub(super) async fn receive(&mut self) {
        match self.receiver.recv().await {
            Some(batch) => self.take(&batch),
            None => std::future::pending().await,
        }
    }

    /// The changes right behind `position`, at most `limit`; empty when they did not come by the queue.
    pub(super) fn next(&mut self, position: u64, limit: usize) -> Vec<Change> {
        while self.waiting.len() < WAITING_MAX
            && let Ok(batch) = self.receiver.try_recv()
        {
            self.take(&batch);
        }
        while self.waiting.front().is_some_and(|change| change.version <= position) {
            self.waiting.pop_front();
        }
        let contiguous = self.waiting.iter().zip(position + 1..).take_while(|(change, next)| change.version == *next);
        contiguous.take(limit).map(|(change, _)| change.clone()).collect()
    }

    /// What was read from the outbox takes the place of what came by the queue.
    pub(super) fn refill(&mut self, changes: Vec<Change>) {
        self.waiting = changes.into();
    }

    pub(super) const fn heard_of(&self) -> u64 {
        self.heard_of
    }

    /// Forgets what came: the outbox has it.
    pub(super) fn clear(&mut self) {
        while let Ok(batch) = self.receiver.try_recv() {
            self.hear(&batch);
        }
        self.waiting.clear();
    }

    fn hear(&mut self, batch: &Batch) {
        self.heard_of = batch.last().map_or(0, |change| change.version).max(self.heard_of);
    }

    fn take(&mut self, batch: &Batch) {
        self.hear(batch);
        let last = self.waiting.back().map_or(0, |change| change.version);
        // What is repeated after a crash of the publisher is not wanted twice, and what would leave a gap not at all.
        let mut fresh = batch.iter().filter(|change| change.version > last).peekable();
        let has_room = self.waiting.len() < WAITING_MAX;
        let fits = self.waiting.is_empty() || has_room && fresh.peek().is_some_and(|change| change.version == last + 1);
        if fits {
            self.waiting.extend(fresh.cloned());
        }
    }
}
