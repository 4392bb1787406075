//! What a round of deliveries came to, and writing all of it down at once.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    Action, Change, Entity, EntityKey, EntityKind, Platform, Reason, UnixMillis,
    onboarding::{self, Complaint},
};
use database::{Connection, Result};
use destinations::{Destination, How, Outcome, Written};
use service::traces;
use store::{
    dead_letters::{self, NewDeadLetter, Resolution, Stage},
    deliveries::{self, Attempt},
    destinations::{self as rows, Lease, Progress},
    form_records, held, links, messages, taken,
};

use super::{Trouble, Worker, books};
use crate::{
    build,
    courier::{Decision, Exception, Part, Settled, Step, Verdict},
};

/// What is to be written down.
#[derive(Default)]
pub(super) struct Round {
    /// The changes of exceptions that are new or were replaced.
    kept: BTreeMap<EntityKey, Change>,
    attempts: Vec<Attempt>,
    dead: Vec<NewDeadLetter>,
    /// What the destination has taken: the entity, or `None` when it is gone there.
    taken: BTreeMap<EntityKey, Option<(u64, Entity)>>,
    /// The destination answered sensibly.
    answered: bool,
    /// Versions of which one message was taken and another one is to follow.
    replaced: BTreeSet<u64>,
    /// Versions whose messages were made for a different state of affairs, and never sent.
    pub(super) void: Vec<u64>,
    /// When each applied change was received, and from whom.
    received: Vec<(Platform, UnixMillis)>,
    /// The traces that applied changes belong to.
    traced: Vec<String>,
    /// Entities that go on under another id, whatever became of the change: their links go along.
    renamed: Vec<(EntityKey, EntityKey)>,
    /// Former ids whose rows were taken along by applied renames.
    merged: Vec<EntityKey>,
    /// What came of the records of forms that requests were made of.
    forms: Vec<form_records::Settled>,
}

/// When and how long a delivery took.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    pub(super) at: UnixMillis,
    pub(super) took_millis: u64,
}

impl Round {
    /// Takes in a batch's worth of applied changes as one attempt.
    pub(super) fn applied_together(&mut self, steps: &[&Step], sent: Sent) {
        let versions = steps.iter().map(|step| step.version);
        if let (Some(from_version), Some(to_version)) = (versions.clone().min(), versions.max()) {
            self.attempts.push(Attempt {
                from_version,
                to_version,
                changes: u32::try_from(steps.len()).unwrap_or(u32::MAX),
                entity: match steps {
                    [only] => Some(only.key.clone()),
                    _ => None,
                },
                at: sent.at,
                took_millis: sent.took_millis,
                outcome: "applied".to_owned(),
                answer: None,
            });
        }
    }

    /// Takes in one applied change as an attempt of its own; `answer` says how.
    pub(super) fn applied_as(&mut self, step: &Step, answer: &str, sent: Sent) {
        self.attempted(step, "applied", answer.to_owned(), sent);
    }

    /// Takes in one attempt that failed.
    pub(super) fn failed(&mut self, step: &Step, outcome: &str, answer: String, sent: Sent) {
        self.attempted(step, outcome, answer, sent);
    }

    fn attempted(&mut self, step: &Step, outcome: &str, answer: String, sent: Sent) {
        self.attempts.push(Attempt {
            from_version: step.version,
            to_version: step.version,
            changes: 1,
            entity: Some(step.key.clone()),
            at: sent.at,
            took_millis: sent.took_millis,
            outcome: outcome.to_owned(),
            answer: Some(answer),
        });
    }

    /// A member was made of a request, or was found to be the one.
    pub(super) fn note_created(&mut self, request: &EntityKey, written: &Written, attempts: u32) {
        let known = match written.how {
            How::Created | How::CreatedBefore => None,
            How::Linked => Some(Complaint::new("userid", "the member was there already, and is as it was")),
            How::Updated => Some(Complaint::new("userid", "the member was there already, and was changed")),
        };
        self.note_form(request, form_records::State::Created, Some(written.id.clone()), known, attempts);
    }

    /// A request was given up on.
    pub(super) fn note_failed(&mut self, request: &EntityKey, why: Complaint, attempts: u32) {
        self.note_form(request, form_records::State::Failed, None, Some(why), attempts);
    }

    fn note_form(
        &mut self,
        request: &EntityKey,
        state: form_records::State,
        user_id: Option<String>,
        told: Option<Complaint>,
        attempts: u32,
    ) {
        let Some((form, record)) = onboarding::split(&request.id) else { return };
        let (form, record) = (form.to_owned(), record.to_owned());
        let reasons = told.map(|complaint| Complaint::list(&[complaint]));
        self.forms.push(form_records::Settled { form, record, state, user_id, reasons, attempts });
    }

    fn took(&mut self, step: &Step, directory: Platform) {
        match &step.send.action {
            Action::Upsert { entity, renamed_from } => {
                if let Some(former) = renamed_from {
                    if *former != step.send.entity {
                        self.merged.push(former.clone());
                    }
                    self.taken.insert(former.clone(), None);
                }
                self.taken.insert(step.send.entity.clone(), Some((step.version, entity.clone())));
            }
            Action::Remove => drop(self.taken.insert(step.send.entity.clone(), None)),
            Action::Callback(_) => {}
        }
        self.traced.extend(step.change.traceparent.clone());
        if step.send.only_for.is_none() {
            self.received.push((build::platform(&step.change, directory), step.change.received_at));
        }
    }
}

impl Worker {
    /// Takes in what came of one step.
    pub(super) fn settle(&mut self, step: &Step, verdict: Verdict, round: &mut Round) -> Settled {
        let now = self.context.clock.now();
        let Some(books) = &mut self.books else { return Settled::Skipped };
        let is_gone_anyway = matches!(verdict, Verdict::Rejected { .. }) && books.courier.may_be_gone(step);
        let verdict = if is_gone_anyway { Verdict::Applied } else { verdict };
        let was_applied = step.decision == Decision::Deliver && verdict == Verdict::Applied;
        let reason = match &verdict {
            Verdict::Rejected { reason } => reason.clone(),
            _ => String::new(),
        };
        if step.decision == Decision::Deliver && !matches!(verdict, Verdict::Failed { .. }) {
            round.answered = true;
        }
        let settled = books.courier.settle(step, verdict, now);
        if let Some(former) = step.renames.as_ref().filter(|_| !step.again && settled != Settled::Skipped) {
            round.renamed.push((former.clone(), step.key.clone()));
        }
        if was_applied {
            round.took(step, self.directory);
            if step.part == Part::FormerRow {
                round.replaced.insert(step.version);
            }
        }
        if matches!(settled, Settled::Waiting | Settled::Held | Settled::Dead) && !step.again {
            round.kept.insert(step.key.clone(), step.change.clone());
        }
        if settled == Settled::Dead {
            round.dead.push(self.dead_letter(&step.key, &step.change, Reason::RejectedByDestination, reason, now));
        }
        self.count(step, settled, was_applied);
        settled
    }

    fn count(&self, step: &Step, settled: Settled, was_applied: bool) {
        let outcome = match settled {
            Settled::Applied => "applied",
            Settled::Held if !was_applied => "retried",
            Settled::Dead => "rejected",
            _ => return,
        };
        self.count_outcome(outcome);
        if settled == Settled::Dead {
            let (tenant, id, kind) = (&self.tenant, &self.id, step.key.kind.as_str());
            let trace_id = step.change.traceparent.as_deref().and_then(traces::trace_id);
            tracing::warn!(
                tenant.id = %tenant, destination.id = %id, entity.kind = kind, change.version = step.version, trace_id,
                "a destination rejected a change; see `orgbridge dead list`"
            );
        }
    }

    pub(super) fn count_outcome(&self, outcome: &str) {
        let labels = [self.tenant.as_str(), self.id.as_str(), outcome];
        self.context.metrics.changes_total.with_label_values(&labels).inc();
    }

    pub(super) fn dead_letter(
        &self,
        key: &EntityKey,
        change: &Change,
        reason: Reason,
        detail: String,
        now: UnixMillis,
    ) -> NewDeadLetter {
        NewDeadLetter {
            tenant: self.tenant.clone(),
            stage: Stage::Sink,
            kind: key.kind.as_str().to_owned(),
            entity: key.id.to_string(),
            reason,
            detail,
            content: String::from_utf8(change.to_json()).unwrap_or_default(),
            destination: Some(self.id.clone()),
            version: Some(change.version),
            since: now,
        }
    }

    /// Adds a dead letter of an exception that was given up on.
    pub(super) fn bury(&mut self, key: &EntityKey, change: &Change, reason: Reason, detail: String, round: &mut Round) {
        if key.kind == EntityKind::Onboarding {
            let exception = self.books.as_ref().and_then(|books| books.courier.exception(key));
            let attempts = exception.map_or(0, |exception| exception.attempts);
            round.note_failed(key, Complaint::new("", detail.as_str()), attempts);
        }
        let letter = self.dead_letter(key, change, reason, detail, self.context.clock.now());
        round.dead.push(letter);
        self.count_outcome("rejected");
    }

    /// Writes everything down in one transaction, under the lease.
    pub(super) async fn commit(&mut self, round: Round) -> Result<(), Trouble> {
        let now = self.context.clock.now();
        let away = self.away_since.take_if(|_| round.answered).map(|since| (since, now.since(since).max(0)));
        let Some(books) = &mut self.books else { return Err(Trouble::LeaseLost) };
        if let Some((since, millis)) = away {
            books.courier.shift_clocks(since, millis);
        }
        let position = books.courier.position();
        let changed = books.courier.take_changed();
        let cleared: Vec<EntityKey> =
            changed.iter().filter(|(_, exception)| exception.is_none()).map(|(key, _)| key.clone()).collect();
        let mut unneeded = unneeded(books, &round.replaced);
        unneeded.extend(&round.void);
        let progress =
            Progress { position, last_second: books.last_second, delivered_at: round.answered.then_some(now) };
        let page = Page { lease: books.lease.clone(), progress, away, changed, cleared, unneeded, now };
        if round.answered {
            self.breaker.succeeded();
            self.is_cautious = false;
        }
        let latencies: Vec<(Platform, i64)> =
            round.received.iter().map(|(platform, received)| (*platform, now.since(*received))).collect();
        let keeps = match &*self.destination {
            Destination::Batch(_) => Keeps::Links,
            Destination::Messages(_) => Keeps::Taken,
            Destination::Members(_) => Keeps::Forms,
        };
        let began = round.attempts.iter().map(|attempt| attempt.at).min().unwrap_or(now);
        let traced = if self.context.traces.is_on() { round.traced.clone() } else { Vec::new() };
        let write = move |conn: &mut Connection| page.write(conn, &round, keeps);
        if !self.context.database.write("sink.commit", write).await? {
            return Err(Trouble::LeaseLost);
        }
        self.unsettled.clear();
        fail::fail_point!("sink.after_commit");
        for (platform, latency) in latencies {
            let seconds = self.context.metrics.end_to_end_seconds.with_label_values(&[platform.as_str()]);
            seconds.observe(latency.max(0) as f64 / 1000.0);
        }
        let attributes = [("orgbridge.tenant", self.tenant.as_str()), ("orgbridge.destination", self.id.as_str())];
        for parent in &traced {
            self.context.traces.tell("deliver", traces::Part::Took, Some(parent), began, &attributes);
        }
        Ok(())
    }
}

/// The stored messages that are needed no more: their changes are settled and not to be sent again.
fn unneeded(books: &mut books::Books, replaced: &BTreeSet<u64>) -> Vec<u64> {
    let position = books.courier.position();
    let mut settled: BTreeSet<u64> = books.messages.range(..=position).map(|(version, _)| *version).collect();
    if !settled.is_empty() {
        let open = books.courier.exceptions().filter(|(_, exception)| !exception.is_dead());
        for (_, exception) in open.filter(|(_, exception)| !replaced.contains(&exception.version)) {
            settled.remove(&exception.version);
        }
    }
    for version in &settled {
        books.messages.remove(version);
    }
    settled.into_iter().collect()
}

/// What is kept of a kind of destination besides what is kept of all.
#[derive(Debug, Clone, Copy)]
enum Keeps {
    /// Which row is which entity.
    Links,
    /// What it took of each entity.
    Taken,
    /// What came of records of forms.
    Forms,
}

struct Page {
    lease: Lease,
    progress: Progress,
    /// Since when, and for how many milliseconds, the destination was away.
    away: Option<(UnixMillis, i64)>,
    changed: Vec<(EntityKey, Option<Exception>)>,
    cleared: Vec<EntityKey>,
    unneeded: Vec<u64>,
    now: UnixMillis,
}

impl Page {
    /// `false` when the lease is lost; then nothing is written.
    fn write(self, conn: &mut Connection, round: &Round, keeps: Keeps) -> Result<bool> {
        if !rows::advance(conn, &self.lease, &self.progress)? {
            return Ok(false);
        }
        let (tenant, id) = (&self.lease.tenant, &self.lease.destination);
        if let Some((since, millis)) = self.away {
            held::shift_clocks(conn, tenant, id, since, millis)?;
        }
        held::remove(conn, tenant, id, &self.cleared)?;
        let rows: Vec<_> = self
            .changed
            .into_iter()
            .filter_map(|(key, exception)| exception.map(|exception| (key, exception)))
            .map(|(key, exception)| {
                let change = round.kept.get(&key);
                (books::row(key, exception), change)
            })
            .collect();
        held::put(conn, tenant, id, &rows)?;
        messages::remove(conn, tenant, id, &self.unneeded)?;
        deliveries::record(conn, tenant, id, &round.attempts)?;
        let end = |conn: &mut Connection, keys: &[EntityKey], how| {
            dead_letters::resolve_entities(conn, tenant, Stage::Sink, Some(id), keys, (how, self.now)).map(drop)
        };
        end(conn, &self.cleared, Resolution::Applied)?;
        if !round.dead.is_empty() {
            let keys: Vec<EntityKey> = round.dead.iter().filter_map(key_of).collect();
            end(conn, &keys, Resolution::Superseded)?;
            dead_letters::insert(conn, &round.dead)?;
        }
        match keeps {
            Keeps::Links => {
                for (from, to) in &round.renamed {
                    links::rename(conn, tenant, id, from, to)?;
                }
                // Both ids were linked: their rows are one now.
                links::remove(conn, tenant, id, &round.merged)?;
            }
            Keeps::Taken => write_taken(conn, &self.lease, &round.taken)?,
            Keeps::Forms => form_records::settle(conn, tenant, &round.forms, self.now)?,
        }
        fail::fail_point!("sink.before_commit");
        Ok(true)
    }
}

fn key_of(letter: &NewDeadLetter) -> Option<EntityKey> {
    Some(EntityKey { kind: letter.kind.parse().ok()?, id: letter.entity.as_str().into() })
}

fn write_taken(
    conn: &mut Connection,
    lease: &Lease,
    taken_now: &BTreeMap<EntityKey, Option<(u64, Entity)>>,
) -> Result<()> {
    let gone: Vec<EntityKey> =
        taken_now.iter().filter(|(_, entity)| entity.is_none()).map(|(key, _)| key.clone()).collect();
    let there: Vec<_> = taken_now
        .iter()
        .filter_map(|(key, entity)| entity.as_ref().map(|(version, entity)| (key, *version, entity)))
        .collect();
    taken::remove(conn, &lease.tenant, &lease.destination, &gone)?;
    taken::put(conn, &lease.tenant, &lease.destination, &there)
}

/// An outcome as attempts are recorded with it.
pub(super) fn described(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Applied => ("applied", String::new()),
        Outcome::Retry { reason, .. } => ("retried", reason.clone()),
        Outcome::Rejected { reason } => ("rejected", reason.clone()),
        Outcome::Missing { what } => {
            ("missing", what.as_ref().map_or_else(|| "something".to_owned(), ToString::to_string))
        }
    }
}
