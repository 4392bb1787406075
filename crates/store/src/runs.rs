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
use diesel::{prelude::*, sql_query, sql_types::Bool};
use directory::plan::Counts;

pub use self::{
    items::{
        NewItem, PlanItem, Settled, Tally, changed_since, clear_items, clear_items_after, clear_items_until, deletions,
        insert_items, items, pending, planned_at, removals, sent, settle, settle_sent, tally,
    },
    lease::{RunLease, Update, at_work, claim, free_leases, holds, release, renew, undone, update},
    names::{ItemState, RunKind, RunState, Step, Wanted},
    opening::{collecting, hold_back, is_collecting, start_all, start_as_collected, start_core, start_others},
    pauses::{pause, paused, resume},
    request::{Answer, Wish, allow, end_forgotten, reject, request, undo},
};
use crate::{
    convert::{from_json, parse, unsigned},
    schema::runs::{plan_items, sync_pauses, sync_runs},
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

impl Run {
    /// How far a run is when the source is pulled.
    pub const PULLED: f64 = 0.3;

    /// Whether it is a plan that was asked for before that time, and that nobody decided on.
    pub fn is_forgotten(&self, before: UnixMillis) -> bool {
        self.state == RunState::Planned && self.requested_at < before
    }

    /// How far it is, 0 to 1. To publish and deliver takes longest, but for the pull, which tells for itself how far it is.
    pub fn progress(&self) -> f64 {
        let part = if self.total == 0 { 0.0 } else { self.done.min(self.total) as f64 / self.total as f64 };
        match self.step {
            _ if !self.state.is_open() => 1.0,
            Step::Pull => 0.0,
            Step::Settle => Self::PULLED,
            Step::Compare => 0.4,
            Step::Ready => 0.5,
            Step::Apply => 0.5 + 0.4 * part,
            Step::Deliver => 0.9,
            Step::Purge => 0.95,
            Step::Done => 1.0,
        }
    }
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
/// was one; their plans go too. One process at a time: another one that comes meanwhile does nothing.
///
/// # Errors
/// Those of the database.
pub fn prune(conn: &mut Connection, before: UnixMillis) -> Result<usize> {
    if !is_alone(conn)? {
        return Ok(0);
    }
    let old = sync_runs::table.filter(sync_runs::finished_at.lt(before.0)).select((sync_runs::id, sync_runs::kind));
    let old: Vec<(String, String)> = on_backend!(conn, c => old.load(c))?;
    let mut forgotten = 0;
    for (id, kind) in &old {
        clear_items(conn, id)?;
        if kind != RunKind::First.as_str() {
            forgotten += on_backend!(conn, c => diesel::delete(sync_runs::table.find(id)).execute(c))?;
        }
    }
    Ok(forgotten)
}

/// Whether nobody else forgets runs until this transaction ends. In SQLite the write lock says so.
fn is_alone(conn: &mut Connection) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        yes: bool,
    }
    match conn {
        Connection::Sqlite(_) => Ok(true),
        Connection::Postgres(c) => {
            let query = sql_query("SELECT pg_try_advisory_xact_lock(hashtext('orgbridge: old runs')) AS yes");
            Ok(query.get_result::<Answer>(c)?.yes)
        }
    }
}

/// Forgets all runs of a tenant, which is removed.
pub(crate) fn forget(conn: &mut Connection, tenant: &TenantId) -> Result<()> {
    for id in ids(conn, tenant)? {
        clear_items(conn, &id)?;
    }
    let of = tenant.as_str();
    on_backend!(conn, c => diesel::delete(sync_runs::table.filter(sync_runs::tenant.eq(of))).execute(c))?;
    on_backend!(conn, c => diesel::delete(sync_pauses::table.filter(sync_pauses::tenant.eq(of))).execute(c))?;
    Ok(())
}

/// Forgets what runs were about to do, or did, at a destination that is declared no more: another one may get its name.
pub(crate) fn forget_destination(conn: &mut Connection, tenant: &TenantId, destination: &DestinationId) -> Result<()> {
    for id in ids(conn, tenant)? {
        let items =
            plan_items::table.filter(plan_items::run.eq(&id)).filter(plan_items::destination.eq(destination.as_str()));
        on_backend!(conn, c => diesel::delete(items).execute(c))?;
    }
    resume(conn, tenant, destination).map(drop)
}

fn ids(conn: &mut Connection, tenant: &TenantId) -> Result<Vec<String>> {
    let query = sync_runs::table.filter(sync_runs::tenant.eq(tenant.as_str())).select(sync_runs::id);
    Ok(on_backend!(conn, c => query.load(c))?)
}
