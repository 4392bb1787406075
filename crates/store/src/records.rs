//! The mirror: what we know of each entity.

use std::collections::BTreeMap;

use common::{EntityKey, EntityKind, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{dsl::not, prelude::*, upsert::excluded};
use directory::Record;

use crate::{
    bulk,
    convert::{
        DIRECTORY_FROM, DIRECTORY_UNTIL, ROWS_PER_STATEMENT, after_key, by_kind, directory_after, entity_key,
        from_json, parse, signed, to_json, unsigned,
    },
    outbox,
    schema::resolver::records,
};

/// A record with what the patience around it knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The record.
    pub record: Record,
    /// Since when something keeps it from being sent; absent while nothing does.
    pub parked_since: Option<UnixMillis>,
    /// What it waits for was asked for.
    pub asked: bool,
    /// It is a dead letter; it still comes back when what it waits for appears.
    pub given_up: bool,
    /// The version of its newest change that the resolver made, whomever that was for; 0 while there was none.
    pub version: u64,
}

#[derive(Queryable, QueryableByName)]
#[diesel(table_name = records)]
struct Loaded {
    kind: String,
    id: String,
    body: String,
    parked_since: Option<i64>,
    asked: bool,
    given_up: bool,
    version: i64,
}

#[derive(Insertable)]
#[diesel(table_name = records, treat_none_as_default_value = false)]
struct Saved<'a> {
    tenant: &'a str,
    kind: &'static str,
    id: &'a str,
    body: String,
    inside: Option<String>,
    parked_since: Option<i64>,
    asked: bool,
    given_up: bool,
    version: i64,
}

impl Loaded {
    fn into_row(self) -> Result<(EntityKey, Row)> {
        let row = Row {
            record: from_json(&self.body)?,
            parked_since: self.parked_since.map(UnixMillis),
            asked: self.asked,
            given_up: self.given_up,
            version: unsigned(self.version),
        };
        Ok((entity_key(&self.kind, &self.id)?, row))
    }
}

/// The records of `keys`, those that exist.
pub fn load(conn: &mut Connection, tenant: &TenantId, keys: &[EntityKey]) -> Result<Vec<(EntityKey, Row)>> {
    let mut found = Vec::with_capacity(keys.len());
    if let Connection::Postgres(c) = conn {
        // Each answer is in memory once more, as text, until all of it is read.
        for piece in keys.chunks(ROWS_PER_STATEMENT) {
            let (kinds, ids) = piece.iter().map(|key| (key.kind.as_str(), &*key.id)).unzip();
            for row in bulk::load_records::<Loaded>(c, tenant.as_str(), kinds, ids)? {
                found.push(row.into_row()?);
            }
        }
        return Ok(found);
    }
    for (kind, ids) in by_kind(keys) {
        let rows: Vec<Loaded> = on_backend!(conn, c => records::table
            .filter(records::tenant.eq(tenant.as_str()))
            .filter(records::kind.eq(kind))
            .filter(records::id.eq_any(ids))
            .select((
                records::kind,
                records::id,
                records::body,
                records::parked_since,
                records::asked,
                records::given_up,
                records::version,
            ))
            .load(c))?;
        for row in rows {
            found.push(row.into_row()?);
        }
    }
    Ok(found)
}

/// Writes records, new or changed.
pub fn save(conn: &mut Connection, tenant: &TenantId, rows: &[(EntityKey, Row)]) -> Result<()> {
    if let Connection::Postgres(c) = conn {
        for piece in rows.chunks(ROWS_PER_STATEMENT) {
            bulk::records(c, tenant.as_str(), columns(piece)?)?;
        }
        return Ok(());
    }
    for piece in rows.chunks(ROWS_PER_STATEMENT) {
        let mut saved = Vec::with_capacity(piece.len());
        for (key, row) in piece {
            saved.push(Saved {
                tenant: tenant.as_str(),
                kind: key.kind.as_str(),
                id: &key.id,
                body: to_json(&row.record)?,
                inside: inside(&row.record),
                parked_since: row.parked_since.map(|since| since.0),
                asked: row.asked,
                given_up: row.given_up,
                version: signed(row.version),
            });
        }
        on_backend!(conn, c => diesel::insert_into(records::table)
            .values(saved)
            .on_conflict((records::tenant, records::kind, records::id))
            .do_update()
            .set((
                records::body.eq(excluded(records::body)),
                records::inside.eq(excluded(records::inside)),
                records::parked_since.eq(excluded(records::parked_since)),
                records::asked.eq(excluded(records::asked)),
                records::given_up.eq(excluded(records::given_up)),
                records::version.eq(excluded(records::version)),
            ))
            .execute(c))?;
    }
    Ok(())
}

fn columns(rows: &[(EntityKey, Row)]) -> Result<bulk::Records<'_>> {
    let mut columns = bulk::Records::default();
    for (key, row) in rows {
        columns.kind.push(key.kind.as_str());
        columns.id.push(&key.id);
        columns.body.push(to_json(&row.record)?);
        columns.inside.push(inside(&row.record));
        columns.parked_since.push(row.parked_since.map(|since| since.0));
        columns.asked.push(row.asked);
        columns.given_up.push(row.given_up);
        columns.version.push(signed(row.version));
    }
    Ok(columns)
}

/// In which departments it is as last sent. What refers to a member is in none: its id may look like a department's.
fn inside(record: &Record) -> Option<String> {
    let sent = record.sent.as_ref()?;
    let mut inside = String::from(",");
    for department in sent.refers_to.iter().filter(|key| key.kind == EntityKind::Department) {
        inside.push_str(&department.id);
        inside.push(',');
    }
    Some(inside)
}

/// Which parked entities to list.
#[derive(Debug, Clone, Copy)]
pub struct ParkedFilter {
    /// Parked at this time or earlier.
    pub since_at_most: UnixMillis,
    /// Only those that were, or were not, asked for.
    pub asked: Option<bool>,
    /// Only those that were, or were not, given up on.
    pub given_up: Option<bool>,
    /// At most so many.
    pub limit: i64,
}

/// Parked entities of a tenant, the longest parked first.
pub fn parked(conn: &mut Connection, tenant: &TenantId, filter: ParkedFilter) -> Result<Vec<(EntityKey, Row)>> {
    parked_but(conn, tenant, filter, &[])
}

/// The same, without those of these kinds.
///
/// # Errors
/// Those of the database.
pub fn parked_but(
    conn: &mut Connection,
    tenant: &TenantId,
    filter: ParkedFilter,
    without: &[EntityKind],
) -> Result<Vec<(EntityKey, Row)>> {
    let without: Vec<&str> = without.iter().map(|kind| kind.as_str()).collect();
    let rows: Vec<Loaded> = on_backend!(conn, c => {
        let mut query = records::table
            .filter(records::tenant.eq(tenant.as_str()))
            .filter(records::parked_since.is_not_null())
            .filter(records::parked_since.le(filter.since_at_most.0))
            .select((
                records::kind,
                records::id,
                records::body,
                records::parked_since,
                records::asked,
                records::given_up,
                records::version,
            ))
            .order((records::parked_since, records::kind, records::id))
            .limit(filter.limit)
            .into_boxed();
        // As the index spells it: a value that is bound would hide it.
        query = match filter.asked {
            Some(true) => query.filter(records::asked),
            Some(false) => query.filter(not(records::asked)),
            None => query,
        };
        if let Some(given_up) = filter.given_up {
            query = query.filter(records::given_up.eq(given_up));
        }
        if !without.is_empty() {
            query = query.filter(records::kind.ne_all(without));
        }
        query.load(c)
    })?;
    rows.into_iter().map(Loaded::into_row).collect()
}

/// Notes that what these wait for was asked for.
pub fn mark_asked(conn: &mut Connection, tenant: &TenantId, keys: &[EntityKey]) -> Result<()> {
    if let Connection::Postgres(c) = conn {
        let (kinds, ids) = keys.iter().map(|key| (key.kind.as_str(), &*key.id)).unzip();
        bulk::mark_asked(c, tenant.as_str(), kinds, ids)?;
        return Ok(());
    }
    for (kind, ids) in by_kind(keys) {
        let rows = records::table
            .filter(records::tenant.eq(tenant.as_str()))
            .filter(records::kind.eq(kind))
            .filter(records::id.eq_any(ids));
        on_backend!(conn, c => diesel::update(rows).set(records::asked.eq(true)).execute(c))?;
    }
    Ok(())
}

/// How many entities of a tenant are parked, and since when the oldest is.
pub fn parked_summary(conn: &mut Connection, tenant: &TenantId) -> Result<(u64, Option<UnixMillis>)> {
    let (count, oldest): (i64, Option<i64>) = on_backend!(conn, c => records::table
        .filter(records::tenant.eq(tenant.as_str()))
        .filter(records::parked_since.is_not_null())
        .select((diesel::dsl::count_star(), diesel::dsl::min(records::parked_since)))
        .first(c))?;
    Ok((unsigned(count), oldest.map(UnixMillis)))
}

/// How many entities of each tenant are parked, where any are, and since when the oldest is.
///
/// # Errors
/// Those of the database.
pub fn parked_by_tenant(conn: &mut Connection) -> Result<BTreeMap<TenantId, (u64, UnixMillis)>> {
    let found: Vec<(String, i64, Option<i64>)> = on_backend!(conn, c => records::table
        .filter(records::parked_since.is_not_null())
        .group_by(records::tenant)
        .select((records::tenant, diesel::dsl::count_star(), diesel::dsl::min(records::parked_since)))
        .load(c))?;
    let tenant = |(tenant, count, since): (String, i64, Option<i64>)| {
        Ok((parse(&tenant)?, (unsigned(count), UnixMillis(since.unwrap_or_default()))))
    };
    found.into_iter().map(tenant).collect()
}

/// Moves the clocks of a tenant's parked entities on by the `millis` in which its platform, from `since` on, did not answer: what
/// was parked before waits that much longer, and what was parked meanwhile from the end of the silence on. Locks the tenant, since
/// the resolver writes whole rows.
///
/// # Errors
/// Those of the database.
pub fn shift_parked(conn: &mut Connection, tenant: &TenantId, since: UnixMillis, millis: i64) -> Result<()> {
    shift_parked_of(conn, tenant, &EntityKind::ALL, since, millis)
}

/// The same for entities of these kinds only.
///
/// # Errors
/// Those of the database.
pub fn shift_parked_of(
    conn: &mut Connection,
    tenant: &TenantId,
    kinds: &[EntityKind],
    since: UnixMillis,
    millis: i64,
) -> Result<()> {
    outbox::lock_tenants(conn, [tenant])?;
    let until = since.plus_millis(millis);
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let parked_meanwhile = records::table
        .filter(records::tenant.eq(tenant.as_str()))
        .filter(records::kind.eq_any(kinds.clone()))
        .filter(records::parked_since.gt(since.0))
        .filter(records::parked_since.lt(until.0));
    on_backend!(conn, c => diesel::update(parked_meanwhile).set(records::parked_since.eq(until.0)).execute(c))?;
    let parked_before = records::table
        .filter(records::tenant.eq(tenant.as_str()))
        .filter(records::kind.eq_any(kinds))
        .filter(records::parked_since.le(since.0));
    on_backend!(conn, c => diesel::update(parked_before)
        .set(records::parked_since.eq(records::parked_since + millis))
        .execute(c))?;
    Ok(())
}

/// What is in a department as last sent, at most `limit` of it. It reads the tenant's whole mirror: for people and for
/// questions that were long in coming, not for every event.
pub fn inside_of(conn: &mut Connection, tenant: &TenantId, department: &str, limit: i64) -> Result<Vec<EntityKey>> {
    let rows: Vec<(String, String)> = on_backend!(conn, c => records::table
        .filter(records::tenant.eq(tenant.as_str()))
        .filter(records::kind.between(DIRECTORY_FROM, DIRECTORY_UNTIL))
        .filter(records::inside.like(format!("%,{department},%")))
        .select((records::kind, records::id))
        .order((records::kind, records::id))
        .limit(limit)
        .load(c))?;
    rows.iter().map(|(kind, id)| entity_key(kind, id)).collect()
}

/// How many records a tenant's directory has, live or not.
pub fn count(conn: &mut Connection, tenant: &TenantId) -> Result<u64> {
    let all = records::table
        .filter(records::tenant.eq(tenant.as_str()))
        .filter(records::kind.between(DIRECTORY_FROM, DIRECTORY_UNTIL))
        .count();
    let count: i64 = on_backend!(conn, c => all.get_result(c))?;
    Ok(unsigned(count))
}

/// Live entities of a tenant's directory after a key, in the order of keys: departments, then members.
pub fn live_after(
    conn: &mut Connection,
    tenant: &TenantId,
    after: Option<&EntityKey>,
    limit: i64,
) -> Result<Vec<(EntityKey, Row)>> {
    page(conn, tenant, after, limit, true)
}

/// All of the directory of which anything is known, live or not, after a key, in the same order.
pub fn all_after(
    conn: &mut Connection,
    tenant: &TenantId,
    after: Option<&EntityKey>,
    limit: i64,
) -> Result<Vec<(EntityKey, Row)>> {
    page(conn, tenant, after, limit, false)
}

fn page(
    conn: &mut Connection,
    tenant: &TenantId,
    after: Option<&EntityKey>,
    limit: i64,
    only_live: bool,
) -> Result<Vec<(EntityKey, Row)>> {
    let (kind, id) = directory_after(after);
    let rows: Vec<Loaded> = on_backend!(conn, c => {
        let mut query = records::table
            .filter(records::tenant.eq(tenant.as_str()))
            .filter(after_key!("records", kind, id))
            .filter(records::kind.le(DIRECTORY_UNTIL))
            .select((
                records::kind,
                records::id,
                records::body,
                records::parked_since,
                records::asked,
                records::given_up,
                records::version,
            ))
            .order((records::kind, records::id))
            .limit(limit)
            .into_boxed();
        if only_live {
            query = query.filter(records::inside.is_not_null());
        }
        query.load(c)
    })?;
    rows.into_iter().map(Loaded::into_row).collect()
}

/// All of one kind of which anything is known, live or not, after an id, in the order of ids.
///
/// # Errors
/// Those of the database.
pub fn of_kind_after(
    conn: &mut Connection,
    tenant: &TenantId,
    kind: EntityKind,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<(EntityKey, Row)>> {
    let rows: Vec<Loaded> = on_backend!(conn, c => records::table
        .filter(records::tenant.eq(tenant.as_str()))
        .filter(records::kind.eq(kind.as_str()))
        .filter(records::id.gt(after.unwrap_or_default()))
        .select((
            records::kind,
            records::id,
            records::body,
            records::parked_since,
            records::asked,
            records::given_up,
            records::version,
        ))
        .order(records::id)
        .limit(limit)
        .load(c))?;
    rows.into_iter().map(Loaded::into_row).collect()
}
