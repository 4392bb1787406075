//! Delivering to a destination that takes many changes in one transaction.

use std::time::Duration;

use common::Change;
use database::Connection;
use destinations::{Batch, Links, Outcome, Unavailable};
use store::links;
use tokio::time::Instant;

use super::{
    Trouble, Turn, Worker,
    round::{Round, Sent, described},
};
use crate::courier::{Decision, HELD_AFTER_FAILURES, Part, Step, Verdict};

/// Failures in place after which a change is held though the destination said each time when to come again: that is more
/// likely about the destination than about the change.
const HELD_AFTER_POLITE_FAILURES: u32 = 10;

impl Worker {
    /// Sends the steps that are to be sent as one batch, and settles all of them.
    pub(super) async fn carry_out_batch(&mut self, batch: &dyn Batch, steps: &[Step]) -> Result<Turn, Trouble> {
        let sent: Vec<&Step> = steps.iter().filter(|step| step.decision == Decision::Deliver).collect();
        let changes: Vec<Change> = sent.iter().map(|step| step.send.clone()).collect();
        if let Some(books) = &mut self.books {
            let last = sent.iter().map(|step| step.version).max();
            books.in_flight = books.in_flight.max(last.unwrap_or_default());
        }
        let links = self.links(&sent, &changes).await?;
        sent.iter().for_each(|step| self.note_sending(step));
        let (at, began) = (self.context.clock.now(), Instant::now());
        let answer = if changes.is_empty() { Ok(Vec::new()) } else { batch.apply(&changes, &links).await };
        let took = began.elapsed();
        let sent_at = Sent { at, took_millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX) };
        if !changes.is_empty() {
            fail::fail_point!("sink.applied_before_commit");
            self.context.metrics.delivery_seconds.with_label_values(&[self.kind]).observe(took.as_secs_f64());
        }
        let outcomes = match answer {
            Ok(outcomes) => outcomes,
            Err(unavailable) => self.blame(unavailable, &sent).await?,
        };
        self.settle_batch(steps, outcomes, sent_at).await
    }

    /// The ids that the destination has for what these changes are about.
    pub(super) async fn links(&self, sent: &[&Step], changes: &[Change]) -> Result<Links, Trouble> {
        let mut keys = Links::needed_for(changes);
        keys.extend(sent.iter().flat_map(|step| [Some(step.key.clone()), step.renames.clone()]).flatten());
        keys.retain(|key| key.kind.is_directory());
        let (tenant, id) = (self.tenant.clone(), self.id.clone());
        let read = move |conn: &mut Connection| links::load(conn, &tenant, &id, &keys);
        let found = self.context.database.read("sink.links", read).await?;
        let mut links: Links = found.into_iter().map(|link| (link.entity, link.core_id)).collect();
        // A former row that is removed first is never the linked one: that goes on as the new id's.
        for step in sent.iter().filter(|step| step.part == Part::FormerRow) {
            if let Some(former) = &step.renames {
                links.rename(former, &step.key);
            }
        }
        Ok(links)
    }

    async fn settle_batch(&mut self, steps: &[Step], outcomes: Vec<Outcome>, sent: Sent) -> Result<Turn, Trouble> {
        let mut round = Round::default();
        let mut outcomes = outcomes.into_iter();
        let mut applied: Vec<&Step> = Vec::new();
        let mut trouble = None;
        for step in steps {
            let mut verdict = Verdict::Applied;
            if step.decision == Decision::Deliver {
                let Some(outcome) = outcomes.next() else {
                    trouble = Some(Trouble::Away(Unavailable::new("it answered less than it was asked")));
                    break;
                };
                if outcome == Outcome::Applied {
                    applied.push(step);
                } else {
                    let (name, answer) = described(&outcome);
                    round.failed(step, name, answer, sent);
                }
                verdict = match self.verdict(step, outcome).await {
                    Ok(verdict) => verdict,
                    Err(stop) => {
                        trouble = Some(stop);
                        break;
                    }
                };
            }
            self.settle(step, verdict, &mut round);
        }
        round.applied_together(&applied, sent);
        self.commit(round).await?;
        trouble.map_or(Ok(Turn::Worked), Err)
    }

    /// What an outcome means for a step; trouble when the step is to be tried again in place.
    pub(super) async fn verdict(&mut self, step: &Step, outcome: Outcome) -> Result<Verdict, Trouble> {
        Ok(match outcome {
            Outcome::Applied => Verdict::Applied,
            Outcome::Rejected { reason } => Verdict::Rejected { reason },
            Outcome::Missing { what } => Verdict::Missing { next_attempt: self.next_attempt(step, None), what },
            Outcome::Retry { reason, after } => {
                if !step.again {
                    self.count_in_place(step, after).await?;
                }
                Verdict::Failed { next_attempt: self.next_attempt(step, after), reason }
            }
        })
    }

    /// Counts a failure of the change at the head of the line; `Ok` when it is to be held.
    async fn count_in_place(&mut self, step: &Step, after: Option<Duration>) -> Result<(), Trouble> {
        let Some(books) = &mut self.books else { return Err(Trouble::LeaseLost) };
        let failures = books.courier.failed_in_place(step.version);
        let enough = if after.is_some() { HELD_AFTER_POLITE_FAILURES } else { HELD_AFTER_FAILURES };
        if failures < enough {
            self.count_outcome("retried");
            return Err(Trouble::Failed { after });
        }
        self.probe().await
    }

    /// Nothing is known of what was sent. While the destination as a whole does not answer, that is all there is to it. If it
    /// answers a probe, one of the changes is to blame: they are tried singly, and the one that fails again is held.
    pub(super) async fn blame(&mut self, unavailable: Unavailable, sent: &[&Step]) -> Result<Vec<Outcome>, Trouble> {
        let Some(first) = sent.first() else { return Err(Trouble::Away(unavailable)) };
        let Some(books) = &mut self.books else { return Err(Trouble::LeaseLost) };
        sent.iter().for_each(|step| books.courier.note_unheard(step.version));
        if !first.again && books.courier.failed_in_place(first.version) < HELD_AFTER_FAILURES {
            return Err(Trouble::Away(unavailable));
        }
        self.probe().await?;
        if sent.len() > 1 {
            self.is_cautious = true;
            return Err(Trouble::Away(unavailable));
        }
        Ok(vec![Outcome::Retry { reason: unavailable.reason, after: None }])
    }
}
