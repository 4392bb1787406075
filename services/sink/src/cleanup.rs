//! Forgetting what nobody needs any more.

use std::collections::{BTreeMap, BTreeSet};

use common::{DestinationId, TenantId};
use database::Connection;
use service::Context;
use store::{dead_letters, deliveries, destinations, outbox, tenants};

use crate::Timing;

/// Ended dead letters are kept for this long.
const DEAD_LETTERS_KEPT_DAYS: i64 = 30;
/// Old attempts and dead letters are looked for every so many rounds.
const ROUNDS_BETWEEN_ATTEMPTS: u32 = 12;

/// Deletes what every destination has passed.
pub(crate) struct Cleanup {
    context: Context,
    timing: Timing,
    pruned: BTreeMap<TenantId, u64>,
    round: u32,
}

impl Cleanup {
    pub(crate) const fn new(context: Context, timing: Timing) -> Self {
        Self { context, timing, pruned: BTreeMap::new(), round: 0 }
    }

    /// One round. `idle` are destinations to which nobody delivers.
    pub(crate) async fn run(&mut self, idle: &BTreeSet<(TenantId, DestinationId)>) {
        if let Err(error) = self.outbox(idle.clone()).await {
            tracing::warn!(%error, "the outbox is not cleaned up; trying again");
        }
        if self.round % ROUNDS_BETWEEN_ATTEMPTS == 1
            && let Err(error) = self.attempts().await
        {
            tracing::warn!(%error, "old attempts are not cleaned up; trying again");
        }
        self.round = self.round.wrapping_add(1);
    }

    async fn outbox(&mut self, idle: BTreeSet<(TenantId, DestinationId)>) -> database::Result<()> {
        let keeps = self.timing.outbox_keeps;
        let needed = move |conn: &mut Connection| needed(conn, &idle);
        for (tenant, needed) in self.context.database.read("sink.needed", needed).await? {
            let through = needed.saturating_sub(keeps);
            // In steps, so that a busy tenant is not pruned by single rows.
            let pruned = self.pruned.get(&tenant).copied().unwrap_or_default();
            if through < pruned.saturating_add(1 + keeps / 8) {
                continue;
            }
            let of = tenant.clone();
            self.context.database.write("sink.prune", move |conn| outbox::prune(conn, &of, through)).await?;
            self.pruned.insert(tenant, through);
        }
        Ok(())
    }

    async fn attempts(&self) -> database::Result<()> {
        let keep = self.timing.attempts_keep;
        for watched in self.context.database.read("sink.destinations", destinations::watch).await? {
            let prune = move |conn: &mut Connection| deliveries::prune(conn, &watched.tenant, &watched.id, keep);
            self.context.database.write("sink.prune-attempts", prune).await?;
        }
        let before = self.context.clock.now().plus_seconds(-DEAD_LETTERS_KEPT_DAYS * 86_400);
        self.context.database.write("sink.prune-dead", move |conn| dead_letters::prune(conn, before)).await?;
        Ok(())
    }
}

/// The version up to which each tenant's changes are passed everywhere.
fn needed(
    conn: &mut Connection,
    idle: &BTreeSet<(TenantId, DestinationId)>,
) -> database::Result<BTreeMap<TenantId, u64>> {
    let mut needed: BTreeMap<TenantId, u64> = tenants::last_versions(conn)?.into_iter().collect();
    for (tenant, position) in destinations::lowest_positions(conn, idle)? {
        needed.entry(tenant).and_modify(|last| *last = (*last).min(position));
    }
    Ok(needed)
}
