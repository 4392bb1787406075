//! When a run begins: when it is due, when callbacks may be missing, and when one was left in the middle. At most one run of a
//! tenant at a time, over all replicas.

use std::sync::Arc;

use common::{TenantId, UnixMillis, jitter_of};
use database::Connection;
use store::{
    gaps,
    runs::{self, Run, RunState},
    snapshots::{self, Hold, Snapshot, Stage},
};
use tokio::{
    task::{JoinError, JoinSet},
    time::{MissedTickBehavior, interval},
};

use super::run::{begin as begin_run, go_on, rename};
use crate::{
    companies::Company,
    desk::Desk,
    in_hand::{InHand, Place},
    silence,
};

/// Runs until the context stops; the step in hand is finished, and the next process goes on from there. A long run of one tenant
/// holds up nobody else.
pub(crate) async fn schedule(desk: Arc<Desk>) {
    begin(&desk).await;
    let mut beats = interval(desk.timing.runs_every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let in_hand = InHand::default();
    let mut runs: JoinSet<()> = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = desk.context.stop.cancelled() => break,
            Some(ended) = runs.join_next(), if !runs.is_empty() => {
                noted(&desk, ended);
                continue;
            }
            _ = beats.tick() => {}
        }
        for company in to_do(&desk).await {
            if let Some(place) = in_hand.take(&company.tenant) {
                runs.spawn(turn(Arc::clone(&desk), company, place));
            }
        }
    }
    while let Some(ended) = runs.join_next().await {
        noted(&desk, ended);
    }
}

/// Those that there may be something to do for: of all tenants one question tells that, and mostly of none.
async fn to_do(desk: &Desk) -> Vec<Arc<Company>> {
    let now = desk.now();
    let quiet = desk.context.database.read("synchronizer.quiet", move |conn| snapshots::quiet(conn, now)).await;
    match quiet {
        Ok(quiet) => desk.companies().into_iter().filter(|company| !quiet.contains(&company.tenant)).collect(),
        Err(error) => {
            tracing::warn!(error = error.label(), "cannot look for runs that are due; trying again");
            Vec::new()
        }
    }
}

/// Runs of a former process are nobody's any more, where there is one process only.
pub(crate) async fn begin(desk: &Desk) {
    if let Err(error) = desk.context.database.write("synchronizer.start", snapshots::free_leases).await {
        tracing::warn!(error = error.label(), "runs of a former process are waited for");
    }
}

/// One look at all tenants, one after the other.
///
/// # Errors
/// The first one; the others were looked at all the same.
pub(crate) async fn once(desk: &Desk) -> anyhow::Result<()> {
    let mut ended = Ok(());
    for company in desk.companies() {
        let looked = look(desk, &company).await;
        ended = ended.and(looked);
    }
    ended
}

/// A run that panics is a fault of ours, as any task of the process.
fn noted(desk: &Desk, ended: Result<(), JoinError>) {
    if ended.is_err() {
        tracing::error!("a run panicked; the process stops");
        desk.context.stop.cancel();
    }
}

async fn turn(desk: Arc<Desk>, company: Arc<Company>, _place: Place) {
    if let Err(error) = look(&desk, &company).await {
        tracing::warn!(tenant.id = %company.tenant, error = %format!("{error:#}"), "a run goes on in a while");
    }
}

async fn look(desk: &Desk, company: &Company) -> anyhow::Result<()> {
    let (tenant, now, before) = (company.tenant.clone(), desk.now(), before(desk));
    let wanted = move |conn: &mut Connection| is_wanted(conn, &tenant, now, before);
    if !desk.context.database.read("synchronizer.runs", wanted).await? || silence::holds(desk, company).await? {
        return Ok(());
    }
    let Some(at) = take(desk, company, Only::Wanted).await? else { return Ok(()) };
    let at = if is_over(&at) {
        begin_run(desk, company, service::new_instance(), due_at(desk, company)).await?
    } else {
        Some(at)
    };
    work(desk, company, at, 1.0).await
}

/// Pulls and compares under that name, or goes on with the run of that name; returns it once it is over. What is under way already, by
/// whomever, will do too, and bears that name then. `None`: not yet.
///
/// # Errors
/// When the queue or the database fails. The run goes on where it was.
pub(crate) async fn pull_for(desk: &Desk, company: &Company, name: &str) -> anyhow::Result<Option<Snapshot>> {
    if silence::holds(desk, company).await? {
        anyhow::bail!("the platform is silent");
    }
    let Some(mut at) = take(desk, company, Only::Free).await? else {
        if let Some(other) = newest(desk, company).await?.filter(|at| !is_over(at)) {
            company.memory().awaited = Some((name.to_owned(), other.run));
        }
        return Ok(None);
    };
    let is_awaited = company.memory().awaited.as_ref() == Some(&(name.to_owned(), at.run.clone()));
    // One with a hole will not do.
    let is_adopted = at.run != name && at.is_whole && (is_awaited || !is_over(&at));
    if is_adopted {
        name.clone_into(&mut at.run);
    }
    let at = match is_over(&at) {
        true if is_adopted => {
            rename(desk, company, at).await?;
            None
        }
        true if at.run == name => None,
        true => begin_run(desk, company, name.to_owned(), due_at(desk, company)).await?,
        false => Some(at),
    };
    work(desk, company, at, Run::PULLED).await?;
    Ok(newest(desk, company).await?.filter(|at| at.run == name && is_over(at)))
}

/// Works on a run that is held, and gives it back.
async fn work(desk: &Desk, company: &Company, at: Option<Snapshot>, share: f64) -> anyhow::Result<()> {
    let worked = match at {
        Some(at) => go_on(desk, company, at, share).await,
        None => Ok(()),
    };
    let (tenant, owner) = (company.tenant.clone(), desk.context.instance.clone());
    let back = move |conn: &mut Connection| snapshots::give_back(conn, &tenant, &owner);
    desk.context.database.write("synchronizer.give-back", back).await?;
    worked
}

async fn newest(desk: &Desk, company: &Company) -> database::Result<Option<Snapshot>> {
    let tenant = company.tenant.clone();
    desk.context.database.read("synchronizer.newest", move |conn| snapshots::get(conn, &tenant)).await
}

const fn is_over(at: &Snapshot) -> bool {
    matches!(at.stage, Stage::Idle | Stage::Quarantined)
}

/// Whether a tenant has a run that was left in the middle, or one that is due and that nobody else makes.
fn is_wanted(conn: &mut Connection, tenant: &TenantId, now: UnixMillis, before: UnixMillis) -> database::Result<bool> {
    if snapshots::get(conn, tenant)?.is_some_and(|at| !is_over(&at)) {
        return Ok(true);
    }
    Ok(is_due(conn, tenant, now)? && !is_anothers(conn, tenant, before)?)
}

/// Whether it is time to pull: by the clock, or since callbacks may be missing.
///
/// # Errors
/// Those of the database.
pub(crate) fn is_due(conn: &mut Connection, tenant: &TenantId, now: UnixMillis) -> database::Result<bool> {
    let Some(at) = snapshots::get(conn, tenant)? else { return Ok(true) };
    if at.due_at <= now {
        return Ok(true);
    }
    // A run that began after the gap found what came of it.
    Ok(gaps::get(conn, tenant)?.is_some_and(|gap| gap.until >= at.started_at))
}

/// Whether a run against the products pulls: one that is asked for, or that will be now that it is time. Before the first sync is
/// applied none comes by itself, and one that is past its pull may wait for a person or for a product that is away. A plan that was
/// asked for before that time and that nobody decided on is in nobody's way.
fn is_anothers(conn: &mut Connection, tenant: &TenantId, before: UnixMillis) -> database::Result<bool> {
    match runs::open(conn, tenant)?.filter(|run| !run.is_forgotten(before)) {
        Some(run) => Ok((run.state, run.step) == (RunState::Planning, runs::Step::Pull)),
        None => Ok(runs::last_finished(conn, tenant)?.is_some()),
    }
}

/// When a run is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    /// If nobody is at it.
    Free,
    /// If nobody is at it, and it is due or was left in the middle.
    Wanted,
}

/// Takes the run of a tenant, if nobody is at it: also not this process, which may be asked for it twice.
async fn take(desk: &Desk, company: &Company, only: Only) -> database::Result<Option<Snapshot>> {
    let (tenant, owner) = (company.tenant.clone(), desk.context.instance.clone());
    let (now, until) = desk.hold();
    let before = before(desk);
    let take = move |conn: &mut Connection| -> database::Result<Option<Snapshot>> {
        snapshots::announce(conn, &tenant, now)?;
        if !snapshots::take(conn, &tenant, &Hold { owner: &owner, now, until })? {
            return Ok(None);
        }
        // Looked at again now that it is held: another replica may just have done it.
        if only == Only::Wanted && !is_wanted(conn, &tenant, now, before)? {
            snapshots::give_back(conn, &tenant, &owner)?;
            return Ok(None);
        }
        snapshots::get(conn, &tenant)
    };
    desk.context.database.write("synchronizer.take", take).await
}

/// What was asked for before this is old by now.
fn before(desk: &Desk) -> UnixMillis {
    desk.now().plus_seconds(-i64::try_from(desk.config.reconcile_every_seconds).unwrap_or(i64::MAX))
}

/// When the next run is due.
fn due_at(desk: &Desk, company: &Company) -> UnixMillis {
    let attempt = u32::try_from(desk.now().seconds().rem_euclid(i64::from(u32::MAX))).unwrap_or_default();
    desk.due_again(desk.config.reconcile_every_seconds, jitter_of(&[company.tenant.as_str()], attempt))
}
