//! Which row of a destination is which entity, where the row was there before us. An entity has one row at a destination, and a
//! row is one entity's. A pair that nobody is sure of is no link.

mod postgres;
mod rejected;

use std::{collections::BTreeMap, str::FromStr};

use common::{DestinationId, EntityKey, EntityKind, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

pub use rejected::{allow, reject, rejected};

use crate::{
    convert::{ROWS_PER_STATEMENT, by_kind, entity_key, parse},
    destinations::UnknownName,
    schema::links::links,
};

/// An entity and its row at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The entity.
    pub entity: EntityKey,
    /// The id of the row, as the destination spells it.
    pub core_id: String,
    /// How the two were found to be the same.
    pub decided_by: DecidedBy,
    /// Since when they are linked.
    pub since: UnixMillis,
}

/// What tells that a row is an entity's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecidedBy {
    /// The same id.
    Id,
    /// The same mobile number.
    Mobile,
    /// The same e-mail.
    Email,
    /// The same employee number.
    EmployeeNumber,
    /// The same name in the same place: only departments have nothing better.
    Name,
    /// A person said so.
    Person,
}

impl DecidedBy {
    /// The name in tables and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Mobile => "mobile",
            Self::Email => "email",
            Self::EmployeeNumber => "employee_number",
            Self::Name => "name",
            Self::Person => "person",
        }
    }
}

impl FromStr for DecidedBy {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let all = [Self::Id, Self::Mobile, Self::Email, Self::EmployeeNumber, Self::Name, Self::Person];
        all.into_iter().find(|one| one.as_str() == name).ok_or(UnknownName)
    }
}

#[derive(Insertable)]
#[diesel(table_name = links, treat_none_as_default_value = false)]
struct NewRow<'a> {
    tenant: &'a str,
    destination: &'a str,
    kind: &'a str,
    platform_id: &'a str,
    core_id: &'a str,
    core_key: String,
    decided_by: &'a str,
    since: i64,
}

#[derive(Queryable, QueryableByName)]
#[diesel(table_name = links)]
struct Row {
    kind: String,
    platform_id: String,
    core_id: String,
    decided_by: String,
    since: i64,
}

const COLUMNS: (links::kind, links::platform_id, links::core_id, links::decided_by, links::since) =
    (links::kind, links::platform_id, links::core_id, links::decided_by, links::since);

impl Row {
    fn read(self) -> Result<Link> {
        Ok(Link {
            entity: entity_key(&self.kind, &self.platform_id)?,
            core_id: self.core_id,
            decided_by: parse(&self.decided_by)?,
            since: UnixMillis(self.since),
        })
    }
}

/// The rows of a table that are about one kind of entity at a destination.
macro_rules! those {
    ($table:ident, $of:expr, $kind:expr) => {
        $table::table
            .filter($table::tenant.eq($of.0))
            .filter($table::destination.eq($of.1))
            .filter($table::kind.eq($kind))
    };
}
use those;

/// How two ids of rows are told apart: as ids of entities are.
fn core_key(kind: EntityKind, core_id: &str) -> String {
    EntityKey::new(kind, core_id).id.as_ref().to_owned()
}

/// What must be known of these entities before they are written: their links, and the links of rows whose ids are spelled like
/// theirs.
///
/// # Errors
/// Those of the database.
pub fn load(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    keys: &[EntityKey],
) -> Result<Vec<Link>> {
    let of = (tenant.as_str(), destination.as_str());
    if let Connection::Postgres(c) = conn {
        return postgres::load(c, of, keys)?.into_iter().map(Row::read).collect();
    }
    let mut found = BTreeMap::new();
    for (kind, ids) in by_kind(keys) {
        let of_entities = those!(links, of, kind).filter(links::platform_id.eq_any(ids.clone())).select(COLUMNS);
        let of_rows = those!(links, of, kind).filter(links::core_key.eq_any(ids)).select(COLUMNS);
        let mut rows: Vec<Row> = on_backend!(conn, c => of_entities.load(c))?;
        let more: Vec<Row> = on_backend!(conn, c => of_rows.load(c))?;
        rows.extend(more);
        for row in rows {
            let link = row.read()?;
            found.insert(link.entity.clone(), link);
        }
    }
    Ok(found.into_values().collect())
}

/// The links of these entities; those that are not linked are left out.
///
/// # Errors
/// Those of the database.
pub fn of_entities(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    keys: &[EntityKey],
) -> Result<Vec<Link>> {
    found(conn, (tenant.as_str(), destination.as_str()), keys, By::Entity)
}

/// The links of these rows; those that are nobody's are left out.
///
/// # Errors
/// Those of the database.
pub fn of_rows(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    kind: EntityKind,
    core_ids: &[String],
) -> Result<Vec<Link>> {
    let keys: Vec<EntityKey> = core_ids.iter().map(|core_id| EntityKey::new(kind, core_id)).collect();
    found(conn, (tenant.as_str(), destination.as_str()), &keys, By::Row)
}

/// By what links are looked up.
#[derive(Clone, Copy)]
enum By {
    Entity,
    Row,
}

fn found(conn: &mut Connection, of: (&str, &str), keys: &[EntityKey], by: By) -> Result<Vec<Link>> {
    let mut found = Vec::new();
    for (kind, ids) in by_kind(keys) {
        let rows: Vec<Row> = match (&mut *conn, by) {
            (Connection::Sqlite(c), By::Entity) => {
                those!(links, of, kind).filter(links::platform_id.eq_any(ids)).select(COLUMNS).load(c)?
            }
            (Connection::Sqlite(c), By::Row) => {
                those!(links, of, kind).filter(links::core_key.eq_any(ids)).select(COLUMNS).load(c)?
            }
            (Connection::Postgres(c), _) => postgres::found(c, of, kind, ids, by)?,
        };
        for row in rows {
            found.push(row.read()?);
        }
    }
    Ok(found)
}

/// Links of one kind of entity after an id, in the order of the platform's ids, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    kind: EntityKind,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Link>> {
    let query = those!(links, (tenant.as_str(), destination.as_str()), kind.as_str())
        .filter(links::platform_id.gt(after.unwrap_or_default()))
        .order(links::platform_id)
        .limit(limit)
        .select(COLUMNS);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// Links entities with rows; what they were linked with before is forgotten, and so is that a person said no to a pair to which a
/// person now says yes. No entity and no row twice.
///
/// # Errors
/// Those of the database; a [unique](database::Constraint::Unique) one is broken when a row is linked with another entity that is
/// not among these.
pub fn set(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId, new: &[Link]) -> Result<()> {
    let keys: Vec<EntityKey> = new.iter().map(|link| link.entity.clone()).collect();
    remove(conn, tenant, destination, &keys)?;
    let rows: Vec<NewRow<'_>> = new.iter().map(|link| new_row(tenant, destination, link)).collect();
    for piece in rows.chunks(ROWS_PER_STATEMENT) {
        match conn {
            Connection::Sqlite(c) => diesel::insert_into(links::table).values(piece).execute(c)?,
            Connection::Postgres(c) => postgres::insert(c, (tenant.as_str(), destination.as_str()), piece)?,
        };
    }
    for link in new.iter().filter(|link| link.decided_by == DecidedBy::Person) {
        allow(conn, tenant, destination, &link.entity, &link.core_id)?;
    }
    Ok(())
}

fn new_row<'a>(tenant: &'a TenantId, destination: &'a DestinationId, link: &'a Link) -> NewRow<'a> {
    NewRow {
        tenant: tenant.as_str(),
        destination: destination.as_str(),
        kind: link.entity.kind.as_str(),
        platform_id: &link.entity.id,
        core_id: &link.core_id,
        core_key: core_key(link.entity.kind, &link.core_id),
        decided_by: link.decided_by.as_str(),
        since: link.since.0,
    }
}

/// These entities are linked no more.
///
/// # Errors
/// Those of the database.
pub fn remove(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId, keys: &[EntityKey]) -> Result<()> {
    let of = (tenant.as_str(), destination.as_str());
    for (kind, ids) in by_kind(keys) {
        match conn {
            Connection::Sqlite(c) => {
                diesel::delete(those!(links, of, kind).filter(links::platform_id.eq_any(ids))).execute(c)?
            }
            Connection::Postgres(c) => postgres::remove(c, of, kind, ids)?,
        };
    }
    Ok(())
}

/// An entity goes on under another id, and so do its link and what was rejected of it. If the new id has a link too, nothing is
/// moved: the destination still has both rows, and the old link is to be [removed](remove) when they have become one. Returns
/// whether a link was moved.
///
/// # Errors
/// Those of the database.
pub fn rename(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    from: &EntityKey,
    to: &EntityKey,
) -> Result<bool> {
    let of = (tenant.as_str(), destination.as_str());
    rejected::rename(conn, of, from, to)?;
    let new = those!(links, of, to.kind.as_str()).filter(links::platform_id.eq(&*to.id)).select(links::platform_id);
    let has_own: Option<String> = on_backend!(conn, c => new.first(c).optional())?;
    if has_own.is_some() {
        return Ok(false);
    }
    let old = those!(links, of, from.kind.as_str()).filter(links::platform_id.eq(&*from.id));
    let moved = on_backend!(conn, c => diesel::update(old).set(links::platform_id.eq(&*to.id)).execute(c))?;
    Ok(moved > 0)
}

/// Forgets all that is known of a destination's rows, when it is declared no more.
///
/// # Errors
/// Those of the database.
pub fn clear(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId) -> Result<()> {
    let all =
        links::table.filter(links::tenant.eq(tenant.as_str())).filter(links::destination.eq(destination.as_str()));
    on_backend!(conn, c => diesel::delete(all).execute(c))?;
    rejected::clear(conn, tenant, destination)
}
