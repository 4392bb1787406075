//! Delivering to a destination that takes one message per change.

use std::{collections::BTreeMap, iter};

use common::{Action, Change, EntityKey, Told};
use database::Connection;
use destinations::{Message, Messages, Outcome, Rendered};
use store::{destinations as rows, held, messages as stored, taken};
use tokio::time::Instant;

use super::{
    Trouble, Turn, Worker,
    round::{Round, Sent, described},
};
use crate::courier::{Decision, Settled, Step};

type Taken = BTreeMap<EntityKey, Told>;

impl Worker {
    /// Makes the messages of a group and stores them, then sends them one by one, each recorded before the next is sent. What
    /// stands behind one that was not taken was made for a different state of affairs: it is thrown away and planned anew.
    pub(super) async fn carry_out_messages(&mut self, to: &dyn Messages, steps: &[Step]) -> Result<Turn, Trouble> {
        self.note_doubts(steps).await?;
        self.store_messages(to, steps).await?;
        fail::fail_point!("sink.stored_before_send");
        let mut round = Round::default();
        let mut is_open = false;
        for step in steps {
            if step.decision != Decision::Deliver {
                self.pass_over(step, &mut round);
                is_open = true;
                continue;
            }
            if self.stop.is_cancelled() {
                break;
            }
            let settled = match self.deliver(to, step, &mut round).await {
                Ok(settled) => settled,
                Err(trouble) => {
                    // The courier has passed over what came before this one: without their rows nobody would know of them after
                    // a restart. Where our database or the lease failed, all of it is read anew instead.
                    if is_open && matches!(trouble, Trouble::Away(_) | Trouble::Failed { .. }) {
                        self.commit(round).await?;
                    }
                    return Err(trouble);
                }
            };
            if settled != Settled::Applied {
                self.throw_away(&mut round);
                fail::fail_point!("sink.held_before_commit");
            }
            self.commit(std::mem::take(&mut round)).await?;
            is_open = false;
            if settled != Settled::Applied {
                fail::fail_point!("sink.held_after_commit");
                return Ok(Turn::Worked);
            }
        }
        if is_open {
            self.commit(round).await?;
        }
        Ok(Turn::Worked)
    }

    async fn deliver(&mut self, to: &dyn Messages, step: &Step, round: &mut Round) -> Result<Settled, Trouble> {
        let Some(books) = &self.books else { return Err(Trouble::LeaseLost) };
        let message: Option<Message> = books.messages.get(&step.version).cloned();
        let (outcome, sent) = match &message {
            // There is nothing to tell the receiver; it is as if it had taken it.
            None => (Outcome::Applied, Sent { at: self.context.clock.now(), took_millis: 0 }),
            Some(message) => self.send(to, message, step).await?,
        };
        if outcome == Outcome::Applied {
            round.applied_together(&[step], sent);
        } else {
            let (name, answer) = described(&outcome);
            round.failed(step, name, answer, sent);
        }
        match self.verdict(step, outcome).await {
            Ok(verdict) => Ok(self.settle(step, verdict, round)),
            Err(trouble) => {
                self.commit(std::mem::take(round)).await?;
                Err(trouble)
            }
        }
    }

    async fn send(&mut self, to: &dyn Messages, message: &Message, step: &Step) -> Result<(Outcome, Sent), Trouble> {
        if let (Some(spacing), Some(last)) = (to.spacing(), self.last_sent) {
            tokio::time::sleep_until(last + spacing).await;
        }
        self.keep_lease().await?;
        let (at, began) = (self.context.clock.now(), Instant::now());
        self.last_sent = Some(began);
        self.note_sending(step);
        fail::fail_point!("sink.before_send");
        let answer = to.send(message).await;
        fail::fail_point!("sink.answered_before_commit");
        let took = began.elapsed();
        self.context.metrics.delivery_seconds.with_label_values(&[self.kind]).observe(took.as_secs_f64());
        let sent = Sent { at, took_millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX) };
        match answer {
            Ok(outcome) => Ok((outcome, sent)),
            Err(unavailable) => {
                let outcome = self.blame(unavailable, &[step]).await?.pop();
                Ok((outcome.unwrap_or(Outcome::Retry { reason: String::new(), after: None }), sent))
            }
        }
    }

    /// Makes and stores the messages that are not stored yet, against what the destination last took and what goes before
    /// them in the group.
    async fn store_messages(&mut self, to: &dyn Messages, steps: &[Step]) -> Result<(), Trouble> {
        let to_send: Vec<&Step> = steps.iter().filter(|step| step.decision == Decision::Deliver).collect();
        if to_send.is_empty() {
            return Ok(());
        }
        let mut taken = self.load_taken(&to_send).await?;
        let now = self.context.clock.now();
        let Some(books) = &mut self.books else { return Err(Trouble::LeaseLost) };
        let mut fresh = Vec::new();
        for step in to_send {
            let is_known_gone = removes_again(&step.send)
                && !taken.contains_key(&step.send.entity)
                && books.courier.exception(&step.key).is_none();
            if !is_known_gone
                && !books.messages.contains_key(&step.version)
                && let Rendered::Send(message) =
                    to.render(&step.send, previous(&step.send, &taken), now, books.last_second)
            {
                books.last_second = Some(message.second.max(books.last_second.unwrap_or(message.second)));
                fresh.push((step.version, message));
            }
            take_over(&step.send, &mut taken);
        }
        if fresh.is_empty() {
            return Ok(());
        }
        let mut texts = Vec::with_capacity(fresh.len());
        for (version, message) in &fresh {
            match serde_json::to_string(message) {
                Ok(text) => texts.push((*version, text)),
                Err(error) => tracing::error!(%error, "a message cannot be stored"),
            }
        }
        let lease = books.lease.clone();
        books.messages.extend(fresh);
        let write = move |conn: &mut Connection| -> database::Result<bool> {
            let is_ours = rows::holds(conn, &lease)?;
            if is_ours {
                stored::put(conn, &lease.tenant, &lease.destination, &texts, now)?;
            }
            Ok(is_ours)
        };
        if self.context.database.write("sink.messages", write).await? { Ok(()) } else { Err(Trouble::LeaseLost) }
    }

    /// Exceptions that were sent, perhaps, and that these steps replace: the destination may have them, so what follows must not
    /// be told as a difference from what it surely took.
    async fn note_doubts(&mut self, steps: &[Step]) -> Result<(), Trouble> {
        let Some(books) = &self.books else { return Err(Trouble::LeaseLost) };
        let replaced =
            steps.iter().filter(|step| !step.again).flat_map(|step| iter::once(&step.key).chain(&step.renames));
        let mut sent: BTreeMap<EntityKey, Vec<EntityKey>> = BTreeMap::new();
        for key in replaced {
            let Some(exception) = books.courier.exception(key) else { continue };
            if exception.attempts > 0 || books.messages.contains_key(&exception.version) {
                let ids = exception.formerly.iter().map(|former| former.key.clone());
                sent.insert(key.clone(), iter::once(key.clone()).chain(ids).collect());
            }
        }
        if sent.is_empty() {
            return Ok(());
        }
        let lease = books.lease.clone();
        let write = move |conn: &mut Connection| -> database::Result<bool> {
            let (tenant, id) = (&lease.tenant, &lease.destination);
            if !rows::holds(conn, &lease)? {
                return Ok(false);
            }
            let keys: Vec<EntityKey> = sent.keys().cloned().collect();
            let mut doubts = Vec::new();
            for (key, change) in held::changes(conn, tenant, id, &keys)? {
                if let Action::Upsert { entity, .. } = change.action {
                    doubts.extend(sent.remove(&key).into_iter().flatten().map(|id| (id, entity.clone())));
                }
            }
            taken::doubt(conn, tenant, id, &doubts)?;
            Ok(true)
        };
        if self.context.database.write("sink.doubt", write).await? { Ok(()) } else { Err(Trouble::LeaseLost) }
    }

    async fn load_taken(&self, steps: &[&Step]) -> Result<Taken, Trouble> {
        let mut keys: Vec<EntityKey> = Vec::with_capacity(steps.len());
        for step in steps {
            keys.push(step.send.entity.clone());
            if let Action::Upsert { renamed_from: Some(former), .. } = &step.send.action {
                keys.push(former.clone());
            }
        }
        let (tenant, id) = (self.tenant.clone(), self.id.clone());
        let read = move |conn: &mut Connection| taken::load(conn, &tenant, &id, &keys);
        Ok(self.context.database.read("sink.taken", read).await?)
    }

    /// Forgets what is stored of the group and was never sent, in one commit with what made it void: after a crash in between it would
    /// be sent all the same.
    fn throw_away(&mut self, round: &mut Round) {
        let Some(books) = &mut self.books else { return };
        let never_sent = books.messages.split_off(&(books.courier.position() + 1));
        round.void.extend(never_sent.into_keys());
    }
}

/// Whether somebody asked for a removal to be sent again. A receiver that does not have the entity, as far as is known, is not to be
/// told of it: it would refuse that. One that starts without a back-fill may have what it was never told of; there a removal that
/// everybody gets says something.
fn removes_again(change: &Change) -> bool {
    change.only_for.is_some() && matches!(change.action, Action::Remove)
}

/// What the destination was told of the entity before `change`.
fn previous<'a>(change: &Change, taken: &'a Taken) -> Option<&'a Told> {
    match &change.action {
        Action::Upsert { renamed_from: Some(former), .. } => taken.get(former).or_else(|| taken.get(&change.entity)),
        _ => taken.get(&change.entity),
    }
}

/// As if the destination had taken `change`.
fn take_over(change: &Change, taken: &mut Taken) {
    match &change.action {
        Action::Upsert { entity, renamed_from } => {
            if let Some(former) = renamed_from {
                taken.remove(former);
            }
            taken.insert(change.entity.clone(), Told::surely(entity.clone()));
        }
        Action::Remove => drop(taken.remove(&change.entity)),
        Action::Callback(_) => {}
    }
}
