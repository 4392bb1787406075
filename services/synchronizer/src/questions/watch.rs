//! Looks for questions that are due, and lets each tenant's be worked on by itself: one that is slow or silent holds up
//! nobody else.

use std::{collections::BTreeSet, sync::Arc};

use common::TenantId;
use database::Connection;
use store::questions;
use tokio::{
    task::{JoinError, JoinSet},
    time::{MissedTickBehavior, interval},
};

use super::round::round;
use crate::{
    companies::Company,
    desk::Desk,
    in_hand::{InHand, Place},
    silence,
    synchronizer::Bell,
};

/// Runs until the context stops, and then until what is in hand is finished.
pub(crate) async fn watch(desk: Arc<Desk>, bell: Bell) {
    let mut beats = interval(desk.timing.look_every);
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
            () = bell.rung() => {}
            _ = beats.tick() => {}
        }
        for company in to_do(&desk).await {
            if let Some(place) = in_hand.take(&company.tenant) {
                turns.spawn(turn(Arc::clone(&desk), company, place));
            }
        }
    }
    while let Some(ended) = turns.join_next().await {
        noted(&desk, ended);
    }
}

/// A turn that panics is a fault of ours, as any task of the process.
fn noted(desk: &Desk, ended: Result<(), JoinError>) {
    if ended.is_err() {
        tracing::error!("asking a platform panicked; the process stops");
        desk.context.stop.cancel();
    }
}

/// Companies with questions that are due, and those whose platform may be silent and is to be asked whether it is.
async fn to_do(desk: &Desk) -> Vec<Arc<Company>> {
    let now = desk.now();
    let due = move |conn: &mut Connection| questions::tenants_with_due(conn, now);
    let due: BTreeSet<TenantId> = match desk.context.database.read("synchronizer.due", due).await {
        Ok(due) => due.into_iter().collect(),
        Err(error) => {
            tracing::warn!(error = error.label(), "cannot look for questions; trying again");
            return Vec::new();
        }
    };
    let mut companies = desk.companies();
    companies.retain(|company| due.contains(&company.tenant) || company.memory().may_be_silent);
    companies
}

async fn turn(desk: Arc<Desk>, company: Arc<Company>, _place: Place) {
    if let Err(error) = answer(&desk, &company).await {
        tracing::warn!(tenant.id = %company.tenant, error = %format!("{error:#}"), "questions are asked again in a while");
    }
}

/// Asks what is due of all tenants, one after the other.
///
/// # Errors
/// The first one; the others were asked all the same.
pub(crate) async fn once(desk: &Desk) -> anyhow::Result<()> {
    let mut ended = Ok(());
    for company in to_do(desk).await {
        let answered = answer(desk, &company).await;
        ended = ended.and(answered);
    }
    ended
}

/// Asks what is due of a tenant, round after round.
async fn answer(desk: &Desk, company: &Arc<Company>) -> anyhow::Result<()> {
    while !desk.stops() && look(desk, company).await? {}
    Ok(())
}

async fn look(desk: &Desk, company: &Arc<Company>) -> anyhow::Result<bool> {
    if silence::holds(desk, company).await? {
        return Ok(false);
    }
    round(desk, company).await
}
