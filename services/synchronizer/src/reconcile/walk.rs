//! The endless walk over details: names, numbers, positions and leaders change without a callback (reference wecom 0, dingtalk 6.4), so
//! department after department is asked for, slowly, and behind whatever is more urgent.

use std::{collections::BTreeMap, sync::Arc};

use common::{EntityKey, Observation, TenantId, UnixMillis, jitter_of};
use database::Connection;
use futures::future::join_all;
use outbound::Urgency;
use store::{records, snapshots};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{compare::compare_details, reborn::Reborn};
use crate::{
    companies::Company,
    contacts::{Answer, Contacts, Failure, Roster, Rows, Seen},
    desk::Desk,
    publish::publish,
    pull::row::{Row, department, member},
    questions::{AskedAs, Meant, classify},
    silence,
};

/// Members that are asked for singly with their department, at most: the walk never ends, and all companies together have a limit, too.
const SINGLY: usize = 4;

/// Asks for one department of each tenant at every beat, or of as many tenants as may take a step at once, until the context stops. At most one call of a tenant per beat, and a few where
/// lists tell of members in part, is the walk's share of the rate, however many replicas there are times that.
pub(crate) async fn walk(desk: Arc<Desk>) {
    let every = desk.timing.walk_every;
    let mut beats = interval_at(Instant::now() + every, every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stop = desk.context.stop.clone();
    let mut last = None;
    while stop.run_until_cancelled(beats.tick()).await.is_some() {
        let companies = by_turns(walkers(&desk), &mut last, desk.timing.walkers);
        let steps = companies.into_iter().map(|company| {
            let desk = Arc::clone(&desk);
            async move {
                if let Err(error) = step(&desk, &company).await {
                    tracing::warn!(tenant.id = %company.tenant, error = %format!("{error:#}"), "a step of the walk over details failed");
                }
            }
        });
        let steps: Vec<_> = steps.collect();
        // What is on its way when the process stops is of no use to anybody.
        if stop.run_until_cancelled(join_all(steps)).await.is_none() {
            return;
        }
    }
}

/// One step for each tenant, one after the other.
///
/// # Errors
/// The first one; the others went on all the same.
pub(crate) async fn step_each(desk: &Desk) -> anyhow::Result<()> {
    let mut ended = Ok(());
    for company in walkers(desk) {
        let stepped = step(desk, &company).await;
        ended = ended.and(stepped);
    }
    ended
}

/// Those that have an app to ask with, and whose platform answers.
fn walkers(desk: &Desk) -> Vec<Arc<Company>> {
    let companies = desk.companies().into_iter().filter(|company| company.contacts.reads_details());
    companies.filter(|company| !company.memory().may_be_silent).collect()
}

/// Of all tenants those that come after the last one of the beat before, at most so many.
fn by_turns(mut all: Vec<Arc<Company>>, last: &mut Option<TenantId>, most: usize) -> Vec<Arc<Company>> {
    all.sort_by(|one, other| one.tenant.cmp(&other.tenant));
    if all.len() > most {
        let first = all.partition_point(|company| last.as_ref().is_some_and(|last| company.tenant <= *last));
        all.rotate_left(first);
        all.truncate(most);
        *last = all.last().map(|company| company.tenant.clone());
    }
    all
}

/// The members of the next department, or after the last one all departments.
async fn step(desk: &Desk, company: &Company) -> anyhow::Result<()> {
    let tenant = company.tenant.clone();
    let next = move |conn: &mut Connection| snapshots::walk_on(conn, &tenant);
    let next = desk.context.database.write("synchronizer.walk", next).await?;
    let contacts = company.contacts.with_urgency(Urgency::Backfill);
    let turn = u32::try_from(desk.now().seconds().rem_euclid(i64::from(u32::MAX))).unwrap_or_default();
    for told in ask(&contacts, next.as_deref(), turn).await {
        match told {
            Ok(rows) => publish(desk, company, differing(desk, company, rows).await?).await?,
            Err(error) => give_way(desk, company, &error).await?,
        }
    }
    Ok(())
}

/// The members of a department; after the last one all departments. Where those cannot be had at once, each is asked for along with its
/// members, and where a list of members tells of them in part, some of them are asked for singly, others at each turn.
async fn ask(contacts: &Contacts, id: Option<&str>, turn: u32) -> Vec<Result<Vec<(EntityKey, Row)>, Failure>> {
    let Some(id) = id else {
        let all = contacts.departments().await;
        return all.into_iter().map(|all| all.map(|all| rows(all, department))).collect();
    };
    let mut told = vec![contacts.members(id).await.map(|all| rows(all, member))];
    if matches!(contacts.roster(), Roster::ByDepartment(_)) {
        told.push(contacts.department(id).await.map(|one| vec![department(one.value, one.asked_at)]));
    }
    if contacts.lists_in_part()
        && let Some(Ok(members)) = told.first()
    {
        let single = |id: String| async move { contacts.member(&id).await };
        let singly = join_all(some_of(members, turn).into_iter().map(single)).await;
        told.extend(singly.into_iter().map(|one| one.map(|one| vec![member(one.value, one.asked_at)])));
    }
    told
}

/// The ids of some of these members.
fn some_of(members: &[(EntityKey, Row)], turn: u32) -> Vec<String> {
    let mut drawn: Vec<(f64, &String)> =
        members.iter().map(|(key, row)| (jitter_of(&[&key.id], turn), &row.id)).collect();
    drawn.sort_by(|one, other| one.0.total_cmp(&other.0));
    drawn.into_iter().take(SINGLY).map(|(_, id)| id.clone()).collect()
}

fn rows(told: Answer<Rows<Seen>>, row: impl Fn(Seen, UnixMillis) -> (EntityKey, Row)) -> Vec<(EntityKey, Row)> {
    told.value.rows.into_iter().map(|seen| row(seen, told.asked_at)).collect()
}

async fn differing(desk: &Desk, company: &Company, rows: Vec<(EntityKey, Row)>) -> database::Result<Vec<Observation>> {
    let tenant = company.tenant.clone();
    let compare = move |conn: &mut Connection| -> database::Result<Vec<Observation>> {
        let keys: Vec<EntityKey> = rows.iter().map(|(key, _)| key.clone()).collect();
        let mirror: BTreeMap<EntityKey, records::Row> = records::load(conn, &tenant, &keys)?.into_iter().collect();
        let reborn = Reborn::among(conn, &tenant, mirror.values().map(|row| &row.record))?;
        let differing =
            rows.iter().filter_map(|(key, row)| compare_details(key, row, &mirror.get(key)?.record, &reborn));
        Ok(differing.collect())
    };
    desk.context.database.read("synchronizer.walked", compare).await
}

/// A department that does not answer is passed by; the next round asks again.
async fn give_way(desk: &Desk, company: &Company, error: &Failure) -> database::Result<()> {
    match classify(error, AskedAs::App) {
        Meant::Silent { after } => silence::begin(desk, company, after, error).await,
        Meant::Later { .. } | Meant::Unseen | Meant::TooMuch => Ok(()),
    }
}
