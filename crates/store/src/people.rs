//! Which member of a tenant's directory somebody is whom another platform knows. Where a tenant has two platforms, one of them is whose
//! directory is kept; what the other one tells of people is theirs.

use std::collections::BTreeMap;

use common::{EntityKey, Platform, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{dsl::sql, prelude::*, sql_types::Bool, upsert::excluded};

use crate::{
    convert::{ROWS_PER_STATEMENT, parse},
    links::DecidedBy,
    outbox,
    schema::dingtalk::people,
};

/// Somebody whom another platform knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The id there, folded as ids of members are.
    pub foreign_id: String,
    /// The id of the member that this is; `None` while nobody knows.
    pub member: Option<String>,
    /// How that was found; a person may also have said that it is nobody.
    pub decided_by: Option<DecidedBy>,
    /// A digest of the mobile number, by which a member who comes later is found to be the same. The number itself is not kept.
    pub mobile_digest: Option<String>,
    /// When this was last looked at.
    pub updated_at: UnixMillis,
}

#[derive(Queryable)]
struct Row {
    foreign_id: String,
    member: Option<String>,
    decided_by: Option<String>,
    mobile_digest: Option<String>,
    updated_at: i64,
}

#[derive(Insertable)]
#[diesel(table_name = people, treat_none_as_default_value = false)]
struct NewRow<'a> {
    tenant: &'a str,
    platform: &'a str,
    foreign_id: String,
    member: Option<&'a str>,
    decided_by: Option<&'a str>,
    mobile_digest: Option<&'a str>,
    updated_at: i64,
}

const COLUMNS: (people::foreign_id, people::member, people::decided_by, people::mobile_digest, people::updated_at) =
    (people::foreign_id, people::member, people::decided_by, people::mobile_digest, people::updated_at);

impl Row {
    fn read(self) -> Result<Person> {
        let Self { foreign_id, member, decided_by, mobile_digest, updated_at } = self;
        let decided_by = decided_by.as_deref().map(parse).transpose()?;
        Ok(Person { foreign_id, member, decided_by, mobile_digest, updated_at: UnixMillis(updated_at) })
    }
}

fn folded(id: &str) -> String {
    EntityKey::member(id).id.as_ref().to_owned()
}

/// Those of these people that anything is known of, by their folded ids.
///
/// # Errors
/// Those of the database.
pub fn get(
    conn: &mut Connection,
    tenant: &TenantId,
    platform: Platform,
    foreign_ids: &[&str],
) -> Result<BTreeMap<String, Person>> {
    let ids: Vec<String> = foreign_ids.iter().map(|id| folded(id)).collect();
    let mut found = BTreeMap::new();
    for piece in ids.chunks(ROWS_PER_STATEMENT) {
        let those = people::table
            .filter(people::tenant.eq(tenant.as_str()))
            .filter(people::platform.eq(platform.as_str()))
            .filter(people::foreign_id.eq_any(piece))
            .select(COLUMNS);
        let rows: Vec<Row> = on_backend!(conn, c => those.load(c))?;
        for row in rows {
            found.insert(row.foreign_id.clone(), row.read()?);
        }
    }
    Ok(found)
}

/// Notes who people are; no id twice. What a person said holds until a person says otherwise. Locks the tenant.
///
/// # Errors
/// Those of the database.
pub fn set(conn: &mut Connection, tenant: &TenantId, platform: Platform, new: &[Person]) -> Result<()> {
    outbox::lock_tenants(conn, [tenant])?;
    let ids: Vec<&str> = new.iter().map(|person| person.foreign_id.as_str()).collect();
    let known = get(conn, tenant, platform, &ids)?;
    for piece in new.chunks(ROWS_PER_STATEMENT) {
        let rows = piece.iter().map(|person| new_row(tenant, platform, person));
        let rows: Vec<NewRow<'_>> = rows.filter(|row| may_replace(&known, row)).collect();
        on_backend!(conn, c => diesel::insert_into(people::table)
            .values(rows)
            .on_conflict((people::tenant, people::platform, people::foreign_id))
            .do_update()
            .set((
                people::member.eq(excluded(people::member)),
                people::decided_by.eq(excluded(people::decided_by)),
                people::mobile_digest.eq(excluded(people::mobile_digest)),
                people::updated_at.eq(excluded(people::updated_at)),
            ))
            .execute(c))?;
    }
    Ok(())
}

fn new_row<'a>(tenant: &'a TenantId, platform: Platform, person: &'a Person) -> NewRow<'a> {
    NewRow {
        tenant: tenant.as_str(),
        platform: platform.as_str(),
        foreign_id: folded(&person.foreign_id),
        member: person.member.as_deref(),
        decided_by: person.decided_by.map(DecidedBy::as_str),
        mobile_digest: person.mobile_digest.as_deref(),
        updated_at: person.updated_at.0,
    }
}

fn may_replace(known: &BTreeMap<String, Person>, new: &NewRow<'_>) -> bool {
    let before = known.get(&new.foreign_id).and_then(|person| person.decided_by);
    before != Some(DecidedBy::Person) || new.decided_by == Some(DecidedBy::Person.as_str())
}

/// All people of whom anything is known, after an id, in the order of their ids, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Connection,
    tenant: &TenantId,
    platform: Platform,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Person>> {
    let query = people::table
        .filter(people::tenant.eq(tenant.as_str()))
        .filter(people::platform.eq(platform.as_str()))
        .filter(people::foreign_id.gt(after.unwrap_or_default()))
        .order(people::foreign_id)
        .limit(limit)
        .select(COLUMNS);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// People of whom nobody knows which member they are, after an id, in the order of their ids, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn list_unmatched(
    conn: &mut Connection,
    tenant: &TenantId,
    platform: Platform,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Person>> {
    let query = people::table
        .filter(people::tenant.eq(tenant.as_str()))
        .filter(people::platform.eq(platform.as_str()))
        .filter(people::member.is_null())
        .filter(people::foreign_id.gt(after.unwrap_or_default()))
        .order(people::foreign_id)
        .limit(limit)
        .select(COLUMNS);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// People whose records were last told under another member than the one that they are known to be, or under none, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn changed(conn: &mut Connection, tenant: &TenantId, platform: Platform, limit: i64) -> Result<Vec<Person>> {
    let query = people::table
        .filter(people::tenant.eq(tenant.as_str()))
        .filter(people::platform.eq(platform.as_str()))
        .filter(sql::<Bool>("coalesce(member, '') <> coalesce(told, '')"))
        .order(people::foreign_id)
        .limit(limit)
        .select(COLUMNS);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// Notes that what is recorded of a person was told under this member, or as nobody's.
///
/// # Errors
/// Those of the database.
pub fn note_told(
    conn: &mut Connection,
    tenant: &TenantId,
    platform: Platform,
    foreign_id: &str,
    member: Option<&str>,
) -> Result<()> {
    let row = people::table.find((tenant.as_str(), platform.as_str(), foreign_id));
    on_backend!(conn, c => diesel::update(row).set(people::told.eq(member)).execute(c))?;
    Ok(())
}
