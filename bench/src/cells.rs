//! How many cells many tenants need, by arithmetic and by a simulated morning: nothing is started, and nothing but figures is measured.
//!
//! Companies are drawn from a seed, put into cells by what they need at the peak, and each cell lives from half past eight to ten: as it should
//! be, with PostgreSQL away at nine, and with its largest tenant importing its directory then, in a shared lane and in one of its own. What is
//! assumed, and what was measured where, stands in `cells/assumptions.rs` and `cells/capacity.rs`; each figure is a flag.

mod assumptions;
mod capacity;
mod delays;
mod load;
mod morning;
mod need;
mod packing;
mod population;
mod queue;
mod random;
mod report;

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};

use self::{
    assumptions::Assumptions,
    capacity::Capacity,
    morning::{Morning, Outcome, Scenario},
    need::{Need, Sums},
    packing::{Cell, Way, fewest, pack},
    population::{Tenant, draw},
};
use crate::{
    numbers::rounded,
    output::{say, tell},
};

/// What can be chosen.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[command(flatten, next_help_heading = "Assumed")]
    assumed: Assumptions,
    #[command(flatten, next_help_heading = "A cell")]
    capacity: Capacity,
    /// Seed of all that is drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How tenants are put into cells
    #[arg(long, value_enum, default_value_t = Way::Balanced)]
    packing: Way,
    /// For how many seconds PostgreSQL is away when it fails over
    #[arg(long, default_value_t = 60)]
    failover_seconds: u32,
    /// Callbacks a second while the largest tenant imports its directory
    #[arg(long, default_value_t = 5_000)]
    import_per_second: u64,
    /// One object with all cells in it, instead of a line for each and one for all
    #[arg(long)]
    json: bool,
}

/// What is assumed, and what a cell can do.
#[derive(Debug, Clone, Copy)]
struct World<'a> {
    assumed: &'a Assumptions,
    capacity: &'a Capacity,
}

impl Options {
    const fn world(&self) -> World<'_> {
        World { assumed: &self.assumed, capacity: &self.capacity }
    }

    fn check(&self) -> Result<()> {
        let Self { assumed, capacity, .. } = self;
        ensure!(assumed.tenants > 0, "--tenants: there must be one");
        ensure!(assumed.members >= assumed.tenants as u64, "--members: each tenant has one at least");
        ensure!((0.0..1.0).contains(&capacity.headroom), "--headroom is a share");
        ensure!((0.0..=1.0).contains(&assumed.dingtalk), "--dingtalk is a share");
        ensure!((0.0..=1.0).contains(&assumed.peak_share), "--peak-share is a share");
        ensure!(capacity.partitions > 0 && capacity.batch > 0, "--partitions, --batch: there must be one");
        ensure!(capacity.stream_events > 0, "--stream-events: something must be done");
        ensure!(capacity.tenants_per_lane > 0, "--tenants-per-lane: there must be one");
        let positive = [
            ("--per-department", assumed.per_department),
            ("--peak-minutes", assumed.peak_minutes),
            ("--wecom-calls", assumed.wecom_calls),
            ("--dingtalk-calls", assumed.dingtalk_calls),
            ("--dingtalk-app-calls", assumed.dingtalk_app_calls),
            ("--members-per-call", assumed.members_per_call),
            ("--postgres-cores", capacity.postgres_cores),
            ("--broker-cores", capacity.broker_cores),
            ("--turn-millis", capacity.turn_millis),
        ];
        for (name, value) in positive {
            ensure!(value > 0.0, "{name} must be greater than 0");
        }
        Ok(())
    }

    fn scenarios(&self) -> [Scenario; 4] {
        let per_second = self.import_per_second;
        [
            Scenario::Calm,
            Scenario::Failover { seconds: self.failover_seconds },
            Scenario::Import { per_second, alone: false },
            Scenario::Import { per_second, alone: true },
        ]
    }
}

/// Runs the simulation.
///
/// # Errors
/// When a figure makes no sense, when a tenant is too much for a cell, and when something got lost, which would be a fault of the simulation.
pub(crate) fn run(options: &Options) -> Result<Value> {
    options.check()?;
    let world = options.world();
    let tenants = draw(&options.assumed, options.seed);
    say(format_args!("{} tenants into cells", tenants.len()));
    let cells = pack(&tenants, world, options.packing)?;
    let mut worst: Vec<Worst> = options.scenarios().into_iter().map(Worst::of).collect();
    let mut told = Vec::with_capacity(cells.len());
    for (number, cell) in (1..).zip(&cells) {
        say(format_args!("a morning of cell {number} of {}", cells.len()));
        let mut of_cell = report::cell(number, cell, world);
        let mut mornings = Map::new();
        for worst in &mut worst {
            // Each cell has events of its own, and the same in every scenario.
            let seed = options.seed.wrapping_mul(1_000_003).wrapping_add(number as u64);
            let outcome = Morning::of(cell, &tenants, world, worst.scenario, seed).live();
            ensure!(outcome.is_whole(), "cell {number}, {}: something got lost: {outcome:?}", worst.scenario.name());
            worst.add(&outcome);
            mornings.insert(worst.scenario.name().to_owned(), report::morning(&outcome));
        }
        of_cell.insert("mornings".to_owned(), Value::Object(mornings));
        if options.json {
            told.push(Value::Object(of_cell));
        } else {
            tell(&Value::Object(of_cell));
        }
    }
    let mut all = total(&tenants, &cells, &worst, options)?;
    if options.json
        && let Some(all) = all.as_object_mut()
    {
        all.insert("each".to_owned(), Value::Array(told));
    }
    Ok(all)
}

/// The worst of all cells in one scenario.
struct Worst {
    scenario: Scenario,
    most_waiting: u64,
    p95: usize,
    p95_of_a_minute: usize,
    longest: usize,
    late: u64,
    postgres: f64,
    left: u64,
}

impl Worst {
    const fn of(scenario: Scenario) -> Self {
        Self { scenario, most_waiting: 0, p95: 0, p95_of_a_minute: 0, longest: 0, late: 0, postgres: 0.0, left: 0 }
    }

    fn add(&mut self, outcome: &Outcome) {
        let delays = &outcome.delays;
        self.most_waiting = self.most_waiting.max(outcome.most_waiting);
        self.p95 = self.p95.max(delays.quantile(0.95));
        self.p95_of_a_minute = self.p95_of_a_minute.max(delays.quantile_of_the_worst_minute(0.95));
        self.longest = self.longest.max(delays.longest());
        self.late = self.late.max(delays.later_than(report::LATE_SECONDS));
        self.postgres = self.postgres.max(outcome.busiest);
        self.left += outcome.unresolved + outcome.undelivered;
    }

    fn told(&self) -> Value {
        json!({
            "most_waiting": self.most_waiting, "p95_seconds": self.p95, "p95_seconds_of_the_worst_minute": self.p95_of_a_minute,
            "longest_seconds": self.longest, "later_than_5_seconds": self.late,
            "postgres_at_most": rounded(self.postgres), "left": self.left,
        })
    }
}

/// All cells together, and the fullest of them in each respect.
fn total(tenants: &[Tenant], cells: &[Cell], worst: &[Worst], options: &Options) -> Result<Value> {
    let world = options.world();
    let all = cells.iter().fold(Sums::default(), |all, cell| all + cell.sums);
    let other = match options.packing {
        Way::Balanced => Way::FirstFit,
        Way::FirstFit => Way::Balanced,
    };
    let (bytes, bytes_a_year) = all.database_bytes(world);
    let hours = |of: fn(need::FirstSync) -> f64| {
        rounded(cells.iter().map(|cell| of(cell.sums.first_sync(world))).fold(0.0, f64::max))
    };
    let (wecom, dingtalk) = cells
        .iter()
        .map(|cell| cell.sums.reconciliation(world))
        .fold((0.0, 0.0), |(wecom, dingtalk): (f64, f64), of| (wecom.max(of.0), dingtalk.max(of.1)));
    let largest = tenants.iter().map(|tenant| tenant.members).max().unwrap_or_default();
    let mornings: Map<String, Value> =
        worst.iter().map(|worst| (worst.scenario.name().to_owned(), worst.told())).collect();
    Ok(json!({
        "benchmark": "cells", "seed": options.seed, "tenants": all.tenants, "members": all.members,
        "departments": all.departments, "largest_tenant": largest,
        "cells": cells.len(), "cells_at_least": fewest(tenants, world), "cells_the_other_way": pack(tenants, world, other)?.len(),
        "lanes": cells.iter().map(|cell| cell.sums.lanes(world)).sum::<usize>(),
        "peak_per_second": {
            "callbacks": rounded(all.load.callbacks), "events": rounded(all.load.events), "changes": rounded(all.load.changes),
        },
        "needs": fullest(cells, world),
        "database_gigabytes": { "at_first": rounded(bytes / 1e9), "more_each_year": rounded(bytes_a_year / 1e9) },
        "first_sync_hours": {
            "by_wecom": hours(|of| of.wecom_hours), "by_dingtalk": hours(|of| of.dingtalk_hours),
            "by_processors": hours(|of| of.work_hours),
        },
        "reconciliation_over_calls_a_day": { "wecom": rounded(wecom), "dingtalk": rounded(dingtalk) },
        "mornings": mornings,
    }))
}

/// What the fullest cell needs of each, over what there is.
fn fullest(cells: &[Cell], world: World<'_>) -> Value {
    let mut fullest = Map::new();
    for need in Sums::default().needs(world) {
        let needs = cells.iter().flat_map(|cell| cell.sums.needs(world)).filter(|other| other.of == need.of);
        let most = needs.max_by(|one, other| one.value.total_cmp(&other.value)).unwrap_or(need);
        let Need { of, value, limit } = most;
        let told = json!({ "value": rounded(value), "at_most": rounded(limit), "ratio": rounded(most.ratio()) });
        fullest.insert(of.to_owned(), told);
    }
    Value::Object(fullest)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    /// The options of a command line.
    pub(super) fn options(line: &[&str]) -> Options {
        Line::parse_from(["cells"].iter().chain(line)).options
    }

    #[test]
    fn a_run_tells_of_every_cell_and_loses_nothing() {
        let mut options = options(&["--tenants", "300", "--members", "300000", "--tenants-per-cell", "100", "--json"]);
        let told = run(&options).unwrap();
        let cells = told["cells"].as_u64().unwrap();
        assert!(cells >= 3, "{told}");
        assert_eq!(told["each"].as_array().unwrap().len() as u64, cells);
        for cell in told["each"].as_array().unwrap() {
            let mornings = cell["mornings"].as_object().unwrap();
            assert_eq!(mornings.len(), 4);
            assert!(mornings.values().all(|morning| morning["whole"] == true && morning["left"] == 0), "{cell}");
            assert!(cell["needs"].as_object().unwrap().values().all(|need| need["kept"] == true), "{cell}");
        }
        assert_eq!(told["mornings"]["calm"]["left"], 0);
        options.assumed.members = 200;
        assert!(run(&options).is_err(), "fewer members than tenants");
    }
}
