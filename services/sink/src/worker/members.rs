//! Delivering to a destination where each change makes one member: several at once, and each is settled by itself.

mod answers;
mod told;

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use common::{Clock, EntityKey, onboarding};
use database::Connection;
use destinations::{Members, Unavailable, Wrote};
use futures::{StreamExt as _, stream};
use store::form_records::{self, State};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Trouble, Turn, Worker,
    round::{Round, Sent},
};
use crate::courier::{Decision, Settled, Step, Verdict};
use answers::{Answer, Answers, Called};

/// Members that are written before any of it is noted...
const AT_MOST: usize = 64;
/// ...and of those at once: a platform refuses too many calls of one interface at the same moment, and does not say how many that is
/// (reference wecom 4, 45033).
const AT_ONCE: usize = 8;

/// One member being written: the place of its step, and what came of it; nothing where it was not begun.
type Call<'a> = Pin<Box<dyn Future<Output = (usize, Option<Answer>)> + Send + 'a>>;

/// Whether no more members are to be begun: the process stops, or the destination takes nothing for now.
struct Halt {
    stop: CancellationToken,
    is_stopped: AtomicBool,
}

impl Worker {
    /// Writes the members of a round, tells of them what the platform tells nobody, and then notes what came of each. Those that were not begun,
    /// since the destination takes nothing for now, stay where they are.
    pub(super) async fn carry_out_members(&mut self, to: &dyn Members, steps: &[Step]) -> Result<Turn, Trouble> {
        let steps = round_of(steps);
        let made = self.made_before(steps).await?;
        let answers = self.write_members(to, steps, &made).await?;
        let stopped = answers.stopped();
        if stopped.is_none() && !answers.is_any_heard() {
            self.blame_silence(steps, &answers).await?;
        }
        let told = self.tell_of_members(steps, &answers).await;
        if told.is_err() {
            // Nobody will know what was answered.
            self.note_unheard(steps, &answers);
        }
        told?;
        self.take_in(steps, &answers).await?;
        match stopped {
            None => Ok(Turn::Worked),
            Some((unavailable, needs_person)) => {
                if needs_person && self.away_since.is_none() {
                    let (tenant, id, reason) = (&self.tenant, &self.id, &unavailable.reason);
                    tracing::error!(tenant.id = %tenant, destination.id = %id, reason, "no member is created until a person does something about it");
                }
                Err(Trouble::Away(unavailable))
            }
        }
    }

    /// Those of these requests that have made a member already: whatever became of their records since, they make no second one.
    async fn made_before(&self, steps: &[Step]) -> Result<BTreeSet<EntityKey>, Trouble> {
        let delivered = steps.iter().filter(|step| step.decision == Decision::Deliver);
        let keys: Vec<EntityKey> = delivered.map(|step| step.key.clone()).collect();
        if keys.is_empty() {
            return Ok(BTreeSet::new());
        }
        let tenant = self.tenant.clone();
        let read = move |conn: &mut Connection| -> database::Result<BTreeSet<EntityKey>> {
            let mut by_form: BTreeMap<&str, BTreeMap<&str, &EntityKey>> = BTreeMap::new();
            for key in &keys {
                if let Some((form, record)) = onboarding::split(&key.id) {
                    by_form.entry(form).or_default().insert(record, key);
                }
            }
            let mut made = BTreeSet::new();
            for (form, records) in by_form {
                let ids: Vec<&str> = records.keys().copied().collect();
                for (record, row) in form_records::get_many(conn, &tenant, form, &ids)? {
                    if row.state == State::Created
                        && let Some(key) = records.get(record.as_str())
                    {
                        made.insert((*key).clone());
                    }
                }
            }
            Ok(made)
        };
        Ok(self.context.database.read("sink.made", read).await?)
    }

    /// Writes all members of a round, a few at once, while the lease is held.
    async fn write_members(
        &mut self,
        to: &dyn Members,
        steps: &[Step],
        made: &BTreeSet<EntityKey>,
    ) -> Result<Answers, Trouble> {
        self.keep_lease().await?;
        let clock = Arc::clone(&self.context.clock);
        let halt = Halt { stop: self.stop.clone(), is_stopped: AtomicBool::new(false) };
        let mut answers = Answers::of(steps, made);
        let mut calls: Vec<Call<'_>> = Vec::new();
        for (place, step) in answers.open(steps) {
            let may_be_there = self.may_be_there(step);
            self.note_sending(step);
            calls.push(Box::pin(write_one(place, step, may_be_there, to, &*clock, &halt)));
        }
        let mut running = stream::iter(calls).buffer_unordered(AT_ONCE);
        // However often somebody answers meanwhile.
        let mut beat = tokio::time::interval(self.timing.lease / 4);
        loop {
            tokio::select! {
                biased;
                _ = beat.tick() => self.keep_lease().await?,
                next = running.next() => match next {
                    Some((place, answer)) => answers.put(place, answer),
                    None => break,
                },
            }
        }
        let times = self.context.metrics.delivery_seconds.with_label_values(&[self.kind]);
        for (_, answer) in answers.begun() {
            times.observe(answer.sent.took_millis as f64 / 1000.0);
        }
        if let Some(books) = &mut self.books {
            let sent = answers.sent().filter_map(|place| steps.get(place)).filter(|step| !step.again);
            books.in_flight = sent.map(|step| step.version).fold(books.in_flight, u64::max);
        }
        Ok(answers)
    }

    /// Whether a member may be there by an attempt of ours that nobody heard of.
    fn may_be_there(&self, step: &Step) -> bool {
        let Some(books) = &self.books else { return true };
        let is_unheard = !step.again && step.version <= books.in_flight;
        // Of one that is no news it is not kept whether an answer came.
        let exception = books.courier.exception(&step.key);
        is_unheard || exception.is_some_and(|exception| exception.unsure || !exception.absent)
    }

    /// What was sent may be there.
    fn note_unheard(&mut self, steps: &[Step], answers: &Answers) {
        if let Some(books) = &mut self.books {
            let sent = answers.sent().filter_map(|place| steps.get(place));
            sent.for_each(|step| books.courier.note_unheard(step.version));
        }
    }

    /// Nobody answered at all: that is most likely about the destination, and what was sent is tried again where it is. A single one that is
    /// never answered though others would be is held.
    async fn blame_silence(&mut self, steps: &[Step], answers: &Answers) -> Result<(), Trouble> {
        let unheard: Vec<&Step> = answers.begun().filter_map(|(place, _)| steps.get(place)).collect();
        if unheard.is_empty() {
            return Ok(());
        }
        self.blame(Unavailable::new(answers.silence()), &unheard).await.map(drop)
    }

    /// Notes what came of the steps, as far as it is known of all before.
    async fn take_in(&mut self, steps: &[Step], answers: &Answers) -> Result<(), Trouble> {
        let now = self.context.clock.now();
        let mut round = Round::default();
        let end = answers.end();
        for (place, step) in steps.iter().enumerate().take(end) {
            match answers.get(place) {
                Called::Not => self.pass_over(step, &mut round),
                Called::Before => {
                    round.applied_as(step, "a member was made of it before", Sent { at: now, took_millis: 0 });
                    self.settle(step, Verdict::Applied, &mut round);
                }
                Called::Open => {
                    let reason = "it was not begun".to_owned();
                    self.settle(step, Verdict::Failed { next_attempt: now, reason }, &mut round);
                }
                Called::Answered(answer) => self.settle_member(step, answer, &mut round),
            }
        }
        if end > 0 { self.commit(round).await } else { Ok(()) }
    }

    fn settle_member(&mut self, step: &Step, answer: &Answer, round: &mut Round) {
        let attempts = self.attempts_with(step);
        if matches!(answer.wrote, Wrote::Unheard { .. })
            && let Some(books) = &mut self.books
        {
            books.courier.note_unheard(step.version);
        }
        let verdict = self.member_verdict(step, answer, round);
        let settled = self.settle(step, verdict, round);
        if matches!(answer.wrote, Wrote::Rejected { .. })
            && let Some(books) = &mut self.books
        {
            books.courier.note_nowhere(&step.key);
        }
        match &answer.wrote {
            Wrote::There(written) => round.note_created(&step.key, written, attempts),
            Wrote::Rejected { field, reason } if settled == Settled::Dead => {
                round.note_failed(&step.key, onboarding::Complaint::new(*field, reason.as_str()), attempts);
            }
            _ => {}
        }
    }

    /// How often a step was tried, with this time.
    fn attempts_with(&self, step: &Step) -> u32 {
        let exception = self.books.as_ref().and_then(|books| books.courier.exception(&step.key));
        exception.filter(|_| step.again).map_or(0, |exception| exception.attempts).saturating_add(1)
    }

    fn member_verdict(&self, step: &Step, answer: &Answer, round: &mut Round) -> Verdict {
        let (reason, after) = match &answer.wrote {
            Wrote::There(written) => {
                round.applied_as(step, written.how.as_str(), answer.sent);
                return Verdict::Applied;
            }
            Wrote::Rejected { field, reason } => {
                let reason = onboarding::Complaint::told(&[onboarding::Complaint::new(*field, reason.as_str())]);
                round.failed(step, "rejected", reason.clone(), answer.sent);
                return Verdict::Rejected { reason };
            }
            Wrote::Missing { reason } => {
                round.failed(step, "missing", reason.clone(), answer.sent);
                return Verdict::Missing { next_attempt: self.next_attempt(step, None), what: None };
            }
            Wrote::Retry { reason, after } => (reason, *after),
            Wrote::Unheard { reason } => (reason, None),
            Wrote::Stopped { unavailable, .. } => (&unavailable.reason, unavailable.after),
        };
        round.failed(step, "retried", reason.clone(), answer.sent);
        Verdict::Failed { next_attempt: self.next_attempt(step, after), reason: reason.clone() }
    }
}

/// As many of the next steps as make a round. None is about the request of another one in it: the two would be written at once.
fn round_of(steps: &[Step]) -> &[Step] {
    let mut keys: BTreeSet<&EntityKey> = BTreeSet::new();
    for (place, step) in steps.iter().enumerate() {
        let is_written = step.decision == Decision::Deliver;
        if is_written && (keys.len() >= AT_MOST || !keys.insert(&step.key)) {
            return steps.get(..place).unwrap_or(steps);
        }
    }
    steps
}

async fn write_one(
    place: usize,
    step: &Step,
    may_be_there: bool,
    to: &dyn Members,
    clock: &dyn Clock,
    halt: &Halt,
) -> (usize, Option<Answer>) {
    if halt.stop.is_cancelled() || halt.is_stopped.load(Ordering::Relaxed) {
        return (place, None);
    }
    let (at, began) = (clock.now(), Instant::now());
    let wrote = to.write(&step.send, may_be_there).await;
    if matches!(wrote, Wrote::Stopped { .. }) {
        halt.is_stopped.store(true, Ordering::Relaxed);
    }
    let took_millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    (place, Some(Answer { wrote, sent: Sent { at, took_millis } }))
}
