//! Publishes committed changes in the order of their versions.
//!
//! The outbox is the truth; what a turn hands over in memory only saves reading it. A tenant's changes are published by whoever holds
//! its outbox lease, so that two resolvers never interleave them.

use std::collections::BTreeMap;

use broker::{Lane, Outgoing};
use common::{Hop, TenantId};
use service::Context;
use store::outbox::{self, Body, Unpublished};
use tokio::sync::mpsc;

use crate::part::Part;

/// Changes read from the outbox at once.
const PAGE: usize = 512;
/// Handed-over batches that wait; beyond it the outbox is read instead.
const WAITING_MAX: usize = 64;
/// How long a lease lasts, and how long before its end it is renewed.
const LEASE_MILLIS: i64 = 30_000;
const RENEW_MILLIS: i64 = 15_000;
/// How often the outbox is looked at though nobody handed anything over: for what another process or a crash left.
const SWEEP: std::time::Duration = std::time::Duration::from_secs(1);
/// How many sweeps pass from one note of how far tenants are to the next: a crash publishes what came since once more.
const NOTED_EVERY: u32 = 5;

/// Where turns hand over what they committed.
#[derive(Clone)]
pub(crate) struct Handover(mpsc::Sender<(TenantId, Vec<Body>)>);

impl Handover {
    /// Hands over; what finds no room is read from the outbox by the next sweep.
    pub(crate) fn committed(&self, tenant: TenantId, changes: Vec<Body>) {
        if self.0.try_send((tenant, changes)).is_err() {
            tracing::debug!("the publisher is behind; it will read the outbox");
        }
    }
}

/// The publisher's end of it.
pub(crate) struct Publisher {
    context: Context,
    lanes: Vec<Lane>,
    handed: mpsc::Receiver<(TenantId, Vec<Body>)>,
    tenants: BTreeMap<TenantId, Progress>,
    sweeps: u32,
}

/// How far a tenant whose lease is held here is published.
struct Progress {
    published: u64,
    noted: u64,
    renew_at: i64,
}

impl Publisher {
    pub(crate) fn new(context: Context, lanes: Vec<Lane>) -> (Self, Handover) {
        let (sender, handed) = mpsc::channel(WAITING_MAX);
        (Self { context, lanes, handed, tenants: BTreeMap::new(), sweeps: 0 }, Handover(sender))
    }

    /// Runs until the hand-over is closed; then publishes what is left and notes how far it got.
    pub(crate) async fn run(mut self) {
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                handed = self.handed.recv() => match handed {
                    Some((tenant, changes)) => self.publish_or_log(&tenant, changes).await,
                    None => break,
                },
                _ = sweep.tick() => {
                    let part = Part::of(&self.context, &self.lanes);
                    self.sweep(&part).await;
                    self.give_back(|tenant| !part.has(tenant)).await;
                }
            }
        }
        self.sweep(&Part::of(&self.context, &self.lanes)).await;
        self.give_back(|_| true).await;
    }

    /// Publishes what is in the outbox and was not handed over, and notes now and then how far every tenant is.
    ///
    /// Only of tenants whose contacts are resolved here, or whose lease is here: the others look after theirs. Attendance and approvals are
    /// resolved all over the lane, so some of their changes wait for this.
    async fn sweep(&mut self, part: &Part) {
        let (owner, now) = (self.context.instance.clone(), self.context.clock.now());
        let look = move |conn: &mut database::Connection| outbox::unpublished(conn, &owner, now);
        match self.context.database.read("outbox.unpublished", look).await {
            Ok(tenants) => {
                for Unpublished { tenant, last_version, is_leased } in tenants {
                    let published = self.tenants.get(&tenant).map(|progress| progress.published);
                    let is_noted_late = published.is_some_and(|published| published >= last_version);
                    if !is_noted_late && (is_leased || part.has(&tenant)) {
                        self.publish_or_log(&tenant, Vec::new()).await;
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the outbox cannot be read; trying again"),
        }
        self.sweeps = self.sweeps.wrapping_add(1);
        if self.sweeps.is_multiple_of(NOTED_EVERY) {
            self.note(|_| true).await;
        }
    }

    async fn publish_or_log(&mut self, tenant: &TenantId, handed: Vec<Body>) {
        if let Err(error) = self.publish(tenant, handed).await {
            tracing::warn!(tenant.id = %tenant, error = %format!("{error:#}"), "changes stay in the outbox; trying again");
            self.tenants.remove(tenant);
        }
    }

    async fn publish(&mut self, tenant: &TenantId, handed: Vec<Body>) -> anyhow::Result<()> {
        if !self.holds_lease(tenant).await? {
            return Ok(());
        }
        let Some(progress) = self.tenants.get(tenant) else { return Ok(()) };
        let next = progress.published + 1;
        if handed.first().is_some_and(|(version, _)| *version == next) {
            return self.send(tenant, handed).await;
        }
        if handed.last().is_some_and(|(version, _)| *version < next) {
            return Ok(());
        }
        loop {
            let Some(after) = self.tenants.get(tenant).map(|progress| progress.published) else { return Ok(()) };
            let of = tenant.clone();
            let page = self
                .context
                .database
                .read("outbox.page", move |conn| outbox::bodies_after(conn, &of, after, PAGE))
                .await?;
            if page.is_empty() {
                return Ok(());
            }
            self.send(tenant, page).await?;
        }
    }

    async fn send(&mut self, tenant: &TenantId, changes: Vec<Body>) -> anyhow::Result<()> {
        let Some(last) = changes.last().map(|(version, _)| *version) else { return Ok(()) };
        let lane = self.context.tenants.get(tenant).map(|tenant| tenant.lane.clone()).unwrap_or_default();
        let message = |(_, body): Body| Outgoing::new(tenant.as_str(), body);
        let messages = changes.into_iter().map(message).collect();
        self.context.broker.publish(Hop::Changes, &lane, messages).await?;
        fail::fail_point!("publisher.published_before_note");
        if let Some(progress) = self.tenants.get_mut(tenant) {
            progress.published = last;
        }
        Ok(())
    }

    async fn holds_lease(&mut self, tenant: &TenantId) -> anyhow::Result<bool> {
        let now = self.context.clock.now();
        if self.tenants.get(tenant).is_some_and(|progress| progress.renew_at > now.0) {
            return Ok(true);
        }
        let (of, owner) = (tenant.clone(), self.context.instance.clone());
        let until = now.plus_millis(LEASE_MILLIS);
        let lease = move |conn: &mut database::Connection| outbox::lease(conn, &of, &owner, now, until);
        match self.context.database.write("outbox.lease", lease).await? {
            Some(published) => {
                fail::fail_point!("publisher.leased_before_publish");
                let renew_at = now.0 + RENEW_MILLIS;
                let new = Progress { published, noted: published, renew_at };
                let progress = self.tenants.entry(tenant.clone()).or_insert(new);
                // Somebody else may have held it meanwhile.
                (progress.published, progress.noted) = (progress.published.max(published), published);
                progress.renew_at = renew_at;
                Ok(true)
            }
            None => {
                self.tenants.remove(tenant);
                Ok(false)
            }
        }
    }

    /// Notes how far these tenants are published. A crash before it publishes some versions again, which destinations know as repeats.
    async fn note(&mut self, of: impl Fn(&TenantId) -> bool) {
        let due = self.tenants.iter().filter(|(tenant, progress)| progress.noted < progress.published && of(tenant));
        let due: Vec<(TenantId, u64)> = due.map(|(tenant, progress)| (tenant.clone(), progress.published)).collect();
        if due.is_empty() {
            return;
        }
        let (owner, noted) = (self.context.instance.clone(), due.clone());
        let write = move |conn: &mut database::Connection| -> database::Result<()> {
            noted.iter().try_for_each(|(tenant, through)| outbox::published(conn, tenant, &owner, *through))
        };
        match self.context.database.write("outbox.published", write).await {
            Ok(()) => {
                for (tenant, through) in due {
                    if let Some(progress) = self.tenants.get_mut(&tenant) {
                        progress.noted = through;
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "cannot note what is published; trying again"),
        }
    }

    /// Gives the leases of tenants back whose changes come from elsewhere now: their resolver then publishes at once, where we
    /// only notice with the next sweep.
    async fn give_back(&mut self, goes: impl Fn(&TenantId) -> bool) {
        self.note(&goes).await;
        let gone =
            self.tenants.iter().filter(|(tenant, progress)| goes(tenant) && progress.noted == progress.published);
        let gone: Vec<TenantId> = gone.map(|(tenant, _)| tenant.clone()).collect();
        if gone.is_empty() {
            return;
        }
        for tenant in &gone {
            self.tenants.remove(tenant);
        }
        let owner = self.context.instance.clone();
        let give_back = move |conn: &mut database::Connection| outbox::give_back(conn, &owner, &gone);
        if let Err(error) = self.context.database.write("outbox.give-back", give_back).await {
            tracing::debug!(%error, "a lease runs out by itself");
        }
    }
}
