//! Destinations that collect, since nobody knows yet whether the products hold rows of their own: where they hold none, everything
//! is delivered from the first event on; else a sync decides. The sink looks too, so that it needs nobody for an empty product.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError},
    time::Duration,
};

use common::{DestinationId, TenantId};
use service::Tenant;
use store::runs;
use tokio::time::{MissedTickBehavior, interval};

use super::{products::cores, runner::Parts, work::Trouble};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks again and again until the context stops. A product that does not answer holds up other products only.
pub(super) async fn watch(parts: Arc<Parts>) {
    let stop = parts.context.stop.clone();
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if stop.run_until_cancelled(open(&parts)).await.is_none() {
            return;
        }
    }
}

/// Looks at the tenants whose destinations collect.
pub(super) async fn open(parts: &Parts) {
    let collecting = match parts.context.database.read("runs.collecting", runs::collecting).await {
        Ok(collecting) => collecting,
        Err(error) => {
            tracing::debug!(%error, "not known which destinations collect; trying again");
            return;
        }
    };
    let mut by_tenant: BTreeMap<TenantId, BTreeSet<DestinationId>> = BTreeMap::new();
    for (tenant, id) in collecting {
        by_tenant.entry(tenant).or_default().insert(id);
    }
    for (id, waiting) in by_tenant {
        let Some(tenant) = parts.context.tenants.get(&id).filter(|tenant| parts.is_ours(&tenant.lane)) else {
            continue;
        };
        if let Err(error) = open_one(parts, &tenant, &waiting).await {
            tracing::debug!(tenant.id = %id, %error, "not known yet whether its products are empty");
        }
    }
}

async fn open_one(parts: &Parts, tenant: &Tenant, waiting: &BTreeSet<DestinationId>) -> Result<(), Trouble> {
    let (id, revision) = (&tenant.file.id, tenant.revision);
    let is_known =
        parts.waiting.lock().unwrap_or_else(PoisonError::into_inner).get(id).is_some_and(|known| *known == revision);
    if is_known {
        return Ok(());
    }
    for core in cores(parts.products.as_ref(), &tenant.file)?.into_iter().filter(|core| waiting.contains(&core.id)) {
        if !core.is_empty().await? {
            parts.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), revision);
            return Ok(());
        }
    }
    let of = id.clone();
    Ok(parts.context.database.write("runs.start-all", move |conn| runs::start_all(conn, &of)).await?)
}
