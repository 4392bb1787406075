//! When what is done. Each form is worked on by itself: one that is slow holds up nobody else, and a poll holds up neither hints nor answers.

use std::sync::Arc;

use futures::future::join3;
use store::form_polls;
use tokio::{
    task::{JoinError, JoinSet},
    time::{MissedTickBehavior, interval},
};

use super::{answers, hints, poll, source::Source};
use crate::{desk::Desk, in_hand::InHand};

/// What is done for a form. None of it waits for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Records that somebody hinted at.
    Hints,
    /// Polls.
    Poll,
    /// Outcomes that are written back.
    Answers,
}

/// Polls of a former process are nobody's any more, where there is one process only.
pub(crate) async fn begin(desk: &Desk) {
    if let Err(error) = desk.context.database.write("synchronizer.start-polls", form_polls::free_leases).await {
        tracing::warn!(error = error.label(), "polls of a former process are waited for");
    }
}

/// Looks after forms until the context stops, and then until what is in hand is finished.
pub(crate) async fn watch(desk: Arc<Desk>) {
    begin(&desk).await;
    let beat = |work| Box::pin(beat(Arc::clone(&desk), work));
    join3(beat(Work::Hints), beat(Work::Poll), beat(Work::Answers)).await;
}

/// Does one look of everything for all forms, one after the other.
///
/// # Errors
/// The first one; the others were looked at all the same.
pub(crate) async fn once(desk: &Desk) -> anyhow::Result<()> {
    let mut ended = Ok(());
    for work in [Work::Hints, Work::Poll, Work::Answers] {
        for source in sources(desk) {
            let done = Box::pin(work_on(desk, &source, work)).await;
            ended = ended.and(done);
        }
    }
    ended
}

async fn beat(desk: Arc<Desk>, work: Work) {
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
            _ = beats.tick() => {}
        }
        for source in sources(&desk) {
            if let Some(place) = in_hand.take(&source.tenant) {
                let desk = Arc::clone(&desk);
                turns.spawn(async move {
                    let done = Box::pin(work_on(&desk, &source, work)).await;
                    drop(place);
                    if let Err(error) = done {
                        let error = format!("{error:#}");
                        tracing::warn!(tenant.id = %source.tenant, %error, "the form is looked after again in a while");
                    }
                });
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
        tracing::error!("looking after a form panicked; the process stops");
        desk.context.stop.cancel();
    }
}

/// The forms of tenants of our lanes.
fn sources(desk: &Desk) -> Vec<Arc<Source>> {
    let tenants = desk.context.tenants.snapshot();
    let ours = tenants.iter().filter(|tenant| desk.lanes.contains(&tenant.lane));
    ours.filter_map(|tenant| desk.forms.of(tenant)).collect()
}

async fn work_on(desk: &Desk, source: &Source, work: Work) -> anyhow::Result<()> {
    match work {
        Work::Hints => {
            while !desk.stops() && Box::pin(hints::round(desk, source)).await? {}
            Ok(())
        }
        Work::Poll => Box::pin(poll::look(desk, source)).await,
        Work::Answers => Box::pin(answers::look(desk, source)).await,
    }
}
