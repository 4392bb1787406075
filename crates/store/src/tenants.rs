//! Tenants: their sealed documents and what changes them.

mod client_ids;

use common::{TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::{dsl::max, prelude::*};

pub use client_ids::claim_client_id;

use crate::{
    approvals,
    convert::{parse, unsigned},
    destinations::{self, Declared},
    failed_pushes, form_polls, kind_silences, questions, record_runs, removals, repulls, runs,
    schema::tenants::tenants,
    snapshots,
};

/// A tenant as it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The tenant's file as a JSON document whose secrets are sealed under `data_key`.
    pub document: String,
    /// Its data key, wrapped by the master key.
    pub data_key: String,
    /// The lane its events and changes travel in.
    pub lane: String,
    /// Grows with every apply and removal of any tenant.
    pub revision: i64,
    /// When it was last applied.
    pub applied_at: UnixMillis,
    /// The callback keys before the last change of them, sealed like the document.
    pub previous_callback: Option<String>,
    /// How long those are still honoured.
    pub previous_until: Option<UnixMillis>,
    /// When it was removed, if it was.
    pub removed_at: Option<UnixMillis>,
}

/// What is applied. See [`Tenant`] for the fields.
#[derive(Debug, Clone)]
pub struct Apply<'a> {
    /// The tenant's id.
    pub id: &'a TenantId,
    /// The sealed document.
    pub document: &'a str,
    /// The wrapped data key.
    pub data_key: &'a str,
    /// The lane.
    pub lane: &'a str,
    /// Former callback keys, sealed, and until when they hold; what is stored stays when absent.
    pub previous_callback: Option<(&'a str, UnixMillis)>,
    /// All destinations of the document, so that each starts at the version at which it was applied.
    pub destinations: &'a [Declared],
}

type Row = (String, String, String, String, i64, i64, Option<String>, Option<i64>, Option<i64>);

const COLUMNS: (
    tenants::id,
    tenants::document,
    tenants::data_key,
    tenants::lane,
    tenants::revision,
    tenants::applied_at,
    tenants::previous_callback,
    tenants::previous_until,
    tenants::removed_at,
) = (
    tenants::id,
    tenants::document,
    tenants::data_key,
    tenants::lane,
    tenants::revision,
    tenants::applied_at,
    tenants::previous_callback,
    tenants::previous_until,
    tenants::removed_at,
);

impl Tenant {
    fn from_row(row: Row) -> Result<Self> {
        let (id, document, data_key, lane, revision, applied_at, previous_callback, previous_until, removed_at) = row;
        Ok(Self {
            id: parse(&id)?,
            document,
            data_key,
            lane,
            revision,
            applied_at: UnixMillis(applied_at),
            previous_callback,
            previous_until: previous_until.map(UnixMillis),
            removed_at: removed_at.map(UnixMillis),
        })
    }
}

/// The newest revision of all tenants; 0 before the first apply. Who keeps tenants in memory compares it.
///
/// # Errors
/// Those of the database.
pub fn revision(conn: &mut Connection) -> Result<i64> {
    let newest: Option<i64> = on_backend!(conn, c => tenants::table.select(max(tenants::revision)).first(c))?;
    Ok(newest.unwrap_or_default())
}

/// All tenants that are not removed, by id.
///
/// # Errors
/// Those of the database.
pub fn list(conn: &mut Connection) -> Result<Vec<Tenant>> {
    let query = tenants::table.filter(tenants::removed_at.is_null()).order(tenants::id).select(COLUMNS);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Tenant::from_row).collect()
}

/// The tenants applied or removed after `revision`, removed ones included.
///
/// # Errors
/// Those of the database.
pub fn changed_since(conn: &mut Connection, revision: i64) -> Result<Vec<Tenant>> {
    let query = tenants::table.filter(tenants::revision.gt(revision)).order(tenants::revision).select(COLUMNS);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Tenant::from_row).collect()
}

/// One tenant, also a removed one.
///
/// # Errors
/// Those of the database.
pub fn get(conn: &mut Connection, id: &TenantId) -> Result<Option<Tenant>> {
    let query = tenants::table.find(id.as_str()).select(COLUMNS);
    let row: Option<Row> = on_backend!(conn, c => query.first(c).optional())?;
    row.map(Tenant::from_row).transpose()
}

/// The next revision. Whoever gets it commits before anybody else gets one, so that who looks for newer revisions misses none.
fn next_revision(conn: &mut Connection) -> Result<i64> {
    if let Connection::Postgres(c) = conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext('orgbridge tenants'))").execute(c)?;
    }
    Ok(revision(conn)?.saturating_add(1))
}

/// Creates a tenant, or replaces its document and destinations; returns the new revision. Versions of a tenant that was
/// removed go on where they were.
///
/// # Errors
/// Those of the database.
pub fn apply(conn: &mut Connection, new: &Apply<'_>, now: UnixMillis) -> Result<i64> {
    let revision = next_revision(conn)?;
    let id = new.id.as_str();
    let values = (
        tenants::document.eq(new.document),
        tenants::data_key.eq(new.data_key),
        tenants::lane.eq(new.lane),
        tenants::revision.eq(revision),
        tenants::applied_at.eq(now.0),
        tenants::removed_at.eq(None::<i64>),
    );
    on_backend!(conn, c => diesel::insert_into(tenants::table)
        .values((tenants::id.eq(id), values))
        .on_conflict(tenants::id)
        .do_update()
        .set(values)
        .execute(c))?;
    if let Some((keys, until)) = new.previous_callback {
        let values = (tenants::previous_callback.eq(keys), tenants::previous_until.eq(until.0));
        on_backend!(conn, c => diesel::update(tenants::table.find(id)).set(values).execute(c))?;
    }
    destinations::declare(conn, new.id, new.destinations, now)?;
    Ok(revision)
}

/// Marks a tenant as removed and forgets its destinations, runs and pulls, and what was to be pulled; `false` when there is none of that
/// id. What its platform counted goes on being known, and of which records of forms somebody was made a member.
///
/// # Errors
/// Those of the database.
pub fn remove(conn: &mut Connection, id: &TenantId, now: UnixMillis) -> Result<bool> {
    let revision = next_revision(conn)?;
    let target = tenants::table.find(id.as_str()).filter(tenants::removed_at.is_null());
    let values = (tenants::removed_at.eq(now.0), tenants::revision.eq(revision));
    let removed = on_backend!(conn, c => diesel::update(target).set(values).execute(c))?;
    if removed > 0 {
        destinations::declare(conn, id, &[], now)?;
        runs::forget(conn, id)?;
        snapshots::forget(conn, id)?;
        removals::forget(conn, id)?;
        questions::set_silent(conn, id, None)?;
        repulls::forget(conn, id)?;
        failed_pushes::forget(conn, id)?;
        approvals::forget(conn, id)?;
        record_runs::forget(conn, id)?;
        kind_silences::forget(conn, id)?;
        form_polls::forget(conn, id)?;
    }
    Ok(removed > 0)
}

/// Replaces the wrapped data key of a tenant, after the master key changed.
///
/// # Errors
/// Those of the database.
pub fn set_data_key(conn: &mut Connection, id: &TenantId, data_key: &str) -> Result<()> {
    let target = tenants::table.find(id.as_str());
    on_backend!(conn, c => diesel::update(target).set(tenants::data_key.eq(data_key)).execute(c))?;
    Ok(())
}

/// The last version that each tenant has given, of the tenants that are not removed.
///
/// # Errors
/// Those of the database.
pub fn last_versions(conn: &mut Connection) -> Result<Vec<(TenantId, u64)>> {
    let query = tenants::table.filter(tenants::removed_at.is_null()).select((tenants::id, tenants::last_version));
    let rows: Vec<(String, i64)> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(|(id, version)| Ok((parse(&id)?, unsigned(version)))).collect()
}
