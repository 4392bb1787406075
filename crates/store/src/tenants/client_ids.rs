//! Which tenant an app of DingTalk belongs to. Two tenants with one app would take each other's events, since the platform gives each
//! of an app's connections a share (reference dingtalk 1.9), so an app has one owner.

use common::TenantId;
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use crate::{
    convert::parse,
    schema::{dingtalk::client_ids, tenants::tenants},
};

/// Makes a tenant the owner of this app, and of no other one any more. Where another tenant that is not removed owns it, that is returned
/// and nothing changes. To be called in the transaction that applies the tenant.
///
/// # Errors
/// Those of the database.
pub fn claim_client_id(conn: &mut Connection, tenant: &TenantId, client_id: Option<&str>) -> Result<Option<TenantId>> {
    if let Some(client_id) = client_id {
        let row = (client_ids::client_id.eq(client_id), client_ids::tenant.eq(tenant.as_str()));
        // Who claims the same one at this moment is waited for, its former owner who is applied anew too.
        on_backend!(conn, c => diesel::insert_into(client_ids::table)
            .values(row)
            .on_conflict(client_ids::client_id)
            .do_update()
            .set(client_ids::client_id.eq(client_id))
            .execute(c))?;
        let owner = client_ids::table.find(client_id).select(client_ids::tenant);
        let owner: Option<String> = on_backend!(conn, c => owner.first(c).optional())?;
        if let Some(owner) = owner.filter(|owner| owner != tenant.as_str()) {
            if is_applied(conn, &owner)? {
                return parse(&owner).map(Some);
            }
            let left = client_ids::table.find(client_id).filter(client_ids::tenant.eq(&owner));
            let taken = on_backend!(conn, c =>
                diesel::update(left).set(client_ids::tenant.eq(tenant.as_str())).execute(c))?;
            if taken == 0 {
                // Somebody else took it over meanwhile.
                return claim_client_id(conn, tenant, Some(client_id));
            }
        }
    }
    let former = client_ids::table
        .filter(client_ids::tenant.eq(tenant.as_str()))
        .filter(client_ids::client_id.ne(client_id.unwrap_or_default()));
    on_backend!(conn, c => diesel::delete(former).execute(c))?;
    Ok(None)
}

fn is_applied(conn: &mut Connection, tenant: &str) -> Result<bool> {
    let applied = tenants::table.find(tenant).filter(tenants::removed_at.is_null()).select(tenants::id);
    let applied: Option<String> = on_backend!(conn, c => applied.first(c).optional())?;
    Ok(applied.is_some())
}
