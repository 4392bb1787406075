//! What happens when: drawn from a seed.
//!
//! There are two lists, which are gone through side by side: what happens to the services may meet what happens to RabbitMQ and
//! PostgreSQL. Within a list one thing is over before the next one begins.

use std::{fmt, ops::RangeInclusive, time::Duration};

use test_kit::{Server, Shutdown};

use super::{
    dice::Dice,
    fault::{Blow, Disk, Fault, Harm, OnServer, OnService},
};
use crate::Service;

/// Keeps a plan from following the company of the same seed.
const SALT: u64 = 0x0bad_cafe;
/// How many processes each service has.
const REPLICAS: usize = 2;
/// In how many kills each other sort of fault comes once.
const KILLS_PER_ROUND: usize = 10;
/// A sink that stands still for so long loses its leases, which hold for a minute.
const PAST_THE_LEASE: u64 = 70_000;

/// Something that is to happen, and how long it is to last, in milliseconds.
type Wish<H> = (H, RangeInclusive<u64>);

/// What happens when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) on_services: Vec<Fault<OnService>>,
    pub(super) on_servers: Vec<Fault<OnServer>>,
}

impl Plan {
    /// About a minute with everything in it that needs no disk of its own. RabbitMQ, which takes long to come back, is killed once.
    pub(super) fn short(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ SALT);
        let mut services = Vec::new();
        for service in [Service::CallbackGateway, Service::Resolver] {
            services.push((on(Blow::Kill, service, 0), 300..=3000));
            services.push((on(Blow::Kill, service, 1), 300..=3000));
        }
        for service in Service::ALL {
            services.push((on(Blow::Stop, service, dice.below(REPLICAS)), 2000..=6000));
        }
        dice.shuffle(&mut services);
        // Soon, since until its leases have run out nobody else delivers what it did; but something is to be delivered before.
        services.insert(2, (on(Blow::Kill, Service::Sink, dice.below(REPLICAS)), 300..=1500));
        let stopped = if dice.below(2) == 0 { Server::RabbitMq } else { Server::Postgres };
        let shutdown = if dice.below(2) == 0 { Shutdown::Fast } else { Shutdown::Immediate };
        let mut servers = vec![
            (OnServer::Kill(Server::RabbitMq), 300..=2000),
            (OnServer::Kill(Server::Postgres), 300..=3000),
            (OnServer::Stop(stopped), 2000..=4000),
            (OnServer::Cut(Server::RabbitMq), 0..=0),
            (OnServer::Cut(Server::Postgres), 0..=0),
            (OnServer::Hole(Server::RabbitMq), 2000..=5000),
            (OnServer::Hole(Server::Postgres), 2000..=4000),
            (OnServer::Alarm, 2000..=4000),
            (OnServer::Restart(shutdown), 0..=0),
            (OnServer::Terminate, 0..=0),
        ];
        dice.shuffle(&mut servers);
        Self {
            on_services: lay(&mut dice, services, &(1000..=4500)),
            on_servers: lay(&mut dice, servers, &(800..=3000)),
        }
    }

    /// So many kills, spread over gateway, resolver, sink, RabbitMQ and PostgreSQL, and the other sorts of faults in proportion.
    /// Full disks only where there are small ones.
    pub(super) fn long(seed: u64, kills: usize, has_small_disks: bool) -> Self {
        let mut dice = Dice::new(seed ^ SALT);
        let (mut services, mut servers) = (Vec::new(), Vec::new());
        for number in 0..kills {
            let kill = |service, dice: &mut Dice| (on(Blow::Kill, service, dice.below(REPLICAS)), 300..=4000);
            match number % 5 {
                0 => services.push(kill(Service::CallbackGateway, &mut dice)),
                1 => services.push(kill(Service::Resolver, &mut dice)),
                2 => services.push(kill(Service::Sink, &mut dice)),
                3 => servers.push((OnServer::Kill(Server::RabbitMq), 300..=4000)),
                _ => servers.push((OnServer::Kill(Server::Postgres), 300..=4000)),
            }
        }
        for round in 0..kills.div_ceil(KILLS_PER_ROUND) {
            for service in Service::ALL {
                services.push((on(Blow::Stop, service, dice.below(REPLICAS)), 2000..=12_000));
            }
            for server in [Server::RabbitMq, Server::Postgres] {
                servers.push((OnServer::Stop(server), 2000..=10_000));
                servers.push((OnServer::Cut(server), 0..=0));
                servers.push((OnServer::Hole(server), 2000..=10_000));
            }
            let shutdown = if round % 2 == 1 { Shutdown::Fast } else { Shutdown::Immediate };
            servers.push((OnServer::Restart(shutdown), 0..=0));
            servers.push((OnServer::Terminate, 0..=0));
            servers.push((OnServer::Alarm, 3000..=10_000));
        }
        services.push((on(Blow::Stop, Service::Sink, dice.below(REPLICAS)), PAST_THE_LEASE..=PAST_THE_LEASE));
        if has_small_disks {
            servers.push((OnServer::FullDisk(Disk::Postgres), 5000..=10_000));
            servers.push((OnServer::FullDisk(Disk::Spool), 6000..=10_000));
        }
        dice.shuffle(&mut services);
        dice.shuffle(&mut servers);
        Self {
            on_services: lay(&mut dice, services, &(1000..=8000)),
            on_servers: lay(&mut dice, servers, &(1000..=8000)),
        }
    }

    /// When all of it should be over.
    pub(super) fn ends(&self) -> Duration {
        let services = self.on_services.last().map(end);
        let servers = self.on_servers.last().map(end);
        services.max(servers).unwrap_or_default()
    }

    /// Whether PostgreSQL's disk runs full in it.
    pub(super) fn fills_postgres(&self) -> bool {
        self.on_servers.iter().any(|fault| fault.what == OnServer::FullDisk(Disk::Postgres))
    }
}

/// For who wants to know beforehand.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<(Duration, String)> = self.on_services.iter().map(line).collect();
        lines.extend(self.on_servers.iter().map(line));
        lines.sort();
        lines.into_iter().try_for_each(|(_, line)| writeln!(f, "{line}"))
    }
}

fn line<H: Harm>(fault: &Fault<H>) -> (Duration, String) {
    let Fault { at, lasts, what } = fault;
    (*at, format!("{:7.1} s  {what}, {:.1} s", at.as_secs_f64(), lasts.as_secs_f64()))
}

fn end<H: Harm>(fault: &Fault<H>) -> Duration {
    fault.at + fault.lasts + fault.what.takes()
}

const fn on(blow: Blow, service: Service, replica: usize) -> OnService {
    OnService { blow, service, replica }
}

/// One after the other, with gaps of so many milliseconds.
fn lay<H: Harm>(dice: &mut Dice, wishes: Vec<Wish<H>>, gaps: &RangeInclusive<u64>) -> Vec<Fault<H>> {
    let mut faults = Vec::with_capacity(wishes.len());
    let mut free = Duration::ZERO;
    for (what, lasting) in wishes {
        let fault = Fault { at: free + dice.time(gaps), lasts: dice.time(&lasting), what };
        free = end(&fault);
        faults.push(fault);
    }
    faults
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn kills(plan: &Plan) -> BTreeMap<&'static str, usize> {
        let mut kills = BTreeMap::new();
        let services = plan.on_services.iter().filter_map(|fault| fault.what.kills());
        for victim in services.chain(plan.on_servers.iter().filter_map(|fault| fault.what.kills())) {
            *kills.entry(victim).or_default() += 1;
        }
        kills
    }

    #[test]
    fn a_seed_is_a_plan() {
        assert_eq!(Plan::short(3), Plan::short(3));
        assert_ne!(Plan::short(3), Plan::short(4));
        assert_eq!(Plan::long(3, 30, true), Plan::long(3, 30, true));
    }

    #[test]
    fn the_short_form_kills_all_five_within_its_time() {
        for seed in 0..200 {
            let plan = Plan::short(seed);
            assert_eq!(kills(&plan).len(), 5, "{plan}");
            assert!(plan.ends() < Duration::from_secs(80), "{plan}");
            let sink = OnService::kills(&on(Blow::Kill, Service::Sink, 0));
            let killed = plan.on_services.iter().find(|fault| fault.what.kills() == sink).unwrap();
            assert!(killed.at < Duration::from_secs(30), "{plan}");
        }
    }

    #[test]
    fn the_long_form_spreads_its_kills_and_has_every_sort() {
        let plan = Plan::long(1, 30, true);
        assert!(kills(&plan).values().all(|count| *count == 6), "{plan}");
        let sorts: std::collections::BTreeSet<&str> = plan.on_servers.iter().map(|fault| fault.what.kind()).collect();
        assert_eq!(sorts.len(), 8, "{plan}");
        assert!(plan.fills_postgres() && !Plan::long(1, 30, false).fills_postgres());
        let longest = plan.on_services.iter().map(|fault| fault.lasts).max();
        assert_eq!(longest, Some(Duration::from_millis(PAST_THE_LEASE)));
    }
}
