//! What is recorded of members, for a destination that was not told of it.

use common::{DestinationId, EntityKey, EntityKind, EntityMap, TenantId, UnixMillis};
use database::{Connection, Result};

use super::request_replay;
use crate::records::{self, Row};

/// Records read at once.
const PAGE: i64 = 1000;

/// Asks for all attendance records and approvals that are live to be sent to a destination, but for those of members who have left: they
/// have no row there. They are looked at once more before they are sent, since their members may have been renamed.
///
/// # Errors
/// Those of the database.
pub fn request_records(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    now: UnixMillis,
) -> Result<()> {
    for kind in [EntityKind::Attendance, EntityKind::Approval] {
        let mut after: Option<EntityKey> = None;
        loop {
            let from = after.as_ref().map(|key| &*key.id);
            let mut page = records::of_kind_after(conn, tenant, kind, from, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            page.retain(|(_, row)| row.record.is_live());
            let wanted = of_those_who_are_there(conn, tenant, page)?;
            request_replay(conn, tenant, Some(destination), &wanted, now)?;
        }
    }
    Ok(())
}

/// These records, but for those of members who have left.
fn of_those_who_are_there(
    conn: &mut Connection,
    tenant: &TenantId,
    page: Vec<(EntityKey, Row)>,
) -> Result<Vec<EntityKey>> {
    let mut members: Vec<EntityKey> = page.iter().filter_map(|(_, row)| row.record.whose()).collect();
    members.sort_unstable();
    members.dedup();
    let members: EntityMap<Row> = records::load(conn, tenant, &members)?.into_iter().collect();
    let is_there = |member: EntityKey| members.get(&member).is_some_and(|row| row.record.goes_on());
    let there = page.into_iter().filter(|(_, row)| row.record.whose().is_none_or(is_there));
    Ok(there.map(|(key, _)| key).collect())
}
