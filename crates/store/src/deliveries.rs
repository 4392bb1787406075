//! Attempts: what was sent where, when, and what was answered. One row per batch, one of its own for each failure.

use common::{DestinationId, EntityKey, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

use crate::{
    convert::{ROWS_PER_STATEMENT, entity_key, parse, signed, unsigned},
    schema::sink::attempts,
};

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The lowest version in it.
    pub from_version: u64,
    /// The highest version in it.
    pub to_version: u64,
    /// How many changes were in it.
    pub changes: u32,
    /// Which entity it was about, where it was about one.
    pub entity: Option<EntityKey>,
    /// When it began.
    pub at: UnixMillis,
    /// How long the answer took, in milliseconds.
    pub took_millis: u64,
    /// What came of it: `applied`, `retried`, `rejected`, `unavailable`.
    pub outcome: String,
    /// What the destination said, without personal data.
    pub answer: Option<String>,
}

/// An attempt as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Grows in the order of recording.
    pub id: i64,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it went.
    pub destination: DestinationId,
    /// The attempt.
    pub attempt: Attempt,
}

#[derive(Insertable)]
#[diesel(table_name = attempts, treat_none_as_default_value = false)]
struct NewRow<'a> {
    tenant: &'a str,
    destination: &'a str,
    from_version: i64,
    to_version: i64,
    changes: i32,
    kind: Option<&'a str>,
    entity: Option<&'a str>,
    at: i64,
    took_millis: i64,
    outcome: &'a str,
    answer: Option<&'a str>,
}

#[derive(Queryable)]
struct Row {
    id: i64,
    tenant: String,
    destination: String,
    from_version: i64,
    to_version: i64,
    changes: i32,
    kind: Option<String>,
    entity: Option<String>,
    at: i64,
    took_millis: i64,
    outcome: String,
    answer: Option<String>,
}

impl Row {
    fn read(self) -> Result<Listed> {
        let entity = self.kind.as_deref().zip(self.entity.as_deref());
        let attempt = Attempt {
            from_version: unsigned(self.from_version),
            to_version: unsigned(self.to_version),
            changes: u32::try_from(self.changes).unwrap_or_default(),
            entity: entity.map(|(kind, id)| entity_key(kind, id)).transpose()?,
            at: UnixMillis(self.at),
            took_millis: unsigned(self.took_millis),
            outcome: self.outcome,
            answer: self.answer,
        };
        Ok(Listed { id: self.id, tenant: parse(&self.tenant)?, destination: parse(&self.destination)?, attempt })
    }
}

/// Records attempts.
///
/// # Errors
/// Those of the database.
pub fn record(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: &DestinationId,
    attempted: &[Attempt],
) -> Result<()> {
    for piece in attempted.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<NewRow<'_>> = piece.iter().map(|attempt| new_row(tenant, destination, attempt)).collect();
        on_backend!(conn, c => diesel::insert_into(attempts::table).values(rows).execute(c))?;
    }
    Ok(())
}

fn new_row<'a>(tenant: &'a TenantId, destination: &'a DestinationId, attempt: &'a Attempt) -> NewRow<'a> {
    NewRow {
        tenant: tenant.as_str(),
        destination: destination.as_str(),
        from_version: signed(attempt.from_version),
        to_version: signed(attempt.to_version),
        changes: i32::try_from(attempt.changes).unwrap_or(i32::MAX),
        kind: attempt.entity.as_ref().map(|entity| entity.kind.as_str()),
        entity: attempt.entity.as_ref().map(|entity| &*entity.id),
        at: attempt.at.0,
        took_millis: signed(attempt.took_millis),
        outcome: &attempt.outcome,
        answer: attempt.answer.as_deref(),
    }
}

/// The newest attempts of a tenant, newest first, of one destination or of all.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut Connection,
    tenant: &TenantId,
    destination: Option<&DestinationId>,
    limit: u32,
) -> Result<Vec<Listed>> {
    let newest =
        attempts::table.filter(attempts::tenant.eq(tenant.as_str())).order(attempts::id.desc()).limit(limit.into());
    let rows: Vec<Row> = match destination {
        Some(id) => on_backend!(conn, c => newest.filter(attempts::destination.eq(id.as_str())).load(c))?,
        None => on_backend!(conn, c => newest.load(c))?,
    };
    rows.into_iter().map(Row::read).collect()
}

/// The attempts that had a version in them, oldest first, for `explain`.
///
/// # Errors
/// Those of the database.
pub fn of_version(conn: &mut Connection, tenant: &TenantId, version: u64) -> Result<Vec<Listed>> {
    let query = attempts::table
        .filter(attempts::tenant.eq(tenant.as_str()))
        .filter(attempts::from_version.le(signed(version)))
        .filter(attempts::to_version.ge(signed(version)))
        .order(attempts::id);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// Forgets what a destination answered, but for the newest `keep` attempts.
///
/// # Errors
/// Those of the database.
pub fn prune(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId, keep: u32) -> Result<usize> {
    let of = attempts::tenant.eq(tenant.as_str()).and(attempts::destination.eq(destination.as_str()));
    let newest =
        attempts::table.filter(of).select(attempts::id).order(attempts::id.desc()).offset(keep.into()).limit(1);
    let last: Option<i64> = on_backend!(conn, c => newest.first(c).optional())?;
    let Some(last) = last else { return Ok(0) };
    let old = attempts::table.filter(of).filter(attempts::id.le(last));
    Ok(on_backend!(conn, c => diesel::delete(old).execute(c))?)
}
