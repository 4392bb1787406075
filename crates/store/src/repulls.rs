//! What is asked for again later although nobody said so: a platform may settle a day's attendance hours after it, and amend it.

use std::collections::BTreeSet;

use common::{EntityKey, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{
    PgConnection,
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Text},
};

use crate::{
    convert::{ROWS_PER_STATEMENT, entity_key, parse},
    schema::{dingtalk::repulls, tenants::tenants},
};

#[derive(Queryable, QueryableByName)]
#[diesel(table_name = repulls)]
struct Row {
    kind: String,
    id: String,
    due_at: i64,
}

/// Plans that these are asked for again, each at a time; of several times of one all count.
///
/// # Errors
/// Those of the database.
pub fn plan(conn: &mut Connection, tenant: &TenantId, wanted: &[(EntityKey, UnixMillis)]) -> Result<()> {
    let wanted: BTreeSet<&(EntityKey, UnixMillis)> = wanted.iter().collect();
    match conn {
        Connection::Sqlite(c) => plan_in_file(c, tenant, &wanted)?,
        Connection::Postgres(c) => plan_on_server(c, tenant, &wanted)?,
    }
    Ok(())
}

fn plan_in_file(
    c: &mut SqliteConnection,
    tenant: &TenantId,
    wanted: &BTreeSet<&(EntityKey, UnixMillis)>,
) -> QueryResult<()> {
    let wanted: Vec<&(EntityKey, UnixMillis)> = wanted.iter().copied().collect();
    for piece in wanted.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<_> = piece
            .iter()
            .map(|(key, due_at)| {
                (
                    repulls::tenant.eq(tenant.as_str()),
                    repulls::kind.eq(key.kind.as_str()),
                    repulls::id.eq(&*key.id),
                    repulls::due_at.eq(due_at.0),
                )
            })
            .collect();
        diesel::insert_into(repulls::table).values(rows).on_conflict_do_nothing().execute(c)?;
    }
    Ok(())
}

/// Whole columns, see `bulk`.
fn plan_on_server(
    c: &mut PgConnection,
    tenant: &TenantId,
    wanted: &BTreeSet<&(EntityKey, UnixMillis)>,
) -> QueryResult<()> {
    let kinds: Vec<&str> = wanted.iter().map(|(key, _)| key.kind.as_str()).collect();
    let ids: Vec<&str> = wanted.iter().map(|(key, _)| &*key.id).collect();
    let times: Vec<i64> = wanted.iter().map(|(_, due_at)| due_at.0).collect();
    sql_query(
        "INSERT INTO repulls (tenant, kind, id, due_at)
         SELECT $1, new.* FROM unnest($2, $3, $4) AS new
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(tenant.as_str())
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<BigInt>, _>(times)
    .execute(c)?;
    Ok(())
}

/// Takes what is due, at most `limit` times of it, those that came first: they are planned no more, and whoever takes them asks for them
/// in the same transaction. What was planned for several times that have come is named once.
///
/// # Errors
/// Those of the database.
pub fn take_due(conn: &mut Connection, tenant: &TenantId, now: UnixMillis, limit: i64) -> Result<Vec<EntityKey>> {
    let rows: Vec<Row> = match conn {
        Connection::Sqlite(c) => take_from_file(c, tenant, now, limit)?,
        // What somebody else is taking, or planning, at this moment is left to him.
        Connection::Postgres(c) => sql_query(
            "DELETE FROM repulls WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM repulls WHERE tenant = $1 AND due_at <= $2
               ORDER BY due_at, kind, id LIMIT $3 FOR UPDATE SKIP LOCKED))
             RETURNING kind, id, due_at",
        )
        .bind::<Text, _>(tenant.as_str())
        .bind::<BigInt, _>(now.0)
        .bind::<BigInt, _>(limit)
        .load(c)?,
    };
    let read = |row: Row| Ok((row.due_at, entity_key(&row.kind, &row.id)?));
    let mut taken = rows.into_iter().map(read).collect::<Result<Vec<(i64, EntityKey)>>>()?;
    taken.sort_unstable();
    let mut named = BTreeSet::new();
    Ok(taken.into_iter().map(|(_, key)| key).filter(|key| named.insert(key.clone())).collect())
}

fn take_from_file(c: &mut SqliteConnection, tenant: &TenantId, now: UnixMillis, limit: i64) -> QueryResult<Vec<Row>> {
    let due = repulls::table.filter(repulls::tenant.eq(tenant.as_str())).filter(repulls::due_at.le(now.0));
    let rows: Vec<Row> = due
        .order((repulls::due_at, repulls::kind, repulls::id))
        .limit(limit)
        .select((repulls::kind, repulls::id, repulls::due_at))
        .load(c)?;
    for same in rows.chunk_by(|one, other| (one.due_at, &one.kind) == (other.due_at, &other.kind)) {
        let Some(first) = same.first() else { continue };
        for piece in same.chunks(ROWS_PER_STATEMENT) {
            let taken = repulls::table
                .filter(repulls::tenant.eq(tenant.as_str()))
                .filter(repulls::kind.eq(&first.kind))
                .filter(repulls::due_at.eq(first.due_at))
                .filter(repulls::id.eq_any(piece.iter().map(|row| row.id.as_str())));
            diesel::delete(taken).execute(c)?;
        }
    }
    Ok(rows)
}

/// The tenants, those that are not removed, with something whose time has come.
///
/// # Errors
/// Those of the database.
pub fn tenants_with_due(conn: &mut Connection, now: UnixMillis) -> Result<Vec<TenantId>> {
    let due = repulls::table.filter(repulls::due_at.le(now.0)).select(repulls::tenant).distinct();
    let due: Vec<String> = on_backend!(conn, c => due.load(c))?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let applied = tenants::table.filter(tenants::id.eq_any(due)).filter(tenants::removed_at.is_null());
    let applied: Vec<String> = on_backend!(conn, c => applied.select(tenants::id).order(tenants::id).load(c))?;
    applied.iter().map(|id| parse(id)).collect()
}

/// Forgets what is planned for a tenant that is removed.
pub(crate) fn forget(conn: &mut Connection, tenant: &TenantId) -> Result<()> {
    let all = repulls::table.filter(repulls::tenant.eq(tenant.as_str()));
    on_backend!(conn, c => diesel::delete(all).execute(c))?;
    Ok(())
}
