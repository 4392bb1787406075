//! Changes on their way out: numbered densely per tenant, published in order, kept until every destination has passed them.

mod records;

use std::collections::BTreeMap;

use common::{Change, DestinationId, EntityKey, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

pub use records::request_records;

use crate::{
    bulk,
    clock::shared_clock,
    convert::{ROWS_PER_STATEMENT, entity_key, from_json, parse, signed, to_json, unsigned},
    schema::{
        resolver::{outbox, replays},
        tenants::tenants,
    },
};

/// Locks the rows of tenants, in the order of their ids so that two who lock several cannot block each other, and returns the
/// last version of each that exists. SQLite has one writer at a time, which is the lock. Whoever decides on records, waiting rows
/// or versions of a tenant takes it first.
pub fn lock_tenants<'a>(
    conn: &mut Connection,
    ids: impl IntoIterator<Item = &'a TenantId>,
) -> Result<BTreeMap<TenantId, u64>> {
    let mut ids: Vec<&str> = ids.into_iter().map(TenantId::as_str).collect();
    ids.sort_unstable();
    let those = tenants::table
        .filter(tenants::id.eq_any(ids))
        .filter(tenants::removed_at.is_null())
        .order(tenants::id)
        .select((tenants::id, tenants::last_version));
    let rows: Vec<(String, i64)> = match conn {
        Connection::Sqlite(c) => those.load(c)?,
        Connection::Postgres(c) => those.for_no_key_update().load(c)?,
    };
    rows.into_iter().map(|(id, version)| Ok((parse(&id)?, unsigned(version)))).collect()
}

/// A change as it is stored and published: its version and its JSON.
pub type Body = (u64, String);

/// Gives changes of one tenant the next versions after `last_version` and puts them in; returns them as they are to be
/// published. The tenant must be locked.
pub fn append(
    conn: &mut Connection,
    tenant: &TenantId,
    last_version: u64,
    changes: &mut [Change],
    now: UnixMillis,
) -> Result<Vec<Body>> {
    let mut bodies = Vec::with_capacity(changes.len());
    for (version, change) in (last_version + 1..).zip(changes) {
        change.version = version;
        bodies.push((version, to_json(change)?));
    }
    match conn {
        Connection::Sqlite(c) => {
            for piece in bodies.chunks(ROWS_PER_STATEMENT) {
                let rows: Vec<_> = piece
                    .iter()
                    .map(|(version, body)| {
                        (
                            outbox::tenant.eq(tenant.as_str()),
                            outbox::version.eq(signed(*version)),
                            outbox::body.eq(body),
                            outbox::created_at.eq(now.0),
                        )
                    })
                    .collect();
                diesel::insert_into(outbox::table).values(rows).execute(c)?;
            }
        }
        Connection::Postgres(c) => {
            for piece in bodies.chunks(ROWS_PER_STATEMENT) {
                let columns = piece.iter().map(|(version, body)| (signed(*version), body.as_str())).unzip();
                bulk::outbox(c, tenant.as_str(), now.0, columns)?;
            }
        }
    }
    if let Some((last, _)) = bodies.last() {
        on_backend!(conn, c => diesel::update(tenants::table.find(tenant.as_str()))
            .set(tenants::last_version.eq(signed(*last)))
            .execute(c))?;
    }
    Ok(bodies)
}

/// Like [`after`], as they are to be published.
pub fn bodies_after(conn: &mut Connection, tenant: &TenantId, version: u64, limit: usize) -> Result<Vec<Body>> {
    let rows: Vec<(i64, String)> = on_backend!(conn, c => outbox::table
        .filter(outbox::tenant.eq(tenant.as_str()))
        .filter(outbox::version.gt(signed(version)))
        .order(outbox::version)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((outbox::version, outbox::body))
        .load(c))?;
    Ok(rows.into_iter().map(|(version, body)| (unsigned(version), body)).collect())
}

/// The changes of a tenant after a version, in order, at most `limit`.
pub fn after(conn: &mut Connection, tenant: &TenantId, version: u64, limit: usize) -> Result<Vec<Change>> {
    let rows: Vec<String> = on_backend!(conn, c => outbox::table
        .filter(outbox::tenant.eq(tenant.as_str()))
        .filter(outbox::version.gt(signed(version)))
        .order(outbox::version)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(outbox::body)
        .load(c))?;
    rows.iter().map(|body| from_json(body)).collect()
}

/// The highest version of a tenant; 0 where there is none.
pub fn last_version(conn: &mut Connection, tenant: &TenantId) -> Result<u64> {
    let version: Option<i64> = on_backend!(conn, c => tenants::table
        .find(tenant.as_str())
        .select(tenants::last_version)
        .first(c)
        .optional())?;
    Ok(unsigned(version.unwrap_or_default()))
}

/// When the oldest change after a version was written.
pub fn oldest_after(conn: &mut Connection, tenant: &TenantId, version: u64) -> Result<Option<UnixMillis>> {
    let oldest: Option<i64> = on_backend!(conn, c => outbox::table
        .filter(outbox::tenant.eq(tenant.as_str()))
        .filter(outbox::version.gt(signed(version)))
        .order(outbox::version)
        .select(outbox::created_at)
        .first(c)
        .optional())?;
    Ok(oldest.map(UnixMillis))
}

/// Takes the outbox lease of a tenant until `until`, or renews it; `None` while somebody else holds it, else the version up to
/// which everything is published.
pub fn lease(
    conn: &mut Connection,
    tenant: &TenantId,
    owner: &str,
    now: UnixMillis,
    until: UnixMillis,
) -> Result<Option<u64>> {
    let (now, until) = shared_clock(conn, now, until)?;
    let taken: Option<i64> = on_backend!(conn, c => diesel::update(tenants::table.filter(tenants::id.eq(tenant.as_str())).filter(is_free_for(owner, now.0).assume_not_null()))
        .set((tenants::outbox_owner.eq(owner), tenants::outbox_until.eq(until.0)))
        .returning(tenants::published_version)
        .get_result(c)
        .optional())?;
    Ok(taken.map(unsigned))
}

/// Whether `owner` may have a tenant's outbox lease.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_free_for<'a>(owner: &'a str, now: i64) -> _ {
    tenants::outbox_owner
        .is_null()
        .or(tenants::outbox_owner.eq(owner))
        .or(tenants::outbox_until.is_null())
        .or(tenants::outbox_until.lt(now))
}

/// Gives the outbox lease of tenants back, where `owner` still holds it; in the order of ids, as [`lock_tenants`] takes them.
pub fn give_back(conn: &mut Connection, owner: &str, of: &[TenantId]) -> Result<()> {
    let mut ids: Vec<&str> = of.iter().map(TenantId::as_str).collect();
    ids.sort_unstable();
    for id in ids {
        let held = tenants::table.find(id).filter(tenants::outbox_owner.eq(owner));
        on_backend!(conn, c => diesel::update(held).set(tenants::outbox_owner.eq(None::<String>)).execute(c))?;
    }
    Ok(())
}

/// Frees all outbox leases where only one process can use the database at a time: whoever held them is gone.
pub fn free_leases(conn: &mut Connection) -> Result<()> {
    match conn {
        Connection::Sqlite(c) => {
            diesel::update(tenants::table).set(tenants::outbox_owner.eq(None::<String>)).execute(c)?;
        }
        Connection::Postgres(_) => {}
    }
    Ok(())
}

/// Notes that everything up to `through` is published, if `owner` still holds the lease.
pub fn published(conn: &mut Connection, tenant: &TenantId, owner: &str, through: u64) -> Result<()> {
    on_backend!(conn, c => diesel::update(
            tenants::table
                .filter(tenants::id.eq(tenant.as_str()))
                .filter(tenants::outbox_owner.eq(owner))
                .filter(tenants::published_version.lt(signed(through))),
        )
        .set(tenants::published_version.eq(signed(through)))
        .execute(c))?;
    Ok(())
}

/// Changes of a tenant that nobody noted as published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpublished {
    /// Whose.
    pub tenant: TenantId,
    /// The tenant's last version.
    pub last_version: u64,
    /// Who asks has the outbox lease.
    pub is_leased: bool,
}

/// Tenants with changes that nobody noted as published, without those whose lease somebody else holds.
pub fn unpublished(conn: &mut Connection, owner: &str, now: UnixMillis) -> Result<Vec<Unpublished>> {
    let (now, _) = shared_clock(conn, now, now)?;
    let rows: Vec<(String, i64, Option<String>)> = on_backend!(conn, c => tenants::table
        .filter(tenants::removed_at.is_null())
        .filter(tenants::published_version.lt(tenants::last_version))
        .filter(is_free_for(owner, now.0).assume_not_null())
        .select((tenants::id, tenants::last_version, tenants::outbox_owner))
        .load(c))?;
    let row = |(id, last, holder): (String, i64, Option<String>)| {
        let is_leased = holder.is_some_and(|holder| holder == owner);
        Ok(Unpublished { tenant: parse(&id)?, last_version: unsigned(last), is_leased })
    };
    rows.into_iter().map(row).collect()
}

/// Tenants that have no version yet: their root departments are still to be created.
pub fn rootless(conn: &mut Connection) -> Result<Vec<TenantId>> {
    let rootless = tenants::table
        .filter(tenants::removed_at.is_null())
        .filter(tenants::last_version.eq(0))
        .order(tenants::id)
        .select(tenants::id);
    let rows: Vec<String> = on_backend!(conn, c => rootless.load(c))?;
    rows.iter().map(|id| parse(id)).collect()
}

/// Whether somebody asked for something to be sent again.
pub fn any_replays(conn: &mut Connection) -> Result<bool> {
    Ok(on_backend!(conn, c => diesel::select(diesel::dsl::exists(replays::table.select(replays::seq))).get_result(c))?)
}

/// Deletes the changes of a tenant up to a version; returns how many there were.
pub fn prune(conn: &mut Connection, tenant: &TenantId, through: u64) -> Result<usize> {
    Ok(on_backend!(conn, c => diesel::delete(
            outbox::table
                .filter(outbox::tenant.eq(tenant.as_str()))
                .filter(outbox::version.le(signed(through))),
        )
        .execute(c))?)
}

/// A wish to have something sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The order of the wishes.
    pub seq: i64,
    /// Whose.
    pub tenant: TenantId,
    /// To which destination; to all when absent.
    pub destination: Option<DestinationId>,
    /// What.
    pub entity: EntityKey,
}

/// Asks for entities to be sent again, as they are now and under new versions.
pub fn request_replay(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: Option<&DestinationId>,
    entities: &[EntityKey],
    now: UnixMillis,
) -> Result<()> {
    for piece in entities.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<_> = piece
            .iter()
            .map(|entity| {
                (
                    replays::tenant.eq(tenant.as_str()),
                    replays::destination.eq(destination.map(DestinationId::as_str)),
                    replays::kind.eq(entity.kind.as_str()),
                    replays::id.eq(&*entity.id),
                    replays::requested_at.eq(now.0),
                )
            })
            .collect();
        on_backend!(conn, c => diesel::insert_into(replays::table).values(rows).execute(c))?;
    }
    Ok(())
}

/// Takes the oldest wishes out, at most `limit`: what is returned must be carried out in the same transaction. Who comes while
/// somebody else takes some out waits, and gets those behind them: they keep their order.
pub fn take_replays(conn: &mut Connection, limit: i64) -> Result<Vec<Replay>> {
    let oldest = replays::table.order(replays::seq).limit(limit).select((
        replays::seq,
        replays::tenant,
        replays::destination,
        replays::kind,
        replays::id,
    ));
    let rows: Vec<(i64, String, Option<String>, String, String)> = match conn {
        Connection::Sqlite(c) => oldest.load(c)?,
        Connection::Postgres(c) => oldest.for_update().load(c)?,
    };
    let taken: Vec<i64> = rows.iter().map(|row| row.0).collect();
    for piece in taken.chunks(ROWS_PER_STATEMENT) {
        on_backend!(conn, c => diesel::delete(replays::table.filter(replays::seq.eq_any(piece))).execute(c))?;
    }
    rows.into_iter()
        .map(|(seq, tenant, destination, kind, id)| {
            let destination = destination.map(|id| parse(&id)).transpose()?;
            Ok(Replay { seq, tenant: parse(&tenant)?, destination, entity: entity_key(&kind, &id)? })
        })
        .collect()
}
