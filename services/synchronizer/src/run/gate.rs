//! Destinations that collect, since nobody knows yet whether the products hold rows of their own: where they hold none, everything
//! is delivered from the first event on; else the first sync decides.

use std::sync::{Arc, PoisonError};

use common::TenantId;
use database::Connection;
use service::Tenant;
use store::{
    destinations::{self, State},
    runs,
};

use super::{products::cores, runner::Parts, work::Trouble};

/// Looks at the tenants whose destinations collect.
pub(super) async fn open(parts: &Parts) {
    let snapshot = parts.context.tenants.snapshot();
    for tenant in snapshot.iter().filter(|tenant| parts.is_ours(&tenant.lane)) {
        if let Err(error) = open_one(parts, tenant).await {
            tracing::debug!(tenant.id = %tenant.file.id, %error, "not known yet whether its products are empty");
        }
    }
}

async fn open_one(parts: &Parts, tenant: &Arc<Tenant>) -> Result<(), Trouble> {
    let id = &tenant.file.id;
    let is_known = parts.waiting.lock().unwrap_or_else(PoisonError::into_inner).contains(id);
    if is_known || !is_collecting(parts, id).await? {
        return Ok(());
    }
    for core in cores(parts.products.as_ref(), &tenant.file)? {
        if !core.is_empty().await? {
            parts.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
            tracing::info!(tenant.id = %id, destination.id = %core.id, "it holds rows of its own: its first sync is waited for");
            return Ok(());
        }
    }
    let of = id.clone();
    Ok(parts.context.database.write("runs.start-all", move |conn| runs::start_all(conn, &of)).await?)
}

/// Whether something collects and no first sync is under way.
async fn is_collecting(parts: &Parts, tenant: &TenantId) -> database::Result<bool> {
    let of = tenant.clone();
    let look = move |conn: &mut Connection| -> database::Result<bool> {
        let collects = destinations::list(conn, Some(&of))?.iter().any(|row| row.state == State::Collecting);
        Ok(collects && runs::open(conn, &of)?.is_none())
    };
    parts.context.database.read("runs.collecting", look).await
}
