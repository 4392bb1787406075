//! When what is done: questions of days and approvals as they come, and everything that takes longer beside them. Each tenant is worked on
//! by itself: one that is slow holds up nobody else.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use common::{Platform, TenantId};
use database::Connection;
use futures::future::join;
use store::{failed_pushes, questions, record_runs, repulls};
use tokio::{
    task::{JoinError, JoinSet},
    time::{MissedTickBehavior, interval},
};

use super::{App, approvals, compared, days, failed, looks, people, retold};
use crate::{companies::Company, desk::Desk, in_hand::InHand};

/// What is done for a tenant. None of it waits for the others: approvals are slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Questions about days.
    Days,
    /// Questions about approvals.
    Approvals,
    /// Failed pushes, people, comparisons.
    Tend,
}

/// Comparisons of a former process are nobody's any more, where there is one process only.
pub(crate) async fn begin(desk: &Desk) {
    if let Err(error) = desk.context.database.write("synchronizer.start-records", record_runs::free_leases).await {
        tracing::warn!(error = error.label(), "comparisons of a former process are waited for");
    }
}

/// Answers questions about days and approvals until the context stops, and then until what is in hand is finished.
pub(crate) async fn watch(desk: Arc<Desk>) {
    let days = Box::pin(beat(Arc::clone(&desk), desk.timing.look_every, Work::Days));
    let approvals = Box::pin(beat(Arc::clone(&desk), desk.timing.look_every, Work::Approvals));
    join(days, approvals).await;
    // What was counted last.
    desk.companies.meters().write_all().await;
}

/// Looks after failed pushes, people and comparisons, in the same way.
pub(crate) async fn tend(desk: Arc<Desk>) {
    begin(&desk).await;
    beat(Arc::clone(&desk), desk.timing.tend_every, Work::Tend).await;
    desk.companies.meters().write_all().await;
}

/// Does one look of everything for all tenants, one after the other.
///
/// # Errors
/// The first one; the others were looked at all the same.
pub(crate) async fn once(desk: &Desk) -> anyhow::Result<()> {
    let mut ended = Ok(());
    for work in [Work::Days, Work::Approvals, Work::Tend] {
        for company in to_do(desk, work).await {
            let done = Box::pin(work_on(desk, &company, work)).await;
            ended = ended.and(done);
        }
    }
    desk.companies.meters().write_all().await;
    ended
}

async fn beat(desk: Arc<Desk>, every: Duration, work: Work) {
    let mut beats = interval(every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let in_hand = InHand::default();
    let mut turns: JoinSet<()> = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = desk.context.stop.cancelled() => break,
            Some(ended) = turns.join_next(), if !turns.is_empty() => {
                noted(&desk, ended);
                continue;
            }
            _ = beats.tick() => {}
        }
        for company in to_do(&desk, work).await {
            if let Some(place) = in_hand.take(&company.tenant) {
                let desk = Arc::clone(&desk);
                turns.spawn(async move {
                    let done = Box::pin(work_on(&desk, &company, work)).await;
                    drop(place);
                    if let Err(error) = done {
                        let error = format!("{error:#}");
                        tracing::warn!(tenant.id = %company.tenant, %error, "attendance and approvals are looked after again in a while");
                    }
                });
            }
        }
        if work == Work::Days {
            desk.companies.meters().write_all().await;
        }
    }
    while let Some(ended) = turns.join_next().await {
        noted(&desk, ended);
    }
}

/// A turn that panics is a fault of ours, as any task of the process.
fn noted(desk: &Desk, ended: Result<(), JoinError>) {
    if ended.is_err() {
        tracing::error!("asking for attendance and approvals panicked; the process stops");
        desk.context.stop.cancel();
    }
}

/// Companies with an app for which there may be something to do.
async fn to_do(desk: &Desk, work: Work) -> Vec<Arc<Company>> {
    let mut companies = desk.companies();
    companies.retain(|company| company.dingtalk.is_some());
    if companies.is_empty() {
        return companies;
    }
    let now = desk.now();
    let due = move |conn: &mut Connection| -> database::Result<BTreeSet<TenantId>> {
        if work == Work::Tend {
            let mut due = failed_pushes::tenants_under_way(conn)?;
            due.append(&mut record_runs::tenants_to_compare(conn, now)?);
            return Ok(due);
        }
        let mut due: BTreeSet<TenantId> = questions::tenants_with_due(conn, now)?.into_iter().collect();
        due.extend(repulls::tenants_with_due(conn, now)?);
        Ok(due)
    };
    // People of two platforms are looked at one by one: who they are changes with either directory.
    let is_due_here = |company: &Company| {
        let is_time = company.dingtalk.as_ref().is_some_and(|app| app.memory().failed_due_at <= now);
        work == Work::Tend && (is_time || company.platform != Platform::Dingtalk)
    };
    match desk.context.database.read("synchronizer.due-records", due).await {
        Ok(due) => companies.retain(|company| due.contains(&company.tenant) || is_due_here(company)),
        Err(error) => {
            tracing::warn!(error = error.label(), "cannot look for questions; trying again");
            companies.clear();
        }
    }
    companies
}

async fn work_on(desk: &Desk, company: &Company, work: Work) -> anyhow::Result<()> {
    let Some(app) = &company.dingtalk else { return Ok(()) };
    match work {
        Work::Days => answer_days(desk, company, app).await,
        Work::Approvals => answer_approvals(desk, company, app).await,
        Work::Tend => look_after(desk, company, app).await,
    }
}

/// Takes the looks that are due, and asks about days, round after round.
async fn answer_days(desk: &Desk, company: &Company, app: &App) -> anyhow::Result<()> {
    while !desk.stops() && looks::take(desk, company).await? {}
    let mut gathers = false;
    while !desk.stops() && Box::pin(days::round(desk, company, app, &mut gathers)).await? {}
    Ok(())
}

/// Asks about approvals, round after round.
async fn answer_approvals(desk: &Desk, company: &Company, app: &App) -> anyhow::Result<()> {
    while !desk.stops() && Box::pin(approvals::round(desk, company, app)).await? {}
    Ok(())
}

async fn look_after(desk: &Desk, company: &Company, app: &App) -> anyhow::Result<()> {
    let read = Box::pin(failed::look(desk, company, app)).await;
    let matched = Box::pin(people::match_again(desk, company, app)).await.map_err(anyhow::Error::from);
    let told = Box::pin(retold::tell_again(desk, company, app)).await;
    let compared = Box::pin(compared::look(desk, company, app)).await;
    read.and(matched).and(told).and(compared)
}
