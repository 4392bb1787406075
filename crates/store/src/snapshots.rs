//! A tenant's directory while it is pulled from its platform and compared with the mirror: what is known of each entity, how
//! far the run got, and who is at it. A tenant has one run at a time.

mod rows;
mod walk;

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use common::{TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;

pub use rows::{Half, Texts, clear, count_missing, mirror_after, missing_after, page, places, put};
pub use walk::walk_on;

use crate::{
    clock::shared_clock,
    convert::{parse, signed, unsigned},
    destinations::UnknownName,
    gaps::{self, Gap},
    outbox, removals,
    schema::snapshots::{snapshots, walks},
};

/// So long removals pass the brake that a person allowed: until all who are missing were asked about, in the largest company.
pub(crate) const PASS_SECONDS: i64 = 6 * 3600;

/// How far a run got: what it does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing: the last run is over.
    Idle,
    /// The ids of all departments.
    DepartmentIds,
    /// The ids of all members, page by page.
    MemberIds,
    /// Departments in full.
    DepartmentDetails,
    /// Members in full, department by department.
    MemberDetails,
    /// Comparing with the mirror, page by page.
    Comparing,
    /// Too much would be removed: a person decides.
    Quarantined,
    /// A person allowed it.
    Allowed,
}

impl Stage {
    const ALL: [Self; 8] = [
        Self::Idle,
        Self::DepartmentIds,
        Self::MemberIds,
        Self::DepartmentDetails,
        Self::MemberDetails,
        Self::Comparing,
        Self::Quarantined,
        Self::Allowed,
    ];

    /// The name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::DepartmentIds => "department_ids",
            Self::MemberIds => "member_ids",
            Self::DepartmentDetails => "department_details",
            Self::MemberDetails => "member_details",
            Self::Comparing => "comparing",
            Self::Quarantined => "quarantined",
            Self::Allowed => "allowed",
        }
    }
}

impl FromStr for Stage {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name).ok_or(UnknownName)
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Names the run.
    pub run: String,
    /// What it does next.
    pub stage: Stage,
    /// Where in that stage it goes on: a page's cursor, a department, an entity; `None` at its beginning.
    pub place: Option<String>,
    /// When it began, by our clock.
    pub started_at: UnixMillis,
    /// The platform's time at which its first list was begun.
    pub asked_at: UnixMillis,
    /// Every page and every department answered so far.
    pub is_whole: bool,
    /// When it will be done, as far as can be told.
    pub done_by: Option<UnixMillis>,
    /// How many entities differed.
    pub differences: u64,
    /// How much it told the mirror, or asked; while that is nothing, the mirror has all that was pulled.
    pub told: u64,
    /// When the next run is due.
    pub due_at: UnixMillis,
}

impl Snapshot {
    /// A run that begins now.
    pub const fn beginning(run: String, now: UnixMillis, due_at: UnixMillis) -> Self {
        Self {
            run,
            stage: Stage::DepartmentIds,
            place: None,
            started_at: now,
            asked_at: UnixMillis(0),
            is_whole: true,
            done_by: None,
            differences: 0,
            told: 0,
            due_at,
        }
    }
}

/// Who is at a run, and until when it is his: by the server's clock where there is one.
#[derive(Debug, Clone)]
pub struct Hold<'a> {
    /// Names a process among its replicas.
    pub owner: &'a str,
    /// The present moment by our clock.
    pub now: UnixMillis,
    /// When somebody else may go on.
    pub until: UnixMillis,
}

#[derive(Queryable)]
struct Loaded {
    run: String,
    stage: String,
    place: Option<String>,
    started_at: i64,
    asked_at: i64,
    whole: bool,
    done_by: Option<i64>,
    differences: i64,
    told: i64,
    due_at: i64,
}

impl Loaded {
    fn into_snapshot(self) -> Result<Snapshot> {
        Ok(Snapshot {
            run: self.run,
            stage: parse(&self.stage)?,
            place: self.place,
            started_at: UnixMillis(self.started_at),
            asked_at: UnixMillis(self.asked_at),
            is_whole: self.whole,
            done_by: self.done_by.map(UnixMillis),
            differences: unsigned(self.differences),
            told: unsigned(self.told),
            due_at: UnixMillis(self.due_at),
        })
    }
}

/// The newest run of a tenant.
///
/// # Errors
/// Those of the database.
pub fn get(conn: &mut Connection, tenant: &TenantId) -> Result<Option<Snapshot>> {
    let query = snapshots::table.find(tenant.as_str()).select((
        snapshots::run,
        snapshots::stage,
        snapshots::place,
        snapshots::started_at,
        snapshots::asked_at,
        snapshots::whole,
        snapshots::done_by,
        snapshots::differences,
        snapshots::told,
        snapshots::due_at,
    ));
    let found: Option<Loaded> = on_backend!(conn, c => query.first(c).optional())?;
    found.map(Loaded::into_snapshot).transpose()
}

/// The tenants of which nothing is to be pulled now: no run is under way, none is due, and no callback may be missing since the last one began.
///
/// # Errors
/// Those of the database.
pub fn quiet(conn: &mut Connection, now: UnixMillis) -> Result<BTreeSet<TenantId>> {
    let over = [Stage::Idle, Stage::Quarantined].map(Stage::as_str);
    let gaps: BTreeMap<TenantId, Gap> = gaps::all(conn)?.into_iter().collect();
    let query = snapshots::table
        .filter(snapshots::stage.eq_any(over))
        .filter(snapshots::due_at.gt(now.0))
        .select((snapshots::tenant, snapshots::started_at));
    let over: Vec<(String, i64)> = on_backend!(conn, c => query.load(c))?;
    let mut quiet = BTreeSet::new();
    for (tenant, started_at) in over {
        let tenant = parse(&tenant)?;
        if gaps.get(&tenant).is_none_or(|gap| gap.until.0 < started_at) {
            quiet.insert(tenant);
        }
    }
    Ok(quiet)
}

/// How many entities differed at the last run of each tenant of whom none is under way.
///
/// # Errors
/// Those of the database.
pub fn differences(conn: &mut Connection) -> Result<Vec<(TenantId, u64)>> {
    let query = snapshots::table
        .filter(snapshots::stage.eq(Stage::Idle.as_str()))
        .filter(snapshots::started_at.gt(0_i64))
        .select((snapshots::tenant, snapshots::differences));
    let found: Vec<(String, i64)> = on_backend!(conn, c => query.load(c))?;
    found.into_iter().map(|(tenant, count)| Ok((parse(&tenant)?, unsigned(count)))).collect()
}

/// Makes the row of a tenant that has none: nothing was pulled yet, and the first run is due at `due_at`.
///
/// # Errors
/// Those of the database.
pub fn announce(conn: &mut Connection, tenant: &TenantId, due_at: UnixMillis) -> Result<()> {
    let row = (
        snapshots::tenant.eq(tenant.as_str()),
        snapshots::run.eq(""),
        snapshots::stage.eq(Stage::Idle.as_str()),
        snapshots::started_at.eq(0_i64),
        snapshots::asked_at.eq(0_i64),
        snapshots::whole.eq(false),
        snapshots::differences.eq(0_i64),
        snapshots::told.eq(0_i64),
        snapshots::due_at.eq(due_at.0),
        snapshots::lease_until.eq(0_i64),
    );
    on_backend!(conn, c => diesel::insert_into(snapshots::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// Takes a tenant's run if nobody holds it, the one who asks included; `false` where somebody does, or there is no row.
///
/// # Errors
/// Those of the database.
pub fn take(conn: &mut Connection, tenant: &TenantId, hold: &Hold<'_>) -> Result<bool> {
    let (now, until) = shared_clock(conn, hold.now, hold.until)?;
    let row = snapshots::table.find(tenant.as_str()).filter(snapshots::lease_until.le(now.0));
    let values = (snapshots::lease_owner.eq(hold.owner), snapshots::lease_until.eq(until.0));
    Ok(on_backend!(conn, c => diesel::update(row).set(values).execute(c))? > 0)
}

/// Frees all runs where only one process can use the database at a time: whoever held them is gone.
///
/// # Errors
/// Those of the database.
pub fn free_leases(conn: &mut Connection) -> Result<()> {
    match conn {
        Connection::Sqlite(c) => {
            diesel::update(snapshots::table).set(snapshots::lease_until.eq(0_i64)).execute(c)?;
        }
        Connection::Postgres(_) => {}
    }
    Ok(())
}

/// Writes how far a run got, and holds it longer; `false` when somebody else took it: then nothing that belongs to this step may be
/// kept. It comes first in a transaction, since it keeps others from taking the run until that ends.
///
/// # Errors
/// Those of the database.
pub fn advance(conn: &mut Connection, tenant: &TenantId, to: &Snapshot, hold: &Hold<'_>) -> Result<bool> {
    let (_, until) = shared_clock(conn, hold.now, hold.until)?;
    let row = snapshots::table.find(tenant.as_str()).filter(snapshots::lease_owner.eq(hold.owner));
    let values = (
        snapshots::run.eq(&to.run),
        snapshots::stage.eq(to.stage.as_str()),
        snapshots::place.eq(&to.place),
        snapshots::started_at.eq(to.started_at.0),
        snapshots::asked_at.eq(to.asked_at.0),
        snapshots::whole.eq(to.is_whole),
        snapshots::done_by.eq(to.done_by.map(|at| at.0)),
        snapshots::differences.eq(signed(to.differences)),
        snapshots::told.eq(signed(to.told)),
        snapshots::due_at.eq(to.due_at.0),
        snapshots::lease_until.eq(until.0),
    );
    Ok(on_backend!(conn, c => diesel::update(row).set(values).execute(c))? > 0)
}

/// Gives a run back, so that another process may go on with it at once.
///
/// # Errors
/// Those of the database.
pub fn give_back(conn: &mut Connection, tenant: &TenantId, owner: &str) -> Result<()> {
    let row = snapshots::table.find(tenant.as_str()).filter(snapshots::lease_owner.eq(owner));
    let values = (snapshots::lease_owner.eq(None::<String>), snapshots::lease_until.eq(0_i64));
    on_backend!(conn, c => diesel::update(row).set(values).execute(c))?;
    Ok(())
}

/// A person decides on a run that is in quarantine; `false` when it is not. Allowed removals pass the brake until `pass_until`; without
/// that time nothing of it is removed.
///
/// # Errors
/// Those of the database.
pub fn decide(conn: &mut Connection, tenant: &TenantId, run: &str, pass_until: Option<UnixMillis>) -> Result<bool> {
    let to = if pass_until.is_some() { Stage::Allowed } else { Stage::Idle };
    let row = snapshots::table
        .find(tenant.as_str())
        .filter(snapshots::run.eq(run))
        .filter(snapshots::stage.eq(Stage::Quarantined.as_str()));
    let values = (snapshots::stage.eq(to.as_str()), snapshots::place.eq(None::<String>));
    let is_decided = on_backend!(conn, c => diesel::update(row).set(values).execute(c))? > 0;
    if let Some(until) = pass_until.filter(|_| is_decided) {
        removals::let_pass(conn, tenant, until)?;
    }
    Ok(is_decided)
}

/// A person allows what a run removes that pulled by itself, whose name is known; `false` when no such run is in quarantine.
///
/// # Errors
/// Those of the database.
pub fn allow(conn: &mut Connection, run: &str, now: UnixMillis) -> Result<bool> {
    answer(conn, run, Some(now.plus_seconds(PASS_SECONDS)))
}

/// A person says no to it; `false` when no such run is in quarantine.
///
/// # Errors
/// Those of the database.
pub fn reject(conn: &mut Connection, run: &str) -> Result<bool> {
    answer(conn, run, None)
}

fn answer(conn: &mut Connection, run: &str, pass_until: Option<UnixMillis>) -> Result<bool> {
    let of = snapshots::table.filter(snapshots::run.eq(run)).select(snapshots::tenant);
    let tenant: Option<String> = on_backend!(conn, c => of.first(c).optional())?;
    let Some(tenant) = tenant.as_deref().map(parse::<TenantId>).transpose()? else { return Ok(false) };
    // The tenant before its run, as everywhere.
    outbox::lock_tenants(conn, [&tenant])?;
    decide(conn, &tenant, run, pass_until)
}

/// Forgets all that was pulled of a tenant, which is removed. Whoever is at it finds that it lost its run.
pub(crate) fn forget(conn: &mut Connection, tenant: &TenantId) -> Result<()> {
    on_backend!(conn, c => diesel::delete(snapshots::table.find(tenant.as_str())).execute(c))?;
    on_backend!(conn, c => diesel::delete(walks::table.find(tenant.as_str())).execute(c))?;
    clear(conn, tenant, None)
}
