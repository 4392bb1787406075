//! The one task that writes.

use std::{mem, sync::Arc, time::Duration};

use database::Database;
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use tracing::warn;

use super::{
    ledger::{Ledger, Mark},
    rows,
};
use crate::error::chain;
use crate::{
    Error, Result,
    group::{Document, Group, group},
};

/// Calls that share one transaction, at most.
const CALLS_PER_COMMIT: usize = 1024;

/// How long acknowledgements wait for a publisher to share its transaction with.
const ACKNOWLEDGE_AFTER: Duration = Duration::from_millis(20);

/// How long after a failed write its acknowledgements are tried again, if nobody publishes before.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What others ask of the writer: to store these documents, if any, and with them all acknowledgements so far.
pub(super) struct Job {
    pub(super) documents: Vec<Document>,
    /// Told when all of that is durable.
    pub(super) answer: oneshot::Sender<Result<()>>,
}

/// See the module.
pub(super) struct Writer {
    database: Database,
    ledger: Arc<Ledger>,
    /// Nothing was read yet: what is found was there before this process.
    fresh: bool,
    doubt: Doubt,
}

/// Whether the ledger may know too little of the queues' newest rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    None,
    /// Nobody looked yet.
    AtStart,
    /// A write that was reported as failed may be there all the same, or it could not be looked up.
    AfterFailure,
}

impl Writer {
    pub(super) fn new(database: Database, ledger: Arc<Ledger>) -> Self {
        Self { database, ledger, fresh: true, doubt: Doubt::AtStart }
    }

    /// Works until nobody can send any more.
    pub(super) async fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut jobs = Vec::new();
        let mut open = true;
        while open {
            tokio::select! {
                // Calls first: acknowledgements go along with whatever is written.
                biased;
                taken = waiting.recv_many(&mut jobs, CALLS_PER_COMMIT) => open = taken > 0,
                () = self.more_to_do() => {}
            }
            match self.look_again().await {
                Ok(()) => self.work_off(mem::take(&mut jobs)).await,
                Err(error) => jobs.drain(..).for_each(|job| drop(job.answer.send(Err(error.clone())))),
            }
        }
    }

    async fn more_to_do(&self) {
        match self.doubt {
            Doubt::AtStart => return,
            Doubt::AfterFailure => return sleep(TRY_AGAIN_AFTER).await,
            Doubt::None => {}
        }
        self.ledger.handled.notified().await;
        sleep(ACKNOWLEDGE_AFTER).await;
    }

    /// Where it is not known what the table holds, looks. What was there at the start may have been handed out before;
    /// until that is known nothing is stored, so that old and new can be told apart.
    async fn look_again(&mut self) -> Result<()> {
        if self.doubt == Doubt::None {
            return Ok(());
        }
        match self.database.read("queue.look", rows::newest).await {
            Ok(marks) if self.fresh => self.ledger.inherited(marks),
            Ok(marks) => self.ledger.filled(marks),
            Err(error) => {
                warn!(error = %chain(&error), "the queue cannot be read");
                self.doubt = Doubt::AfterFailure;
                return Err(Error::from(error));
            }
        }
        self.fresh = false;
        self.doubt = Doubt::None;
        Ok(())
    }

    async fn work_off(&mut self, jobs: Vec<Job>) {
        let mut documents = Vec::new();
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            documents.extend(job.documents.into_iter().map(|document| ((), document)));
            answers.push(job.answer);
        }
        let result = self.commit(group(documents)).await;
        for answer in answers {
            // Who no longer waits for the answer does not need it.
            drop(answer.send(result.clone()));
        }
    }

    async fn commit(&mut self, groups: Vec<Group>) -> Result<()> {
        let marks = self.ledger.to_acknowledge();
        if groups.is_empty() && marks.is_empty() {
            return Ok(());
        }
        let what = if groups.is_empty() { "queue.ack" } else { "queue.publish" };
        let handled = marks.clone();
        let written = self.database.write(what, move |conn| -> database::Result<Vec<Mark>> {
            rows::acknowledge(conn, &handled)?;
            let filled = if groups.is_empty() { Vec::new() } else { rows::append(conn, &groups)? };
            fail::fail_point!("embedded.before_commit");
            Ok(filled)
        });
        match written.await {
            Ok(filled) => {
                fail::fail_point!("embedded.committed_before_answer");
                self.ledger.acknowledged(&marks);
                if !filled.is_empty() {
                    self.ledger.filled(filled);
                }
                Ok(())
            }
            Err(error) => {
                warn!(error = %chain(&error), "the queue cannot be written");
                self.doubt = Doubt::AfterFailure;
                Err(Error::from(error))
            }
        }
    }
}
