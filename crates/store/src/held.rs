//! Changes that a destination has not taken although its position passed them: held, waiting or dead.

use std::collections::BTreeMap;

use common::{Change, DestinationId, EntityKey, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{dsl::count_star, prelude::*, upsert::excluded};
use serde::{Deserialize, Serialize};

use crate::{
    convert::{ROWS_PER_STATEMENT, by_kind, entity_key, from_json, parse, signed, to_json, unsigned},
    destinations::UnknownName,
    schema::sink::held,
};

/// An entity whose newest change has not arrived at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Which entity.
    pub entity: EntityKey,
    /// The version of the change.
    pub version: u64,
    /// How it stands.
    pub state: HeldState,
    /// Why, in words without personal data.
    pub reason: Option<String>,
    /// The entity is not at the destination at all.
    pub absent: bool,
    /// Though absent it may be there: it was sent, and nobody heard an answer.
    pub unsure: bool,
    /// The change is a removal.
    pub removal: bool,
    /// What it refers to there, or more than that.
    pub there: Vec<EntityKey>,
    /// What of it it is to have left by now.
    pub left: Vec<EntityKey>,
    /// What it waits for.
    pub waits_for: Vec<EntityKey>,
    /// The ids under which the destination has it.
    pub formerly: Vec<FormerId>,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before this is it tried again.
    pub next_attempt: UnixMillis,
    /// When it began to be held; moved on by the time in which the destination was away.
    pub since: UnixMillis,
}

/// An id that an entity gave up by a rename that has not arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerId {
    /// The id.
    pub key: EntityKey,
    /// The version of the rename.
    pub version: u64,
    /// The destination may not have it under this id.
    #[serde(default)]
    pub unsure: bool,
}

/// How a held change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeldState {
    /// It is tried again.
    Held,
    /// It waits for something else.
    Waiting,
    /// It was given up on; a dead letter tells why.
    Dead,
}

impl HeldState {
    /// The name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Dead => "dead",
        }
    }
}

impl std::str::FromStr for HeldState {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        [Self::Held, Self::Waiting, Self::Dead].into_iter().find(|s| s.as_str() == name).ok_or(UnknownName)
    }
}

#[derive(Insertable)]
#[diesel(table_name = held, treat_none_as_default_value = false)]
struct NewRow<'a> {
    tenant: &'a str,
    destination: &'a str,
    kind: &'a str,
    id: &'a str,
    version: i64,
    state: &'a str,
    reason: Option<&'a str>,
    absent: bool,
    removal: bool,
    there_keys: String,
    left_keys: String,
    waits_for: String,
    formerly: String,
    attempts: i32,
    next_attempt: i64,
    since: i64,
    body: String,
    unsure: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = held)]
struct Row {
    kind: String,
    id: String,
    version: i64,
    state: String,
    reason: Option<String>,
    absent: bool,
    removal: bool,
    there_keys: String,
    left_keys: String,
    waits_for: String,
    formerly: String,
    attempts: i32,
    next_attempt: i64,
    since: i64,
    unsure: bool,
}

impl Row {
    fn read(self) -> Result<Held> {
        Ok(Held {
            entity: entity_key(&self.kind, &self.id)?,
            version: unsigned(self.version),
            state: parse(&self.state)?,
            reason: self.reason,
            absent: self.absent,
            unsure: self.unsure,
            removal: self.removal,
            there: from_json(&self.there_keys)?,
            left: from_json(&self.left_keys)?,
            waits_for: from_json(&self.waits_for)?,
            formerly: from_json(&self.formerly)?,
            attempts: u32::try_from(self.attempts).unwrap_or_default(),
            next_attempt: UnixMillis(self.next_attempt),
            since: UnixMillis(self.since),
        })
    }
}

/// All that is held for a destination, without the changes themselves.
///
/// # Errors
/// Those of the database.
pub fn load(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId) -> Result<Vec<Held>> {
    let those = held::table.filter(held::tenant.eq(tenant.as_str())).filter(held::destination.eq(destination.as_str()));
    let rows: Vec<Row> = on_backend!(conn, c => those.select(Row::as_select()).load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// Writes rows, each with its change; a row whose change is `None` must be there and keeps the change it has.
///
/// # Errors
/// Those of the database.
pub fn put(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    rows: &[(Held, Option<&Change>)],
) -> Result<()> {
    let of = (tenant.as_str(), destination.as_str());
    let (new, known): (Vec<_>, Vec<_>) = rows.iter().partition(|(_, change)| change.is_some());
    let new = new.into_iter().map(|(row, change)| new_row(of, row, *change)).collect::<Result<Vec<_>>>()?;
    for piece in new.chunks(ROWS_PER_STATEMENT) {
        upsert(conn, piece)?;
    }
    for (row, _) in known {
        update(conn, of, row)?;
    }
    Ok(())
}

fn new_row<'a>(of: (&'a str, &'a str), row: &'a Held, change: Option<&Change>) -> Result<NewRow<'a>> {
    Ok(NewRow {
        tenant: of.0,
        destination: of.1,
        kind: row.entity.kind.as_str(),
        id: &row.entity.id,
        version: signed(row.version),
        state: row.state.as_str(),
        reason: row.reason.as_deref(),
        absent: row.absent,
        removal: row.removal,
        there_keys: to_json(&row.there)?,
        left_keys: to_json(&row.left)?,
        waits_for: to_json(&row.waits_for)?,
        formerly: to_json(&row.formerly)?,
        attempts: i32::try_from(row.attempts).unwrap_or(i32::MAX),
        next_attempt: row.next_attempt.0,
        since: row.since.0,
        body: change.map(to_json).transpose()?.unwrap_or_default(),
        unsure: row.unsure,
    })
}

fn upsert(conn: &mut Connection, rows: &[NewRow<'_>]) -> Result<()> {
    on_backend!(conn, c => diesel::insert_into(held::table)
        .values(rows)
        .on_conflict((held::tenant, held::destination, held::kind, held::id))
        .do_update()
        .set((
            held::version.eq(excluded(held::version)),
            held::state.eq(excluded(held::state)),
            held::reason.eq(excluded(held::reason)),
            held::absent.eq(excluded(held::absent)),
            held::removal.eq(excluded(held::removal)),
            held::there_keys.eq(excluded(held::there_keys)),
            held::left_keys.eq(excluded(held::left_keys)),
            held::waits_for.eq(excluded(held::waits_for)),
            held::formerly.eq(excluded(held::formerly)),
            held::attempts.eq(excluded(held::attempts)),
            held::next_attempt.eq(excluded(held::next_attempt)),
            held::since.eq(excluded(held::since)),
            held::body.eq(excluded(held::body)),
            held::unsure.eq(excluded(held::unsure)),
        ))
        .execute(c))?;
    Ok(())
}

fn update(conn: &mut Connection, of: (&str, &str), row: &Held) -> Result<()> {
    let target = held::table.find((of.0, of.1, row.entity.kind.as_str(), &*row.entity.id));
    let values = (
        held::state.eq(row.state.as_str()),
        held::reason.eq(&row.reason),
        held::absent.eq(row.absent),
        held::unsure.eq(row.unsure),
        held::left_keys.eq(to_json(&row.left)?),
        held::formerly.eq(to_json(&row.formerly)?),
        held::waits_for.eq(to_json(&row.waits_for)?),
        held::attempts.eq(i32::try_from(row.attempts).unwrap_or(i32::MAX)),
        held::next_attempt.eq(row.next_attempt.0),
        held::since.eq(row.since.0),
    );
    on_backend!(conn, c => diesel::update(target).set(values).execute(c))?;
    Ok(())
}

/// Removes rows: their entities arrived, or are gone everywhere.
///
/// # Errors
/// Those of the database.
pub fn remove(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId, keys: &[EntityKey]) -> Result<()> {
    for (kind, ids) in by_kind(keys) {
        let rows = held::table
            .filter(held::tenant.eq(tenant.as_str()))
            .filter(held::destination.eq(destination.as_str()))
            .filter(held::kind.eq(kind))
            .filter(held::id.eq_any(ids));
        on_backend!(conn, c => diesel::delete(rows).execute(c))?;
    }
    Ok(())
}

/// The changes of some rows. What is not there is left out.
///
/// # Errors
/// Those of the database.
pub fn changes(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    keys: &[EntityKey],
) -> Result<BTreeMap<EntityKey, Change>> {
    let mut found = BTreeMap::new();
    for (kind, ids) in by_kind(keys) {
        let query = held::table
            .filter(held::tenant.eq(tenant.as_str()))
            .filter(held::destination.eq(destination.as_str()))
            .filter(held::kind.eq(kind))
            .filter(held::id.eq_any(ids))
            .select((held::id, held::body));
        let rows: Vec<(String, String)> = on_backend!(conn, c => query.load(c))?;
        for (id, body) in rows {
            found.insert(entity_key(kind, &id)?, from_json(&body)?);
        }
    }
    Ok(found)
}

/// Moves the clocks of what was held before `away_since` by the time in which the destination was away, in milliseconds.
///
/// # Errors
/// Those of the database.
pub fn shift_clocks(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    away_since: UnixMillis,
    millis: i64,
) -> Result<()> {
    let rows = held::table
        .filter(held::tenant.eq(tenant.as_str()))
        .filter(held::destination.eq(destination.as_str()))
        .filter(held::since.le(away_since.0))
        .filter(held::state.ne(HeldState::Dead.as_str()));
    on_backend!(conn, c => diesel::update(rows).set(held::since.eq(held::since + millis)).execute(c))?;
    Ok(())
}

/// How many there are, by tenant, destination and state.
pub type Counts = BTreeMap<(TenantId, DestinationId, &'static str), u64>;

/// Counts all that is held.
///
/// # Errors
/// Those of the database.
pub fn counts(conn: &mut Connection) -> Result<Counts> {
    let group = (held::tenant, held::destination, held::state);
    let query = held::table.group_by(group).select((held::tenant, held::destination, held::state, count_star()));
    let rows: Vec<(String, String, String, i64)> = on_backend!(conn, c => query.load(c))?;
    let read = |(tenant, destination, state, count): (String, String, String, i64)| {
        let key = (parse(&tenant)?, parse(&destination)?, parse::<HeldState>(&state)?.as_str());
        Ok((key, unsigned(count)))
    };
    rows.into_iter().map(read).collect()
}
