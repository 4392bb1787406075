//! Who does it: goes through a plan.

use std::{collections::BTreeMap, sync::Arc};

use tokio::time::{Instant, sleep, sleep_until};

use super::{
    fault::{Blow, Fault, Harm, OnServer, OnService},
    site::Site,
};
use crate::Bridge;

/// What was done in all.
#[derive(Debug, Clone, Default)]
pub(super) struct Toll {
    /// By sort.
    pub(super) faults: BTreeMap<&'static str, usize>,
    /// By victim.
    pub(super) kills: BTreeMap<&'static str, usize>,
    /// Faults after which one message may have come to an OA a second time, as it was.
    pub(super) may_repeat: usize,
    /// Processes that were killed, ended again while they were starting, as without the database, and were started once more.
    pub(super) started_again: usize,
    /// A process ended though nobody had told it to.
    pub(super) ended_by_itself: bool,
}

impl Toll {
    fn note(&mut self, harm: &impl Harm) {
        *self.faults.entry(harm.kind()).or_default() += 1;
        if let Some(victim) = harm.kills() {
            *self.kills.entry(victim).or_default() += 1;
        }
        self.may_repeat += usize::from(harm.may_repeat());
    }

    pub(super) fn plus(mut self, more: &Self) -> Self {
        for (sort, count) in &more.faults {
            *self.faults.entry(*sort).or_default() += count;
        }
        for (victim, count) in &more.kills {
            *self.kills.entry(*victim).or_default() += count;
        }
        self.may_repeat += more.may_repeat;
        self.started_again += more.started_again;
        self.ended_by_itself |= more.ended_by_itself;
        self
    }
}

/// Does to the services what is planned; all of them run when this returns.
pub(super) async fn haunt_services(bridge: &mut Bridge, faults: &[Fault<OnService>], began: Instant) -> Toll {
    let mut toll = Toll::default();
    for Fault { at, lasts, what } in faults {
        sleep_until(began + *at).await;
        // Before it is killed, which would hide that.
        toll.ended_by_itself |= bridge.has_ended();
        match what.blow {
            Blow::Kill => {
                bridge.kill_replica(what.service, what.replica);
                sleep(*lasts).await;
                toll.started_again += bridge.supervise().await;
            }
            Blow::Stop => {
                bridge.pause(what.service, what.replica);
                sleep(*lasts).await;
                bridge.resume(what.service, what.replica);
            }
        }
        toll.note(what);
    }
    toll
}

/// Does to RabbitMQ and PostgreSQL what is planned; both run when this returns.
pub(super) async fn haunt_servers(site: Arc<Site>, faults: Vec<Fault<OnServer>>, began: Instant) -> Toll {
    let mut toll = Toll::default();
    for fault in &faults {
        sleep_until(began + fault.at).await;
        site.suffer(fault).await;
        toll.note(&fault.what);
    }
    toll
}
