//! What a run has learned of each entity, and the mirror beside it, both in the order of keys.

use common::{EntityKey, EntityKind, TenantId};
use database::{Connection, Result, on_backend};
use diesel::{
    PgConnection,
    dsl::{exists, not},
    prelude::*,
    sql_query,
    sql_types::{Array, Text},
    upsert::excluded,
};
use directory::Record;

use crate::{
    bulk,
    convert::{
        DIRECTORY_FROM, DIRECTORY_UNTIL, ROWS_PER_STATEMENT, after_key, by_kind, directory_after, entity_key, from_json,
    },
    removals::Numbers,
    schema::{resolver::records, snapshots::snapshot_rows},
};

diesel::allow_tables_to_appear_in_same_query!(records, snapshot_rows);

/// Live records of a tenant's directory of which a run has learned nothing.
macro_rules! missing {
    ($tenant:expr) => {
        records::table
            .filter(records::tenant.eq($tenant.as_str()))
            .filter(records::kind.between(DIRECTORY_FROM, DIRECTORY_UNTIL))
            .filter(records::inside.is_not_null())
            .filter(not(exists(
                snapshot_rows::table
                    .filter(snapshot_rows::tenant.eq(records::tenant))
                    .filter(snapshot_rows::kind.eq(records::kind))
                    .filter(snapshot_rows::id.eq(records::id)),
            )))
    };
}

/// Which of the two texts of a row is written. The other one stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// What the lists of ids say.
    Place,
    /// What an app says.
    Details,
}

/// What is known of an entity. What the texts mean is the caller's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// What the lists of ids say.
    pub place: Option<String>,
    /// What an app says.
    pub details: Option<String>,
}

/// Writes a half of what is known of entities, new or changed; no key twice.
///
/// # Errors
/// Those of the database.
pub fn put(conn: &mut Connection, tenant: &TenantId, half: Half, rows: &[(EntityKey, String)]) -> Result<()> {
    if let Connection::Postgres(c) = conn {
        put_columns(c, tenant, half, rows)?;
        return Ok(());
    }
    for piece in rows.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<_> = piece
            .iter()
            .map(|(key, text)| {
                let (place, details) = match half {
                    Half::Place => (text.as_str(), None),
                    Half::Details => ("", Some(text)),
                };
                (
                    snapshot_rows::tenant.eq(tenant.as_str()),
                    snapshot_rows::kind.eq(key.kind.as_str()),
                    snapshot_rows::id.eq(&*key.id),
                    snapshot_rows::body.eq(place),
                    snapshot_rows::details.eq(details),
                )
            })
            .collect();
        let insert = diesel::insert_into(snapshot_rows::table)
            .values(rows)
            .on_conflict((snapshot_rows::tenant, snapshot_rows::kind, snapshot_rows::id))
            .do_update();
        match half {
            Half::Place => {
                let insert = insert.set(snapshot_rows::body.eq(excluded(snapshot_rows::body)));
                on_backend!(conn, c => insert.execute(c))?
            }
            Half::Details => {
                let insert = insert.set(snapshot_rows::details.eq(excluded(snapshot_rows::details)));
                on_backend!(conn, c => insert.execute(c))?
            }
        };
    }
    Ok(())
}

/// Whole columns, see `bulk`.
fn put_columns(
    c: &mut PgConnection,
    tenant: &TenantId,
    half: Half,
    rows: &[(EntityKey, String)],
) -> QueryResult<usize> {
    let kinds: Vec<&str> = rows.iter().map(|(key, _)| key.kind.as_str()).collect();
    let ids: Vec<&str> = rows.iter().map(|(key, _)| &*key.id).collect();
    let texts: Vec<&str> = rows.iter().map(|(_, text)| text.as_str()).collect();
    let statement = match half {
        Half::Place => {
            "INSERT INTO snapshot_rows (tenant, kind, id, body) SELECT $1, new.* FROM unnest($2, $3, $4) AS new
             ON CONFLICT (tenant, kind, id) DO UPDATE SET body = excluded.body"
        }
        Half::Details => {
            "INSERT INTO snapshot_rows (tenant, kind, id, body, details)
             SELECT $1, new.kind, new.id, '', new.details FROM unnest($2, $3, $4) AS new (kind, id, details)
             ON CONFLICT (tenant, kind, id) DO UPDATE SET details = excluded.details"
        }
    };
    sql_query(statement)
        .bind::<Text, _>(tenant.as_str())
        .bind::<Array<Text>, _>(kinds)
        .bind::<Array<Text>, _>(ids)
        .bind::<Array<Text>, _>(texts)
        .execute(c)
}

/// What the lists of ids say of these entities, of those that anything is known of.
///
/// # Errors
/// Those of the database.
pub fn places(conn: &mut Connection, tenant: &TenantId, keys: &[EntityKey]) -> Result<Vec<(EntityKey, String)>> {
    let mut found = Vec::with_capacity(keys.len());
    for (kind, ids) in by_kind(keys) {
        let rows: Vec<(String, String)> = match conn {
            Connection::Sqlite(c) => snapshot_rows::table
                .filter(snapshot_rows::tenant.eq(tenant.as_str()))
                .filter(snapshot_rows::kind.eq(kind))
                .filter(snapshot_rows::id.eq_any(ids))
                .select((snapshot_rows::id, snapshot_rows::body))
                .load(c)?,
            Connection::Postgres(c) => bulk::snapshot_rows(c, tenant.as_str(), kind, ids)?,
        };
        for (id, place) in rows {
            found.push((entity_key(kind, &id)?, place));
        }
    }
    Ok(found)
}

/// Entities after a key with what is known of them, in the order of keys: departments, then members.
///
/// # Errors
/// Those of the database.
pub fn page(
    conn: &mut Connection,
    tenant: &TenantId,
    after: Option<&EntityKey>,
    limit: i64,
) -> Result<Vec<(EntityKey, Texts)>> {
    let (kind, id) = directory_after(after);
    let rows: Vec<(String, String, String, Option<String>)> = on_backend!(conn, c => snapshot_rows::table
        .filter(snapshot_rows::tenant.eq(tenant.as_str()))
        .filter(after_key!("snapshot_rows", kind, id))
        .select((snapshot_rows::kind, snapshot_rows::id, snapshot_rows::body, snapshot_rows::details))
        .order((snapshot_rows::kind, snapshot_rows::id))
        .limit(limit)
        .load(c))?;
    let read = |(kind, id, place, details): (String, String, String, Option<String>)| {
        let place = Some(place).filter(|place| !place.is_empty());
        Ok((entity_key(&kind, &id)?, Texts { place, details }))
    };
    rows.into_iter().map(read).collect()
}

/// Forgets what is known of a tenant's entities: of one kind, or of all.
///
/// # Errors
/// Those of the database.
pub fn clear(conn: &mut Connection, tenant: &TenantId, kind: Option<EntityKind>) -> Result<()> {
    let all = snapshot_rows::table.filter(snapshot_rows::tenant.eq(tenant.as_str()));
    match kind {
        None => on_backend!(conn, c => diesel::delete(all).execute(c))?,
        Some(kind) => {
            let those = all.filter(snapshot_rows::kind.eq(kind.as_str()));
            on_backend!(conn, c => diesel::delete(those).execute(c))?
        }
    };
    Ok(())
}

/// Records of the mirror's directory after a key, live or not, in the order of keys.
///
/// # Errors
/// Those of the database.
pub fn mirror_after(
    conn: &mut Connection,
    tenant: &TenantId,
    after: Option<&EntityKey>,
    limit: i64,
) -> Result<Vec<(EntityKey, Record)>> {
    let (kind, id) = directory_after(after);
    let rows: Vec<(String, String, String)> = on_backend!(conn, c => records::table
        .filter(records::tenant.eq(tenant.as_str()))
        .filter(after_key!("records", kind, id))
        .filter(records::kind.le(DIRECTORY_UNTIL))
        .select((records::kind, records::id, records::body))
        .order((records::kind, records::id))
        .limit(limit)
        .load(c))?;
    rows.into_iter().map(|(kind, id, body)| Ok((entity_key(&kind, &id)?, from_json(&body)?))).collect()
}

/// How many live records there are of which a run has learned nothing.
///
/// # Errors
/// Those of the database.
pub fn count_missing(conn: &mut Connection, tenant: &TenantId) -> Result<Numbers> {
    let counts = on_backend!(conn, c => missing!(tenant)
        .group_by(records::kind)
        .select((records::kind, diesel::dsl::count_star()))
        .load(c))?;
    Ok(Numbers::of(counts))
}

/// Those of them after a key, in the order of keys.
///
/// # Errors
/// Those of the database.
pub fn missing_after(
    conn: &mut Connection,
    tenant: &TenantId,
    after: Option<&EntityKey>,
    limit: i64,
) -> Result<Vec<EntityKey>> {
    let (kind, id) = directory_after(after);
    let rows: Vec<(String, String)> = on_backend!(conn, c => missing!(tenant)
        .filter(after_key!("records", kind, id))
        .select((records::kind, records::id))
        .order((records::kind, records::id))
        .limit(limit)
        .load(c))?;
    rows.iter().map(|(kind, id)| entity_key(kind, id)).collect()
}
