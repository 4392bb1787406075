//! What people, the schedule and retries ask for.

use common::{TenantId, UnixMillis};
use database::{Connection, Result, on_backend};
use diesel::prelude::*;
use directory::plan::Counts;

use super::{Row, Run, RunKind, RunState, Step, Wanted, get, open};
use crate::{
    convert::to_json,
    outbox, removals,
    schema::runs::sync_runs,
    snapshots::{self, PASS_SECONDS},
};

/// A request that is repeated within this time is the same one.
const REPEATED_WITHIN_SECONDS: i64 = 600;

/// A wish for a run.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// How far it is to go by itself.
    pub wanted: Wanted,
    /// Names the request: one that is repeated within ten minutes gets the same run, whatever became of it.
    pub key: Option<&'a str>,
}

/// What came of a decision on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done; this is the run that is to be watched now.
    Done(Run),
    /// Not in the state that this run is in.
    Refused(Run),
    /// There is no such run.
    Unknown,
}

/// Asks for a run of a tenant: its first sync, or a reconciliation once there was one. While one is open, that is the one; it goes on
/// to its end if this is wanted now. A plan that nobody decided on for ten minutes gives way to a new one where only a plan is
/// wanted. `None` when there is no such tenant.
///
/// # Errors
/// Those of the database.
pub fn request(conn: &mut Connection, tenant: &TenantId, wish: Wish<'_>, now: UnixMillis) -> Result<Option<Run>> {
    // Of many who ask at once, one does so first.
    if !outbox::lock_tenants(conn, [tenant])?.contains_key(tenant) {
        return Ok(None);
    }
    let recently = now.plus_seconds(-REPEATED_WITHIN_SECONDS);
    if let Some(key) = wish.key
        && let Some(run) = of_key(conn, tenant, key, recently)?
    {
        return Ok(Some(run));
    }
    if let Some(run) = open(conn, tenant)? {
        let is_old = run.started_at.is_some_and(|at| at < recently);
        if !(run.state == RunState::Planned && wish.wanted == Wanted::Plan && is_old) {
            return go_on(conn, run, wish.wanted).map(Some);
        }
        end(conn, &run.id, RunState::Failed, "a newer plan took its place", now)?;
    }
    let kind = if is_first(conn, tenant)? { RunKind::First } else { RunKind::Reconcile };
    let id = insert(conn, tenant, New { kind, undoes: None, wish, now })?;
    get(conn, &id)
}

/// Asks for the way back from a run that is applied, and for its destinations to be left alone from now on, until a person
/// [resumes](super::resume) them.
///
/// # Errors
/// Those of the database.
pub fn undo(conn: &mut Connection, id: &str, now: UnixMillis) -> Result<Answer> {
    let Some(run) = lock(conn, id)? else { return Ok(Answer::Unknown) };
    if let Some(other) = open(conn, &run.tenant)? {
        let is_ours = other.undoes.as_deref() == Some(id);
        return Ok(if is_ours { Answer::Done(other) } else { Answer::Refused(other) });
    }
    if run.state != RunState::Finished || run.kind == RunKind::Undo {
        return Ok(Answer::Refused(run));
    }
    super::pauses::pause_all(conn, &run, now)?;
    let wish = Wish { wanted: Wanted::Apply, key: None };
    let new = insert(conn, &run.tenant, New { kind: RunKind::Undo, undoes: Some(id), wish, now })?;
    Ok(get(conn, &new)?.map_or(Answer::Unknown, Answer::Done))
}

/// A person allows what a run removes: it goes on as far as was wanted. Where it waits since its pull, that goes on first, and who
/// is missing at the source is removed once that is certain.
///
/// # Errors
/// Those of the database.
pub fn allow(conn: &mut Connection, id: &str, now: UnixMillis) -> Result<Answer> {
    let Some(run) = lock(conn, id)? else { return Ok(Answer::Unknown) };
    if run.state != RunState::Quarantined {
        return Ok(Answer::Refused(run));
    }
    let (state, step) = match (run.step, run.wanted) {
        (Step::Pull, _) => (RunState::Planning, Step::Pull),
        (_, Wanted::Plan) => (RunState::Planned, Step::Ready),
        (_, Wanted::Apply) => (RunState::Applying, Step::Apply),
    };
    if step == Step::Pull {
        let until = now.plus_seconds(PASS_SECONDS);
        // Another pull may have taken the place of the one that was held back: then this run makes a new one.
        if !snapshots::decide(conn, &run.tenant, id, Some(until))? {
            removals::let_pass(conn, &run.tenant, until)?;
        }
    }
    let values = (
        sync_runs::state.eq(state.as_str()),
        sync_runs::step.eq(step.as_str()),
        sync_runs::done.eq(0),
        sync_runs::why.eq(None::<String>),
    );
    on_backend!(conn, c => diesel::update(sync_runs::table.find(id)).set(values).execute(c))?;
    Ok(get(conn, id)?.map_or(Answer::Unknown, Answer::Done))
}

/// A person says no to a plan, whether it is in quarantine or not.
///
/// # Errors
/// Those of the database.
pub fn reject(conn: &mut Connection, id: &str, now: UnixMillis) -> Result<Answer> {
    let Some(run) = lock(conn, id)? else { return Ok(Answer::Unknown) };
    if !matches!(run.state, RunState::Quarantined | RunState::Planned) {
        return Ok(Answer::Refused(run));
    }
    if run.step == Step::Pull {
        snapshots::decide(conn, &run.tenant, id, None)?;
    }
    end(conn, id, RunState::Rejected, "a person said no", now)?;
    Ok(get(conn, id)?.map_or(Answer::Unknown, Answer::Done))
}

/// Ends the open run of a tenant if it is a [forgotten](Run::is_forgotten) plan: nothing else would happen as long as it is there.
///
/// # Errors
/// Those of the database.
pub fn end_forgotten(conn: &mut Connection, tenant: &TenantId, before: UnixMillis, now: UnixMillis) -> Result<()> {
    outbox::lock_tenants(conn, [tenant])?;
    match open(conn, tenant)?.filter(|run| run.is_forgotten(before)) {
        Some(run) => end(conn, &run.id, RunState::Failed, "nobody decided on it", now),
        None => Ok(()),
    }
}

/// A run, with its tenant locked: who decides on it does so alone.
fn lock(conn: &mut Connection, id: &str) -> Result<Option<Run>> {
    let Some(run) = get(conn, id)? else { return Ok(None) };
    outbox::lock_tenants(conn, [&run.tenant])?;
    get(conn, id)
}

/// The open run, which is to go on to its end if that is wanted.
fn go_on(conn: &mut Connection, run: Run, wanted: Wanted) -> Result<Run> {
    if wanted == Wanted::Plan || run.wanted == Wanted::Apply {
        return Ok(run);
    }
    let values = sync_runs::wanted.eq(Wanted::Apply.as_str());
    on_backend!(conn, c => diesel::update(sync_runs::table.find(&run.id)).set(values).execute(c))?;
    apply_if_wanted(conn, &run.id)?;
    Ok(get(conn, &run.id)?.unwrap_or(run))
}

/// A plan that is to be applied is being applied. Whoever makes it planned, and whoever wants it applied, calls this after that: so
/// neither misses the other.
pub(super) fn apply_if_wanted(conn: &mut Connection, id: &str) -> Result<()> {
    let planned = sync_runs::table
        .filter(sync_runs::id.eq(id))
        .filter(sync_runs::state.eq(RunState::Planned.as_str()))
        .filter(sync_runs::wanted.eq(Wanted::Apply.as_str()));
    let values = (
        sync_runs::state.eq(RunState::Applying.as_str()),
        sync_runs::step.eq(Step::Apply.as_str()),
        sync_runs::done.eq(0),
    );
    on_backend!(conn, c => diesel::update(planned).set(values).execute(c))?;
    Ok(())
}

fn end(conn: &mut Connection, id: &str, state: RunState, why: &str, now: UnixMillis) -> Result<()> {
    let values = (
        sync_runs::state.eq(state.as_str()),
        sync_runs::step.eq(Step::Done.as_str()),
        sync_runs::why.eq(why),
        sync_runs::finished_at.eq(now.0),
    );
    on_backend!(conn, c => diesel::update(sync_runs::table.find(id)).set(values).execute(c))?;
    Ok(())
}

fn of_key(conn: &mut Connection, tenant: &TenantId, key: &str, since: UnixMillis) -> Result<Option<Run>> {
    let query = sync_runs::table
        .filter(sync_runs::tenant.eq(tenant.as_str()))
        .filter(sync_runs::request_key.eq(key))
        .filter(sync_runs::requested_at.ge(since.0))
        .order(sync_runs::requested_at.desc());
    let row: Option<Row> = on_backend!(conn, c => query.first(c).optional())?;
    row.map(Row::read).transpose()
}

/// Whether no first sync of the tenant was applied.
fn is_first(conn: &mut Connection, tenant: &TenantId) -> Result<bool> {
    let applied = [RunState::Finished, RunState::Undone];
    let query = sync_runs::table
        .filter(sync_runs::tenant.eq(tenant.as_str()))
        .filter(sync_runs::kind.eq(RunKind::First.as_str()))
        .filter(sync_runs::state.eq_any(applied.map(RunState::as_str)))
        .select(sync_runs::id);
    let found: Option<String> = on_backend!(conn, c => query.first(c).optional())?;
    Ok(found.is_none())
}

/// A row to be made.
struct New<'a> {
    kind: RunKind,
    undoes: Option<&'a str>,
    wish: Wish<'a>,
    now: UnixMillis,
}

fn insert(conn: &mut Connection, tenant: &TenantId, new: New<'_>) -> Result<String> {
    let id = format!("{:012x}", rand::random::<u64>() >> 16);
    // What the source tells has no part in the way back.
    let step = if new.kind == RunKind::Undo { Step::Compare } else { Step::Pull };
    let row = (
        sync_runs::id.eq(&id),
        sync_runs::tenant.eq(tenant.as_str()),
        sync_runs::kind.eq(new.kind.as_str()),
        sync_runs::undoes.eq(new.undoes),
        sync_runs::state.eq(RunState::Planning.as_str()),
        sync_runs::wanted.eq(new.wish.wanted.as_str()),
        sync_runs::step.eq(step.as_str()),
        sync_runs::counts.eq(to_json(&Counts::default())?),
        sync_runs::complete.eq(false),
        sync_runs::request_key.eq(new.wish.key),
        sync_runs::requested_at.eq(new.now.0),
    );
    on_backend!(conn, c => diesel::insert_into(sync_runs::table).values(row).execute(c))?;
    Ok(id)
}
