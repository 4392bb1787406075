//! Who works on a run: one process at a time, and what it records says so.

use common::UnixMillis;
use database::{Connection, Result, on_backend};
use diesel::prelude::*;
use directory::plan::Counts;

use super::{Row, Run, RunState, Step, get, request::apply_if_wanted};
use crate::{
    clock::shared_clock,
    convert::{signed, to_json},
    schema::runs::sync_runs,
};

/// The right to work on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLease {
    /// The run.
    pub run: String,
    /// Who holds it; a name that nobody had before.
    pub owner: String,
}

/// How far a run got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// How it stands.
    pub state: RunState,
    /// What it is at.
    pub step: Step,
    /// How much of the step is done.
    pub done: u64,
    /// Out of how much.
    pub total: u64,
    /// The counts of its plan; `None` leaves what is there.
    pub counts: Option<Counts>,
    /// Whether both sides were whole; `None` leaves what is there.
    pub complete: Option<bool>,
    /// Why it stands so; without personal data.
    pub why: Option<String>,
    /// See [`Run::mirror_version`]; `None` leaves what is there.
    pub mirror_version: Option<u64>,
    /// See [`Run::last_version`]; `None` leaves what is there.
    pub last_version: Option<u64>,
}

impl Update {
    /// A step of a run begins, out of `total`.
    pub const fn new(state: RunState, step: Step, total: u64) -> Self {
        Self {
            state,
            step,
            done: 0,
            total,
            counts: None,
            complete: None,
            why: None,
            mirror_version: None,
            last_version: None,
        }
    }
}

#[derive(AsChangeset)]
#[diesel(table_name = sync_runs)]
struct Values {
    state: &'static str,
    step: &'static str,
    done: i64,
    total: i64,
    counts: Option<String>,
    complete: Option<bool>,
    why: Option<Option<String>>,
    mirror_version: Option<i64>,
    last_version: Option<i64>,
    finished_at: Option<Option<i64>>,
}

/// The row of a run, while its lease is held.
macro_rules! held_by {
    ($lease:expr) => {
        sync_runs::table.find(&$lease.run).filter(sync_runs::lease_owner.eq(&$lease.owner))
    };
}

/// The runs that somebody is to work on, the oldest first.
///
/// # Errors
/// Those of the database.
pub fn at_work(conn: &mut Connection) -> Result<Vec<Run>> {
    let states = [RunState::Planning, RunState::Applying].map(RunState::as_str);
    let query =
        sync_runs::table.filter(sync_runs::state.eq_any(states)).order((sync_runs::requested_at, sync_runs::id));
    let rows: Vec<Row> = on_backend!(conn, c => query.load(c))?;
    rows.into_iter().map(Row::read).collect()
}

/// Takes a run that is to be worked on and that nobody holds at `now`; `None` when there is no such one.
///
/// # Errors
/// Those of the database.
pub fn claim(
    conn: &mut Connection,
    id: &str,
    owner: &str,
    now: UnixMillis,
    until: UnixMillis,
) -> Result<Option<(RunLease, Run)>> {
    let started = now;
    let (now, until) = shared_clock(conn, now, until)?;
    let states = [RunState::Planning, RunState::Applying].map(RunState::as_str);
    let free = || {
        sync_runs::table
            .filter(sync_runs::id.eq(id))
            .filter(sync_runs::state.eq_any(states))
            .filter(sync_runs::lease_until.le(now.0))
    };
    let values = (sync_runs::lease_owner.eq(owner), sync_runs::lease_until.eq(until.0));
    if on_backend!(conn, c => diesel::update(free()).set(values).execute(c))? == 0 {
        return Ok(None);
    }
    let unstarted = sync_runs::table.filter(sync_runs::id.eq(id)).filter(sync_runs::started_at.is_null());
    on_backend!(conn, c => diesel::update(unstarted).set(sync_runs::started_at.eq(started.0)).execute(c))?;
    let lease = RunLease { run: id.to_owned(), owner: owner.to_owned() };
    Ok(get(conn, id)?.map(|run| (lease, run)))
}

/// Holds it longer; `false` when it is lost.
///
/// # Errors
/// Those of the database.
pub fn renew(conn: &mut Connection, lease: &RunLease, now: UnixMillis, until: UnixMillis) -> Result<bool> {
    let (_, until) = shared_clock(conn, now, until)?;
    set_until(conn, lease, until)
}

/// Gives it back, so that another may go on at once.
///
/// # Errors
/// Those of the database.
pub fn release(conn: &mut Connection, lease: &RunLease) -> Result<()> {
    set_until(conn, lease, UnixMillis(0)).map(drop)
}

fn set_until(conn: &mut Connection, lease: &RunLease, until: UnixMillis) -> Result<bool> {
    let values = sync_runs::lease_until.eq(until.0);
    Ok(on_backend!(conn, c => diesel::update(held_by!(lease)).set(values).execute(c))? > 0)
}

/// Whether it is still held, for a transaction that records something under it: until that ends nobody else gets it.
///
/// # Errors
/// Those of the database.
pub fn holds(conn: &mut Connection, lease: &RunLease) -> Result<bool> {
    let query = held_by!(lease).select(sync_runs::id);
    let found: Option<String> = match conn {
        Connection::Sqlite(c) => query.first(c).optional()?,
        Connection::Postgres(c) => query.for_no_key_update().first(c).optional()?,
    };
    Ok(found.is_some())
}

/// Records how far a run got; `false` when the lease is lost, and nothing was recorded.
///
/// # Errors
/// Those of the database.
pub fn update(conn: &mut Connection, lease: &RunLease, new: &Update, now: UnixMillis) -> Result<bool> {
    let values = Values {
        state: new.state.as_str(),
        step: new.step.as_str(),
        done: signed(new.done),
        total: signed(new.total),
        counts: new.counts.as_ref().map(to_json).transpose()?,
        complete: new.complete,
        why: Some(new.why.clone()),
        mirror_version: new.mirror_version.map(signed),
        last_version: new.last_version.map(signed),
        finished_at: Some((!new.state.is_open()).then_some(now.0)),
    };
    let is_ours = on_backend!(conn, c => diesel::update(held_by!(lease)).set(values).execute(c))? > 0;
    if is_ours && new.state == RunState::Planned {
        apply_if_wanted(conn, &lease.run)?;
    }
    Ok(is_ours)
}

/// The way back from a run is done: it is undone.
///
/// # Errors
/// Those of the database.
pub fn undone(conn: &mut Connection, id: &str) -> Result<()> {
    let finished =
        sync_runs::table.filter(sync_runs::id.eq(id)).filter(sync_runs::state.eq(RunState::Finished.as_str()));
    let values = sync_runs::state.eq(RunState::Undone.as_str());
    on_backend!(conn, c => diesel::update(finished).set(values).execute(c))?;
    Ok(())
}

/// Frees all leases where only one process can use the database at a time: whoever held them is gone.
///
/// # Errors
/// Those of the database.
pub fn free_leases(conn: &mut Connection) -> Result<()> {
    match conn {
        Connection::Sqlite(c) => {
            diesel::update(sync_runs::table).set(sync_runs::lease_until.eq(0)).execute(c)?;
        }
        Connection::Postgres(_) => {}
    }
    Ok(())
}
