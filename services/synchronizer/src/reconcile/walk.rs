//! The endless walk over details: names, numbers, positions and leaders change without a callback (reference wecom 0), so
//! department after department is asked for, slowly, and behind whatever is more urgent.

use std::{collections::BTreeMap, sync::Arc};

use common::{EntityKey, Observation};
use database::Connection;
use outbound::Urgency;
use store::{records, snapshots};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use wecom::api::ApiError;

use super::{compare::compare_details, reborn::Reborn};
use crate::{
    companies::Company,
    desk::Desk,
    publish::publish,
    pull::row::{Row, department, member},
    questions::{AskedAs, Meant, classify},
    silence,
};

/// Asks for one department of each tenant at every beat, until the context stops. At most one call of a tenant per beat is the walk's
/// share of the rate, however many replicas there are times that.
pub(crate) async fn walk(desk: Arc<Desk>) {
    let every = desk.timing.walk_every;
    let mut beats = interval_at(Instant::now() + every, every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stop = desk.context.stop.clone();
    while stop.run_until_cancelled(beats.tick()).await.is_some() {
        let steps = walkers(&desk).into_iter().map(|company| {
            let desk = Arc::clone(&desk);
            async move {
                if let Err(error) = step(&desk, &company).await {
                    tracing::warn!(tenant.id = %company.tenant, error = %format!("{error:#}"), "a step of the walk over details failed");
                }
            }
        });
        let steps: Vec<_> = steps.collect();
        // What is on its way when the process stops is of no use to anybody.
        if stop.run_until_cancelled(futures::future::join_all(steps)).await.is_none() {
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
    let companies = desk.companies().into_iter().filter(|company| company.client.reads_details());
    companies.filter(|company| !company.memory().may_be_silent).collect()
}

/// The members of the next department, or after the last one all departments.
async fn step(desk: &Desk, company: &Company) -> anyhow::Result<()> {
    let tenant = company.tenant.clone();
    let next = move |conn: &mut Connection| snapshots::walk_on(conn, &tenant);
    let next = desk.context.database.write("synchronizer.walk", next).await?;
    let client = company.client.with_urgency(Urgency::Backfill);
    let told = match next {
        Some(id) => client
            .members(&id)
            .await
            .map(|answer| answer.value.rows.into_iter().map(|told| member(told, answer.asked_at)).collect::<Vec<_>>()),
        None => client.departments(None).await.map(|answer| {
            answer.value.rows.into_iter().map(|told| department(told, answer.asked_at)).collect::<Vec<_>>()
        }),
    };
    match told {
        Ok(rows) => Ok(publish(desk, company, differing(desk, company, rows).await?).await?),
        Err(error) => Ok(give_way(desk, company, &error).await?),
    }
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
async fn give_way(desk: &Desk, company: &Company, error: &ApiError) -> database::Result<()> {
    match classify(error, AskedAs::App) {
        Meant::Silent { after } => silence::begin(desk, company, after, error).await,
        Meant::Later { .. } | Meant::Unseen | Meant::TooMuch => Ok(()),
    }
}
