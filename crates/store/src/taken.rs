//! What a destination that gets messages last took of each entity: the next message is rendered against it.

use std::collections::BTreeMap;

use common::{DestinationId, Entity, EntityKey, TenantId};
use database::{Connection, Result, on_backend};
use diesel::{prelude::*, upsert::excluded};

use crate::{
    bulk,
    convert::{ROWS_PER_STATEMENT, by_kind, entity_key, from_json, signed, to_json},
    schema::sink::taken,
};

#[derive(Insertable)]
#[diesel(table_name = taken, treat_none_as_default_value = false)]
struct NewRow<'a> {
    tenant: &'a str,
    destination: &'a str,
    kind: &'a str,
    id: &'a str,
    version: i64,
    body: String,
}

/// What the destination last took of these entities; those it has not are left out.
///
/// # Errors
/// Those of the database.
pub fn load(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    keys: &[EntityKey],
) -> Result<BTreeMap<EntityKey, Entity>> {
    let mut found = BTreeMap::new();
    for (kind, ids) in by_kind(keys) {
        if let Connection::Postgres(c) = conn {
            for (id, body) in bulk::taken(c, (tenant.as_str(), destination.as_str()), kind, ids)? {
                found.insert(entity_key(kind, &id)?, from_json(&body)?);
            }
            continue;
        }
        let query = taken::table
            .filter(taken::tenant.eq(tenant.as_str()))
            .filter(taken::destination.eq(destination.as_str()))
            .filter(taken::kind.eq(kind))
            .filter(taken::id.eq_any(ids))
            .select((taken::id, taken::body));
        let rows: Vec<(String, String)> = on_backend!(conn, c => query.load(c))?;
        for (id, body) in rows {
            found.insert(entity_key(kind, &id)?, from_json(&body)?);
        }
    }
    Ok(found)
}

/// The destination took these.
///
/// # Errors
/// Those of the database.
pub fn put(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    rows: &[(&EntityKey, u64, &Entity)],
) -> Result<()> {
    let mut new = Vec::with_capacity(rows.len());
    for (key, version, entity) in rows {
        new.push(NewRow {
            tenant: tenant.as_str(),
            destination: destination.as_str(),
            kind: key.kind.as_str(),
            id: &key.id,
            version: signed(*version),
            body: to_json(*entity)?,
        });
    }
    for piece in new.chunks(ROWS_PER_STATEMENT) {
        on_backend!(conn, c => diesel::insert_into(taken::table)
            .values(piece)
            .on_conflict((taken::tenant, taken::destination, taken::kind, taken::id))
            .do_update()
            .set((taken::version.eq(excluded(taken::version)), taken::body.eq(excluded(taken::body))))
            .execute(c))?;
    }
    Ok(())
}

/// The destination has these no more.
///
/// # Errors
/// Those of the database.
pub fn remove(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId, keys: &[EntityKey]) -> Result<()> {
    for (kind, ids) in by_kind(keys) {
        let rows = taken::table
            .filter(taken::tenant.eq(tenant.as_str()))
            .filter(taken::destination.eq(destination.as_str()))
            .filter(taken::kind.eq(kind))
            .filter(taken::id.eq_any(ids));
        on_backend!(conn, c => diesel::delete(rows).execute(c))?;
    }
    Ok(())
}
