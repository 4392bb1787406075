//! Runs: a tenant's mirror compared with its core products, planned, decided on, applied, and undone.
//!
//! A run is one row, made before its first step under keys that allow one first sync per tenant and one open run at a time. Whoever
//! works on it holds its lease, and records under it how far it got. Its plan is kept item by item with the rows as they were: so
//! it can be read, looked at again when it is applied, and undone.

mod items;
mod lease;
mod names;
mod opening;
mod pauses;
mod request;

use common::{DestinationId, TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;
use directory::plan::Counts;

pub use self::{
    items::{
        NewItem, PlanItem, Settled, Tally, clear_items, deletions, insert_items, items, pending, sent, settle,
        settle_sent, tally,
    },
    lease::{RunLease, Update, at_work, claim, free_leases, holds, release, renew, undone, update},
    names::{ItemState, RunKind, RunState, Step, Wanted},
    opening::{hold_back, start_all, start_core, start_others},
    pauses::{pause, paused, resume},
    request::{Answer, Wish, allow, reject, request, undo},
};
use crate::{
    convert::{from_json, parse, unsigned},
    schema::runs::{plan_items, sync_runs},
};

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id, short enough for people.
    pub id: String,
    /// Whose directory.
    pub tenant: TenantId,
    /// What it is for.
    pub kind: RunKind,
    /// The destination that it is about; all core products when absent.
    pub destination: Option<DestinationId>,
    /// The run that it undoes.
    pub undoes: Option<String>,
    /// How it stands.
    pub state: RunState,
    /// How far it is to go by itself.
    pub wanted: Wanted,
    /// What it is at.
    pub step: Step,
    /// How much of this step is done.
    pub done: u64,
    /// Out of how much; 0 while nobody knows.
    pub total: u64,
    /// How many items of each action its plan has.
    pub counts: Counts,
    /// Both sides were whole.
    pub is_complete: bool,
    /// Why it stands as it does, for people; without personal data.
    pub why: Option<String>,
    /// The tenant's last version when the mirror was read.
    pub mirror_version: u64,
    /// The last version that it published; 0 when none.
    pub last_version: u64,
    /// When it was asked for.
    pub requested_at: UnixMillis,
    /// When somebody first worked on it.
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    pub finished_at: Option<UnixMillis>,
}

#[derive(Queryable)]
struct Row {
    id: String,
    tenant: String,
    kind: String,
    destination: Option<String>,
    undoes: Option<String>,
    state: String,
    wanted: String,
    step: String,
    done: i64,
    total: i64,
    counts: String,
    complete: bool,
    why: Option<String>,
    _request_key: Option<String>,
    mirror_version: i64,
    last_version: i64,
    requested_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    _lease_owner: Option<String>,
    _lease_until: i64,
}

impl Row {
    fn read(self) -> Result<Run> {
        Ok(Run {
            id: self.id,
            tenant: parse(&self.tenant)?,
            kind: parse(&self.kind)?,
            destination: self.destination.as_deref().map(parse).transpose()?,
            undoes: self.undoes,
            state: parse(&self.state)?,
            wanted: parse(&self.wanted)?,
            step: parse(&self.step)?,
            done: unsigned(self.done),
            total: unsigned(self.total),
            counts: from_json(&self.counts)?,
            is_complete: self.complete,
            why: self.why,
            mirror_version: unsigned(self.mirror_version),
            last_version: unsigned(self.last_version),
            requested_at: UnixMillis(self.requested_at),
            started_at: self.started_at.map(UnixMillis),
            finished_at: self.finished_at.map(UnixMillis),
        })
    }
}

/// One run.
///
/// # Errors
/// Those of the database.
pub fn get(conn: &mut Connection, id: &str) -> Result<Option<Run>> {
    let query = sync_runs::table.find(id);
    let row: Option<Row> = on_backend!(conn, c => query.first(c).optional())?;
    row.map(Row::read).transpose()
}

/// The runs of a tenant, the newest first, at most `limit`.
///
/// # Errors
/// Those of the database.
pub fn list(conn: &mut Connection, tenant: &TenantId, limit: i64) -> Result<Vec<Run>> {
    let query = sync_runs::table
        .filter(sync_runs::tenant.eq(tenant.as_str()))
        .order((sync_runs::requested_at.desc(), sync_runs::id.desc()))
        .limit(limit);
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// The run of a tenant of which something is still to come.
///
/// # Errors
/// Those of the database.
pub fn open(conn: &mut Connection, tenant: &TenantId) -> Result<Option<Run>> {
    let open = [RunState::Planning, RunState::Planned, RunState::Quarantined, RunState::Applying];
    let query = sync_runs::table
        .filter(sync_runs::tenant.eq(tenant.as_str()))
        .filter(sync_runs::state.eq_any(open.map(RunState::as_str)));
    let row: Option<Row> = on_backend!(conn, c => query.first(c).optional())?;
    row.map(Row::read).transpose()
}

/// When the last run of a tenant that was applied ended; `None` before the first sync is applied.
///
/// # Errors
/// Those of the database.
pub fn last_finished(conn: &mut Connection, tenant: &TenantId) -> Result<Option<UnixMillis>> {
    let applied = [RunState::Finished, RunState::Undone];
    let query = sync_runs::table
        .filter(sync_runs::tenant.eq(tenant.as_str()))
        .filter(sync_runs::state.eq_any(applied.map(RunState::as_str)))
        .select(diesel::dsl::max(sync_runs::finished_at));
    let last: Option<i64> = on_backend!(conn, c => query.first(c))?;
    Ok(last.map(UnixMillis))
}

/// Forgets runs that ended before a time, with their plans; returns how many. First syncs stay as rows, since they tell that there
/// was one.
///
/// # Errors
/// Those of the database.
pub fn prune(conn: &mut Connection, before: UnixMillis) -> Result<usize> {
    let old = sync_runs::table
        .filter(sync_runs::finished_at.lt(before.0))
        .filter(sync_runs::kind.ne(RunKind::First.as_str()))
        .select(sync_runs::id);
    let ids: Vec<String> = on_backend!(conn, c => old.load(c))?;
    for id in &ids {
        on_backend!(conn, c => diesel::delete(plan_items::table.filter(plan_items::run.eq(id))).execute(c))?;
        on_backend!(conn, c => diesel::delete(sync_runs::table.find(id)).execute(c))?;
    }
    Ok(ids.len())
}
