//! How many pushes count towards a company's monthly quota (reference dingtalk 5.1): gathered in memory, and written every few
//! seconds. No answer waits for it.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{EntityKind, Event, EventBody, Platform, TenantId, UnixMillis};
use database::{Connection, Database};
use dingtalk::china_time;
use service::Context;
use store::quota::{self, Kind};
use tokio::time::{sleep, timeout};

use crate::gateway::Gateway;

/// How often what was counted is written.
const WRITE_EVERY: Duration = Duration::from_secs(2);
/// How long a stopping gateway waits for the database; what is counted and not written by then is lost.
const LAST_WRITE: Duration = Duration::from_secs(2);
/// So many pushes are remembered at least, and twice as many at most, to know those that come again.
const REMEMBERED: usize = 32 * 1024;
/// What types of contact events begin with; those are free.
const FREE: [&str; 3] = ["user_", "org_", "label_"];

/// Pushes that were taken over.
#[derive(Default)]
pub(crate) struct Pushes {
    state: Mutex<State>,
    /// Who writes does so alone: what is written twice would be counted twice.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// What is not written yet, by tenant and month.
    counted: Counted,
    seen: Seen,
}

type Counted = BTreeMap<(TenantId, String), u64>;

/// Pushes that were counted lately. Whether the platform counts what it sends again is not known; we do not.
#[derive(Default)]
struct Seen {
    young: HashSet<u64>,
    old: HashSet<u64>,
}

impl Pushes {
    /// A push with these events was taken over.
    pub(crate) fn note(&self, tenant: &TenantId, events: &[Event], now: UnixMillis) {
        let Some(first) = events.first().filter(|_| events.iter().any(is_counted)) else { return };
        let mut hasher = DefaultHasher::new();
        (tenant, &first.keys.platform).hash(&mut hasher);
        // The content's key stands in for an id that is not there; it is not the same in all shapes.
        if first.keys.platform.is_none() {
            first.keys.content.hash(&mut hasher);
        }
        let mut state = self.lock();
        if state.seen.is_new(hasher.finish()) {
            *state.counted.entry((tenant.clone(), china_time::month_of(now))).or_default() += 1;
        }
    }

    async fn write(&self, database: &Database) -> database::Result<()> {
        let _alone = self.writing.lock().await;
        let counted = self.lock().counted.clone();
        if counted.is_empty() {
            return Ok(());
        }
        let rows = counted.clone();
        let add = move |conn: &mut Connection| -> database::Result<()> {
            rows.iter().try_for_each(|((tenant, month), count)| {
                quota::add(conn, tenant, Platform::Dingtalk, Kind::Stream, month, *count).map(|_used| ())
            })
        };
        database.write("quota.add", add).await?;
        self.lock().written(&counted);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets what was written; more may have come meanwhile.
    fn written(&mut self, written: &Counted) {
        self.counted.retain(|key, count| {
            *count = count.saturating_sub(written.get(key).copied().unwrap_or_default());
            *count > 0
        });
    }
}

impl Seen {
    fn is_new(&mut self, push: u64) -> bool {
        if self.old.contains(&push) || !self.young.insert(push) {
            return false;
        }
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        true
    }
}

/// Whether the platform counts the push that said this.
fn is_counted(event: &Event) -> bool {
    match &event.body {
        EventBody::Directory(seen) => !matches!(seen.kind, EntityKind::Department | EntityKind::Member),
        EventBody::Callback(callback) => !FREE.iter().any(|begin| callback.name.starts_with(begin)),
    }
}

/// Writes what was counted until the process is told to stop.
pub(crate) async fn keep_written(gateway: Arc<Gateway>, ctx: Context) {
    while ctx.stop.run_until_cancelled(sleep(WRITE_EVERY)).await.is_some() {
        if let Err(error) = gateway.pushes.write(&ctx.database).await {
            tracing::debug!(error = error.label(), "cannot note yet how many pushes came");
        }
    }
}

/// Writes what is left, when no push comes any more.
pub(crate) async fn write_the_last(gateway: &Gateway, ctx: &Context) {
    if !matches!(timeout(LAST_WRITE, gateway.pushes.write(&ctx.database)).await, Ok(Ok(()))) {
        tracing::warn!("the last pushes could not be added to what quotas count");
    }
}
