//! Facts of the database, asked for on scrape.

use common::{TenantId, UnixMillis};
use database::{Connection, Result};
use prometheus::IntGaugeVec;
use store::{
    dead_letters::{self, Stage},
    destinations::{self, Backlog},
    records, tenants,
};
use tokio::sync::Mutex;

use super::Families;

pub(super) struct Facts {
    parked_events: IntGaugeVec,
    parked_oldest_seconds: IntGaugeVec,
    backlog_changes: IntGaugeVec,
    backlog_oldest_seconds: IntGaugeVec,
    dead_letters: IntGaugeVec,
    tenant_info: IntGaugeVec,
    /// Two scrapes at once would see each other's half-filled gauges.
    filling: Mutex<()>,
}

struct Seen {
    parked: Vec<(TenantId, u64, Option<UnixMillis>)>,
    backlog: Vec<Backlog>,
    dead: Vec<(TenantId, Stage, u64)>,
}

impl Facts {
    pub(super) fn new(families: &Families<'_>) -> prometheus::Result<Self> {
        let (tenant, destination) = (&["tenant"], &["tenant", "destination"]);
        Ok(Self {
            parked_events: families.gauge("parked_events", "Entities that wait for others.", tenant)?,
            parked_oldest_seconds: families.gauge(
                "parked_oldest_seconds",
                "Age of the entity that has waited longest.",
                tenant,
            )?,
            backlog_changes: families.gauge(
                "backlog_changes",
                "Changes that a destination has not got yet.",
                destination,
            )?,
            backlog_oldest_seconds: families.gauge(
                "backlog_oldest_seconds",
                "Age of the oldest change that a destination has not got yet.",
                destination,
            )?,
            dead_letters: families.gauge(
                "dead_letters",
                "Events and changes given up on and not resolved.",
                &["tenant", "stage"],
            )?,
            tenant_info: families.gauge("tenant_info", "In which lane a tenant is; always 1.", &["tenant", "lane"])?,
            filling: Mutex::new(()),
        })
    }

    pub(super) async fn refresh(&self, ctx: &crate::Context) -> Result<()> {
        let _alone = self.filling.lock().await;
        let seen = ctx.database.read("metrics.facts", look).await;
        for family in [&self.parked_events, &self.parked_oldest_seconds, &self.dead_letters, &self.tenant_info] {
            family.reset();
        }
        for tenant in ctx.tenants.snapshot().iter() {
            self.tenant_info.with_label_values(&[tenant.file.id.as_str(), tenant.lane.as_str()]).set(1);
        }
        self.backlog_changes.reset();
        self.backlog_oldest_seconds.reset();
        self.fill(&seen?, ctx.clock.now());
        Ok(())
    }

    fn fill(&self, seen: &Seen, now: UnixMillis) {
        let age = |since: Option<UnixMillis>| since.map_or(0, |since| now.since(since).max(0) / 1000);
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for (tenant, count, oldest) in &seen.parked {
            self.parked_events.with_label_values(&[tenant.as_str()]).set(number(*count));
            self.parked_oldest_seconds.with_label_values(&[tenant.as_str()]).set(age(*oldest));
            for stage in Stage::ALL {
                self.dead_letters.with_label_values(&[tenant.as_str(), stage.as_str()]).set(0);
            }
        }
        for backlog in &seen.backlog {
            let labels = [backlog.tenant.as_str(), backlog.destination.as_str()];
            self.backlog_changes.with_label_values(&labels).set(number(backlog.changes));
            self.backlog_oldest_seconds.with_label_values(&labels).set(age(backlog.oldest));
        }
        for (tenant, stage, count) in &seen.dead {
            self.dead_letters.with_label_values(&[tenant.as_str(), stage.as_str()]).set(number(*count));
        }
    }
}

fn look(conn: &mut Connection) -> Result<Seen> {
    let mut waiting = records::parked_by_tenant(conn)?;
    let parked = tenants::last_versions(conn)?.into_iter().map(|(tenant, _)| {
        let (count, oldest) = waiting.remove(&tenant).map_or((0, None), |(count, since)| (count, Some(since)));
        (tenant, count, oldest)
    });
    let parked = parked.collect();
    Ok(Seen { parked, backlog: destinations::backlog(conn)?, dead: dead_letters::counts(conn)? })
}
