//! Reconciliations by the clock.

use common::{TenantId, UnixMillis};
use database::Connection;
use store::runs::{self, Wanted, Wish};

use super::runner::Parts;

/// Asks for the reconciliations that are due. A tenant's first sync is left to a person.
pub(super) async fn ask(parts: &Parts) {
    let (now, every) = (parts.context.clock.now(), parts.config.reconcile_every_seconds);
    let before = now.plus_seconds(-i64::try_from(every).unwrap_or(i64::MAX));
    let tenants = parts.context.tenants.snapshot();
    let ours = tenants.iter().filter(|tenant| parts.is_ours(&tenant.lane));
    let ours: Vec<TenantId> = ours.map(|tenant| tenant.file.id.clone()).collect();
    let look = move |conn: &mut Connection| due(conn, ours, before);
    let asked = match parts.context.database.read("runs.due", look).await {
        Ok(due) if due.is_empty() => Ok(()),
        Ok(due) => {
            let ask = move |conn: &mut Connection| -> database::Result<()> {
                let wish = Wish { wanted: Wanted::Apply, key: Some("schedule") };
                due.iter().try_for_each(|tenant| runs::request(conn, tenant, wish, now).map(drop))
            };
            parts.context.database.write("runs.ask", ask).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = asked {
        tracing::warn!(%error, "reconciliations are not asked for; trying again");
    }
}

/// Tenants whose first sync is applied, and that nobody asked a run of since a time. None is open: who waits for a person is not
/// asked again.
fn due(conn: &mut Connection, of: Vec<TenantId>, before: UnixMillis) -> database::Result<Vec<TenantId>> {
    let mut due = Vec::new();
    for tenant in of {
        let is_old = runs::list(conn, &tenant, 1)?.iter().all(|run| run.requested_at < before && !run.state.is_open());
        if is_old && runs::last_finished(conn, &tenant)?.is_some() {
            due.push(tenant);
        }
    }
    Ok(due)
}
