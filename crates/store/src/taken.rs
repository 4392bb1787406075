//! What a destination that gets messages last took of each entity: the next message is rendered against it.

use std::collections::BTreeMap;

use common::{DestinationId, Entity, EntityKey, Fields, TenantId, Told};
use database::{Connection, Result, on_backend};
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{Nullable, Text},
    upsert::excluded,
};

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
    doubt: Option<&'a str>,
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
) -> Result<BTreeMap<EntityKey, Told>> {
    let mut found = BTreeMap::new();
    for (kind, ids) in by_kind(keys) {
        if let Connection::Postgres(c) = conn {
            for (id, body, doubt) in bulk::taken(c, (tenant.as_str(), destination.as_str()), kind, ids)? {
                found.insert(entity_key(kind, &id)?, told(&body, doubt.as_deref())?);
            }
            continue;
        }
        let query = taken::table
            .filter(taken::tenant.eq(tenant.as_str()))
            .filter(taken::destination.eq(destination.as_str()))
            .filter(taken::kind.eq(kind))
            .filter(taken::id.eq_any(ids))
            .select((taken::id, taken::body, taken::doubt));
        let rows: Vec<(String, String, Option<String>)> = on_backend!(conn, c => query.load(c))?;
        for (id, body, doubt) in rows {
            found.insert(entity_key(kind, &id)?, told(&body, doubt.as_deref())?);
        }
    }
    Ok(found)
}

fn told(body: &str, doubt: Option<&str>) -> Result<Told> {
    let doubt = doubt.map(from_json::<Fields>).transpose()?;
    Ok(Told { entity: from_json(body)?, doubt: doubt.unwrap_or_default() })
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
            doubt: None,
        });
    }
    for piece in new.chunks(ROWS_PER_STATEMENT) {
        on_backend!(conn, c => diesel::insert_into(taken::table)
            .values(piece)
            .on_conflict((taken::tenant, taken::destination, taken::kind, taken::id))
            .do_update()
            .set((
                taken::version.eq(excluded(taken::version)),
                taken::body.eq(excluded(taken::body)),
                taken::doubt.eq(excluded(taken::doubt)),
            ))
            .execute(c))?;
    }
    Ok(())
}

/// These were sent, and nobody knows what became of it: where the destination had the entity before, it may have it so now.
///
/// # Errors
/// Those of the database.
pub fn doubt(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    sent: &[(EntityKey, Entity)],
) -> Result<()> {
    let keys: Vec<EntityKey> = sent.iter().map(|(key, _)| key.clone()).collect();
    let mut known = load(conn, tenant, destination, &keys)?;
    for (key, entity) in sent {
        let Some(told) = known.get_mut(key) else { continue };
        told.may_be(entity);
        let doubt = to_json(&told.doubt)?;
        let row = taken::table
            .filter(taken::tenant.eq(tenant.as_str()))
            .filter(taken::destination.eq(destination.as_str()))
            .filter(taken::kind.eq(key.kind.as_str()))
            .filter(taken::id.eq(&*key.id));
        on_backend!(conn, c => diesel::update(row).set(taken::doubt.eq(&doubt)).execute(c))?;
    }
    Ok(())
}

/// The destination may have lost what it took of these: it is told all of it with the next message.
///
/// # Errors
/// Those of the database.
pub fn doubt_all(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    keys: &[EntityKey],
) -> Result<()> {
    for (kind, ids) in by_kind(keys) {
        let rows = taken::table
            .filter(taken::tenant.eq(tenant.as_str()))
            .filter(taken::destination.eq(destination.as_str()))
            .filter(taken::kind.eq(kind))
            .filter(taken::id.eq_any(ids));
        match conn {
            Connection::Sqlite(c) => {
                let fields = sql::<Nullable<Text>>("json_extract(body, '$.fields')");
                diesel::update(rows).set(taken::doubt.eq(fields)).execute(c)?;
            }
            Connection::Postgres(c) => {
                let fields = sql::<Nullable<Text>>("(body::json -> 'fields')::text");
                diesel::update(rows).set(taken::doubt.eq(fields)).execute(c)?;
            }
        }
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
