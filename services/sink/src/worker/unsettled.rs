//! What was sent and is not recorded yet.
//!
//! A sender can lose its lease without noticing, as when it stands still or its clock jumps. What it sends then arrives behind what its
//! successor sent, and may undo that: it cannot record it, but the destination has taken it. A sender that finds out that somebody else
//! sent there meanwhile has these entities sent again, as they are by then.

use std::{collections::BTreeMap, mem};

use common::{Action, Entity, EntityKey, EntityKind};
use database::Connection;
use destinations::Destination;
use store::{outbox, taken};

use super::Worker;
use crate::courier::Step;

/// See the module.
#[derive(Default)]
pub(super) struct Unsettled {
    /// The fence under which it was sent.
    fence: i64,
    /// The entities, and what was sent of them in messages, which are rendered against what was told before.
    sent: BTreeMap<EntityKey, Option<Entity>>,
}

impl Unsettled {
    pub(super) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    /// It is recorded.
    pub(super) fn clear(&mut self) {
        self.sent.clear();
    }
}

impl Worker {
    /// This is sent next.
    pub(super) fn note_sending(&mut self, step: &Step) {
        let Some(books) = &self.books else { return };
        if step.key.kind == EntityKind::Callback {
            return;
        }
        if self.unsettled.sent.is_empty() {
            self.unsettled.fence = books.lease.fence;
        }
        for key in [Some(&step.key), step.renames.as_ref()].into_iter().flatten() {
            self.unsettled.sent.entry(key.clone()).or_default();
        }
        let mut sent = None;
        if let Action::Upsert { entity, renamed_from } = &step.send.action {
            if let Some(former) = renamed_from {
                self.unsettled.sent.entry(former.clone()).or_default();
            }
            if matches!(*self.destination, Destination::Messages(_)) {
                sent = Some(entity.clone());
            }
        }
        self.unsettled.sent.insert(step.send.entity.clone(), sent);
    }

    /// The lease changed hands, or is held by somebody else. If it only came back to us, what was sent is looked at as after a crash.
    pub(super) async fn own_up_unless_nobody_else_sent(&mut self) {
        let next_fence = self.unsettled.fence.saturating_add(1);
        if self.books.as_ref().is_some_and(|books| books.lease.fence == next_fence) {
            self.unsettled.clear();
        } else {
            self.own_up().await;
        }
    }

    /// Has what we sent without the right to do so sent again.
    pub(super) async fn own_up(&mut self) {
        let sent = mem::take(&mut self.unsettled.sent);
        if sent.is_empty() {
            return;
        }
        let (tenant, id, now) = (self.tenant.clone(), self.id.clone(), self.context.clock.now());
        let keys: Vec<EntityKey> = sent.keys().cloned().collect();
        let told = sent.iter().filter_map(|(key, entity)| Some((key.clone(), entity.clone()?)));
        let told: Vec<(EntityKey, Entity)> = told.collect();
        let write = move |conn: &mut Connection| -> database::Result<()> {
            taken::doubt(conn, &tenant, &id, &told)?;
            outbox::request_replay(conn, &tenant, Some(&id), &keys, now)
        };
        match self.context.database.write("sink.overtaken", write).await {
            Ok(()) => {
                let (tenant, id) = (&self.tenant, &self.id);
                tracing::warn!(
                    tenant.id = %tenant, destination.id = %id, count = sent.len(),
                    "another process sent there while we did: what we sent is sent again as it is now"
                );
            }
            Err(error) => {
                tracing::debug!(%error, "it is not noted yet what is to be sent again");
                self.unsettled.sent = sent;
            }
        }
    }
}
