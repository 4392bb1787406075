//! A morning of one cell, second by second: what comes, what waits, what is done. Events wait in the partitions of their lane, changes with their
//! lane's couriers; PostgreSQL and RabbitMQ are what all lanes share. Whole ones, and none may get lost.

use std::ops::Range;

use common::partition_of;
use rand::{SeedableRng, rngs::StdRng};

use super::{
    World,
    delays::Delays,
    load::{PEAK_AT, Rates, WINDOW},
    packing::Cell,
    population::{Platform, Tenant},
    queue::{Cohort, Queue},
    random::poisson,
};

/// For how long it goes on afterwards until nothing waits, in seconds.
const AFTERWARDS: u32 = 7_200;

/// What happens besides an ordinary morning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    Calm,
    /// PostgreSQL fails over at the peak, and is away for so many seconds.
    Failover {
        seconds: u32,
    },
    /// The largest tenant imports its whole directory at the peak, at so many callbacks a second.
    Import {
        per_second: u64,
        /// In a lane of its own; else in the first of those that many share.
        alone: bool,
    },
}

/// What came of a morning.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Events that came.
    pub(super) came: u64,
    /// Events that were resolved.
    pub(super) resolved: u64,
    /// Events that still wait.
    pub(super) unresolved: u64,
    /// Changes that came of them.
    pub(super) changed: u64,
    /// Changes that were delivered.
    pub(super) delivered: u64,
    /// Changes that still wait.
    pub(super) undelivered: u64,
    /// Of the changes of all others than who imports.
    pub(super) delays: Delays,
    /// The greatest number of events and changes that waited.
    pub(super) most_waiting: u64,
    /// The same of one partition.
    pub(super) most_in_a_partition: u64,
    /// The greatest share of PostgreSQL's processors that was used within a second.
    pub(super) busiest: f64,
    /// How many seconds after the peak everything imported was delivered.
    pub(super) imported_after: Option<u32>,
}

impl Outcome {
    /// Every event was resolved or waits, and so was every change delivered.
    pub(super) fn is_whole(&self) -> bool {
        self.came == self.resolved + self.unresolved && self.changed == self.delivered + self.undelivered
    }
}

/// A lane.
#[derive(Default)]
struct Lane {
    partitions: Vec<Partition>,
    /// Members of tenants with DingTalk.
    in_dingtalk: u64,
    changes: Queue,
    /// What of a change came of events so far.
    fraction: f64,
    /// Changes that go out together at the peak.
    together: f64,
}

#[derive(Default)]
struct Partition {
    events: Queue,
    /// Members of the tenants whose contacts come this way.
    members: u64,
}

/// Whatever one tenant imports.
struct Import {
    lane: usize,
    partition: usize,
    per_second: u64,
    left: u64,
}

/// A morning under way.
pub(super) struct Morning<'a> {
    world: World<'a>,
    lanes: Vec<Lane>,
    /// With the courier of who imports.
    imported: Queue,
    import: Option<Import>,
    /// When PostgreSQL is away.
    away: Range<u32>,
    changes_per_event: f64,
    random: StdRng,
    outcome: Outcome,
}

impl<'a> Morning<'a> {
    /// A morning of a cell. The same seed brings the same events in every scenario.
    pub(super) fn of(cell: &Cell, all: &[Tenant], world: World<'a>, scenario: Scenario, seed: u64) -> Self {
        let mut lanes = lanes(cell, all, world);
        let away = match scenario {
            Scenario::Failover { seconds } => PEAK_AT..PEAK_AT + seconds,
            Scenario::Calm | Scenario::Import { .. } => 0..0,
        };
        let import = match scenario {
            Scenario::Import { per_second, alone } => {
                if alone {
                    lanes.push(empty_lane(world));
                }
                largest(cell, all).map(|tenant| Import {
                    lane: if alone { lanes.len() - 1 } else { 0 },
                    partition: partition(tenant, world),
                    per_second: events_of(per_second, world),
                    left: events_of(tenant.members + tenant.departments, world),
                })
            }
            Scenario::Calm | Scenario::Failover { .. } => None,
        };
        let load = cell.sums.load;
        Self {
            world,
            lanes,
            imported: Queue::default(),
            import,
            away,
            changes_per_event: if load.events > 0.0 { load.changes / load.events } else { 0.0 },
            random: StdRng::seed_from_u64(seed),
            outcome: Outcome {
                came: 0,
                resolved: 0,
                unresolved: 0,
                changed: 0,
                delivered: 0,
                undelivered: 0,
                delays: Delays::default(),
                most_waiting: 0,
                most_in_a_partition: 0,
                busiest: 0.0,
                imported_after: None,
            },
        }
    }

    /// Lives it, until nothing waits.
    pub(super) fn live(mut self) -> Outcome {
        for second in 0..WINDOW + AFTERWARDS {
            if second < WINDOW {
                self.arrive(second);
            } else if self.waiting() == (0, 0) {
                break;
            }
            self.note_what_waits();
            self.work(second);
        }
        (self.outcome.unresolved, self.outcome.undelivered) = self.waiting();
        self.outcome
    }

    fn arrive(&mut self, second: u32) {
        let Self { lanes, import, random, outcome, world, .. } = self;
        let rates = Rates::at(second, world.assumed);
        let (stream, spread) = (rates.stream_events(world.assumed), rates.spread_events(world.assumed));
        for lane in lanes.iter_mut() {
            let spread = spread * lane.in_dingtalk as f64 / f64::from(world.capacity.partitions);
            for partition in &mut lane.partitions {
                let count = poisson(random, stream * partition.members as f64 + spread);
                partition.events.put(Cohort { born: second, count, imported: false });
                outcome.came += count;
            }
        }
        if let Some(import) = import.as_mut().filter(|import| second >= PEAK_AT && import.left > 0)
            && let Some(partition) =
                lanes.get_mut(import.lane).and_then(|lane| lane.partitions.get_mut(import.partition))
        {
            let count = import.per_second.min(import.left);
            import.left -= count;
            partition.events.put(Cohort { born: second, count, imported: true });
            outcome.came += count;
        }
    }

    /// Events and changes that wait.
    fn waiting(&self) -> (u64, u64) {
        let partitions = self.lanes.iter().flat_map(|lane| &lane.partitions);
        let events: u64 = partitions.map(|partition| partition.events.count()).sum();
        let changes: u64 = self.lanes.iter().map(|lane| lane.changes.count()).sum();
        (events, changes + self.imported.count())
    }

    fn note_what_waits(&mut self) {
        let (events, changes) = self.waiting();
        let partitions = self.lanes.iter().flat_map(|lane| &lane.partitions);
        let longest = partitions.map(|partition| partition.events.count()).max().unwrap_or_default();
        self.outcome.most_waiting = self.outcome.most_waiting.max(events + changes);
        self.outcome.most_in_a_partition = self.outcome.most_in_a_partition.max(longest);
    }

    fn work(&mut self, second: u32) {
        let share = if self.away.contains(&second) { 0.0 } else { self.share() };
        let per_event = self.changes_per_event;
        let Self { lanes, imported, outcome, world, .. } = self;
        let stream = world.capacity.stream_events;
        for lane in lanes {
            let Lane { partitions, changes, fraction, .. } = lane;
            for partition in partitions {
                partition.events.take(stream, share, |cohort| {
                    outcome.resolved += cohort.count;
                    let exact = cohort.count as f64 * per_event + *fraction;
                    *fraction = exact.fract();
                    let changed = Cohort { count: exact as u64, ..cohort };
                    outcome.changed += changed.count;
                    if cohort.imported { imported.put(changed) } else { changes.put(changed) }
                });
            }
            changes.take(u64::MAX, share, |cohort| {
                outcome.delivered += cohort.count;
                outcome.delays.note(cohort.born, second - cohort.born + 1, cohort.count);
            });
        }
        imported.take(stream, share, |cohort| {
            outcome.delivered += cohort.count;
            outcome.imported_after = Some(second - PEAK_AT + 1);
        });
    }

    /// Which share of what could be done in this second the processors of PostgreSQL and RabbitMQ are enough for.
    fn share(&mut self) -> f64 {
        let capacity = self.world.capacity;
        let batch = capacity.batch as f64;
        let batches = |count: f64| (count / batch).ceil();
        let could = |queue: &Queue| queue.count().min(capacity.stream_events) as f64;
        let (mut events, mut changes) = (0.0_f64, could(&self.imported));
        let (mut turns, mut rounds) = (Transactions::default(), Transactions::default());
        rounds.add(batches(changes), batches(changes));
        for lane in &self.lanes {
            let mut of_lane = 0.0_f64;
            for partition in &lane.partitions {
                let count = could(&partition.events);
                turns.add(batches(count), count.min(capacity.turns()));
                of_lane += count;
            }
            events += of_lane;
            let to_send = lane.changes.count() as f64 + of_lane * self.changes_per_event;
            rounds.add(batches(to_send), to_send / lane.together);
            changes += to_send;
        }
        let rows = events * capacity.postgres_micros_per_event + changes * capacity.postgres_micros_per_change;
        let with = |turns: f64, rounds: f64| {
            rows + turns * capacity.postgres_micros_per_turn + rounds * capacity.postgres_micros_per_round
        };
        let processors = capacity.postgres_cores * 1e6;
        self.outcome.busiest = self.outcome.busiest.max((with(turns.usual, rounds.usual) / processors).min(1.0));
        // What is short of time waits, and what has waited goes in full batches.
        let of_postgres = processors / with(turns.fewest, rounds.fewest);
        let of_broker = capacity.broker_cores * 1e6 / (events * capacity.broker_micros);
        of_postgres.min(of_broker).min(1.0)
    }
}

/// How many transactions something takes.
#[derive(Default)]
struct Transactions {
    /// With full batches.
    fewest: f64,
    /// As it comes, if there is time.
    usual: f64,
}

impl Transactions {
    fn add(&mut self, fewest: f64, usual: f64) {
        self.fewest += fewest;
        self.usual += usual.max(fewest);
    }
}

/// The lanes of a cell, with who lives in them: those that are shared first, each with as many tenants as the others.
fn lanes(cell: &Cell, all: &[Tenant], world: World<'_>) -> Vec<Lane> {
    let shared = cell.sums.shared_lanes(world);
    let mut lanes: Vec<Lane> = (0..shared).map(|_| empty_lane(world)).collect();
    for (number, tenant) in cell.tenants.iter().filter_map(|place| all.get(*place)).enumerate() {
        let lane = if tenant.members >= world.capacity.lane_from {
            lanes.push(empty_lane(world));
            lanes.last_mut()
        } else {
            lanes.get_mut(number % shared)
        };
        let Some(lane) = lane else { continue };
        if let Some(partition) = lane.partitions.get_mut(partition(tenant, world)) {
            partition.members += tenant.members;
        }
        if tenant.platform == Platform::Dingtalk {
            lane.in_dingtalk += tenant.members;
        }
    }
    let together = (cell.sums.load.changes / cell.sums.load.rounds.max(f64::MIN_POSITIVE)).max(1.0);
    lanes.iter_mut().for_each(|lane| lane.together = together);
    lanes
}

fn empty_lane(world: World<'_>) -> Lane {
    let partitions = (0..world.capacity.partitions).map(|_| Partition::default()).collect();
    Lane { partitions, together: 1.0, ..Lane::default() }
}

/// Where a tenant's contacts go: by the very function that gateways use.
fn partition(tenant: &Tenant, world: World<'_>) -> usize {
    partition_of(&tenant.id, world.capacity.partitions) as usize
}

fn largest<'t>(cell: &Cell, all: &'t [Tenant]) -> Option<&'t Tenant> {
    cell.tenants.iter().filter_map(|place| all.get(*place)).max_by_key(|tenant| tenant.members)
}

/// The events of changes of contacts.
fn events_of(contacts: u64, world: World<'_>) -> u64 {
    (contacts as f64 * world.assumed.events_per_contact).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::{
        Options,
        packing::{Way, pack},
        population::draw,
        tests::options,
    };

    const IMPORT: u64 = 5_000;

    fn one_cell() -> Options {
        options(&["--tenants", "60", "--members", "120000", "--lane-from", "1000000"])
    }

    fn morning(options: &Options, scenario: Scenario) -> Outcome {
        let tenants = draw(&options.assumed, 1);
        let cells = pack(&tenants, options.world(), Way::Balanced).unwrap();
        Morning::of(&cells[0], &tenants, options.world(), scenario, 5).live()
    }

    #[test]
    fn nothing_gets_lost_whatever_happens() {
        let options = one_cell();
        for scenario in [
            Scenario::Calm,
            Scenario::Failover { seconds: 90 },
            Scenario::Import { per_second: IMPORT, alone: false },
            Scenario::Import { per_second: IMPORT, alone: true },
        ] {
            let outcome = morning(&options, scenario);
            assert!(outcome.is_whole() && outcome.came > 0, "{scenario:?}: {outcome:?}");
            assert_eq!(
                (outcome.unresolved, outcome.undelivered),
                (0, 0),
                "{scenario:?}: everything is done in the end"
            );
        }
    }

    #[test]
    fn neither_does_it_where_a_cell_is_too_small() {
        let mut options = one_cell();
        options.capacity.postgres_cores = 0.0002;
        let tenants = draw(&options.assumed, 1);
        let roomy = one_cell();
        let cells = pack(&tenants, roomy.world(), Way::Balanced).unwrap();
        let outcome = Morning::of(&cells[0], &tenants, options.world(), Scenario::Calm, 5).live();
        assert!(outcome.is_whole() && outcome.unresolved > 0, "{outcome:?}");
        assert!(outcome.busiest >= 1.0, "{outcome:?}");
    }

    #[test]
    fn a_seed_is_a_morning() {
        let options = one_cell();
        let told = |scenario| {
            let outcome = morning(&options, scenario);
            (outcome.came, outcome.delivered, outcome.most_waiting, outcome.delays.quantile(0.95))
        };
        assert_eq!(told(Scenario::Calm), told(Scenario::Calm));
        assert_eq!(told(Scenario::Calm).0, told(Scenario::Failover { seconds: 90 }).0, "the same events came");
    }

    #[test]
    fn an_outage_is_waited_out_and_caught_up_with() {
        let options = one_cell();
        let (calm, failover) =
            (morning(&options, Scenario::Calm), morning(&options, Scenario::Failover { seconds: 90 }));
        assert_eq!(calm.delays.longest(), 1, "{calm:?}");
        assert!((90..=120).contains(&failover.delays.longest()), "{}", failover.delays.longest());
        assert!(failover.most_waiting > 10 * calm.most_waiting, "{failover:?}");
    }

    #[test]
    fn who_imports_holds_up_others_in_a_shared_lane_and_nobody_in_one_of_its_own() {
        let options = one_cell();
        let longest = |alone| morning(&options, Scenario::Import { per_second: IMPORT, alone }).delays.longest();
        assert_eq!(longest(true), 1);
        assert!(longest(false) > 1, "{}", longest(false));
    }
}
