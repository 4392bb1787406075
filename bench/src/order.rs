//! What order costs: a file import of a whole company, leaves first and root last against natural order, and a large company
//! against a small one in natural order.
//!
//! Processor time counts from the first callback until the core has the last row; then the core is compared with the source, field
//! by field. Which processes count is told both ways: resolver and sink, which the order concerns, and all, servers included.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use platform_sim::{Company, CompanyOptions, Deliveries, Dispatcher, DispatcherOptions, Order, Script, compare};
use serde_json::{Value, json};
use tests::{Bridge, as_core_sees};
use tokio::time::sleep;

use crate::{
    gateway::entrance,
    meter::{Meter, Roots, Usage},
    numbers::{Limit, Series, rounded},
    output::{say, tell},
    processes::peak_megabytes,
    progress::until_all_are_there,
    requests,
    stage::{self, Stage},
};

/// Callbacks that are under way at once.
const CONCURRENCY: usize = 64;
/// Most memory that a resolver may need, whatever it is told, in mebibytes.
pub(crate) const RESOLVER_MEGABYTES: f64 = 200.0;
/// How much smaller the small company is.
const SMALLER: usize = 10;
/// How long core and source may differ though every row is there.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(500);

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Rounds of a small run, one in natural order and one in the worst
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Members of the large company
    #[arg(long, default_value_t = 100_000)]
    members: usize,
    /// Departments of the large company, the root included
    #[arg(long, default_value_t = 5_000)]
    departments: usize,
    /// Levels of departments below the root
    #[arg(long, default_value_t = 10)]
    depth: u32,
    /// Percentage of members with a direct leader, who is anywhere in the company
    #[arg(long, default_value_t = 0)]
    leaders: u8,
    /// One `orgbridge serve` on SQLite instead of services on RabbitMQ and PostgreSQL
    #[arg(long)]
    embedded: bool,
    /// Count the core's rows only: a comparison holds both directories in memory
    #[arg(long)]
    no_compare: bool,
}

/// One company, told in one order.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// What results call it.
    pub(crate) name: &'static str,
    pub(crate) members: usize,
    pub(crate) departments: usize,
    pub(crate) depth: u32,
    /// Share of members with a direct leader.
    pub(crate) leader_share: f64,
    pub(crate) order: Order,
    pub(crate) compared: bool,
}

/// What a case cost.
pub(crate) struct Cost {
    events: usize,
    usage: Usage,
    /// The most memory that each program had, in mebibytes.
    pub(crate) peaks: BTreeMap<&'static str, f64>,
}

/// Runs the benchmark.
pub(crate) async fn run(options: &Options) -> Result<Value> {
    let stage = if options.embedded { None } else { Some(Stage::start().await?) };
    let large = |name, order| Case {
        name,
        members: options.members,
        departments: options.departments,
        depth: options.depth,
        leader_share: f64::from(options.leaders) / 100.0,
        order,
        compared: !options.no_compare,
    };
    let (natural, worst) = (large("natural", Order::Natural), large("worst", Order::Worst));
    let small = Case {
        name: "small",
        members: natural.members / SMALLER,
        departments: natural.departments / SMALLER,
        ..natural.clone()
    };
    let mut ratios = Ratios::default();
    for round in 1..=options.rounds {
        say(format_args!("round {round} of {}", options.rounds));
        let small = measure(stage.as_ref(), &small, round).await?;
        let natural = measure(stage.as_ref(), &natural, round).await?;
        let worst = measure(stage.as_ref(), &worst, round).await?;
        ratios.add(&small, &natural, &worst);
    }
    Ok(ratios.told(options))
}

/// Tells a company to fresh processes, and prints what it cost.
pub(crate) async fn measure(stage: Option<&Stage>, case: &Case, round: usize) -> Result<Cost> {
    let mut company = Company::new(CompanyOptions {
        start_seconds: requests::now(),
        leader_share: case.leader_share,
        ..CompanyOptions::default()
    });
    let callbacks = company.import(case.members, case.departments, case.depth);
    let rows = i64::try_from(company.member_count() + company.department_count())?;
    let (bridge, roots): (Bridge, Roots) = match stage {
        Some(stage) => {
            let bridge = stage.bridge().await;
            let roots = stage.roots(&bridge);
            (bridge, roots)
        }
        None => {
            let bridge = stage::embedded().await;
            let roots = stage::programs(&bridge);
            (bridge, roots)
        }
    };
    let url = format!("http://{}{}", entrance(&bridge)?, stage::PATH);
    let options = DispatcherOptions { deliveries: Deliveries::UntilSuccess, ..DispatcherOptions::default() };
    let dispatcher = Dispatcher::new(&url, Bridge::keys(), options, Arc::new(requests::now))?;
    let script = Script { order: case.order, concurrency: CONCURRENCY, ..Script::default() };
    let meter = Meter::start(roots)?;
    let stats = dispatcher.send(&callbacks, &script).await;
    until_all_are_there(&bridge, rows, case.leader_share > 0.0).await?;
    let mut usage = meter.read()?;
    if case.compared && has_to_wait_for_agreement(&bridge, &company).await? {
        usage = meter.read()?;
    }
    let mut peaks = BTreeMap::new();
    for (program, id) in bridge.process_ids() {
        peaks.insert(program, peak_megabytes(id)?);
    }
    let cost = Cost { events: callbacks.len(), usage, peaks };
    tell(&json!({
        "run": case.name, "round": round, "members": case.members, "departments": case.departments, "events": cost.events,
        "sending_seconds": rounded(stats.seconds), "seconds": rounded(cost.usage.wall_seconds), "sent_again": stats.retried,
        "processor_micros_per_event": cost.usage.told(cost.events),
        "processor_micros_per_event_of_resolver_and_sink": rounded(cost.work()),
        "processor_micros_per_event_of_all": rounded(cost.all()), "peak_megabytes": cost.peaks,
    }));
    Ok(cost)
}

/// Compares the core with the source. Leaders who were not there yet may still follow, long after the last row; then this waits.
async fn has_to_wait_for_agreement(bridge: &Bridge, company: &Company) -> Result<bool> {
    let truth = as_core_sees(&company.snapshot());
    let began = Instant::now();
    let mut has_waited = false;
    loop {
        let differences = compare(&truth, &bridge.core().snapshot().await);
        if differences.is_empty() {
            return Ok(has_waited);
        }
        ensure!(began.elapsed() < PATIENCE, "the core differs from the source in {} fields", differences.len());
        has_waited = true;
        sleep(PAUSE).await;
    }
}

impl Cost {
    /// Microseconds per event of those whom the order concerns.
    fn work(&self) -> f64 {
        let of = |name| self.usage.micros(name, self.events);
        of("resolver") + of("sink") + of("orgbridge")
    }

    fn all(&self) -> f64 {
        self.usage.all_micros(self.events)
    }
}

#[derive(Default)]
struct Ratios {
    worst_over_natural: Series,
    worst_over_natural_of_all: Series,
    large_over_small: Series,
    large_over_small_of_all: Series,
    peaks: BTreeMap<&'static str, Series>,
}

impl Ratios {
    fn add(&mut self, small: &Cost, natural: &Cost, worst: &Cost) {
        self.worst_over_natural.push(worst.work() / natural.work());
        self.worst_over_natural_of_all.push(worst.all() / natural.all());
        self.large_over_small.push(natural.work() / small.work());
        self.large_over_small_of_all.push(natural.all() / small.all());
        for (program, megabytes) in [small, natural, worst].into_iter().flat_map(|cost| &cost.peaks) {
            self.peaks.entry(*program).or_default().push(*megabytes);
        }
    }

    fn told(&self, options: &Options) -> Value {
        let (worst, growth) = (Limit::AtMost(1.25), Limit::AtMost(1.3));
        let peaks: BTreeMap<&str, f64> =
            self.peaks.iter().map(|(program, series)| (*program, rounded(series.highest()))).collect();
        let resolver = self.peaks.get("resolver").map(Series::highest);
        json!({
            "benchmark": "order", "members": options.members, "departments": options.departments, "depth": options.depth,
            "leaders_percent": options.leaders, "embedded": options.embedded, "rounds": options.rounds,
            "worst_over_natural": {
                "resolver_and_sink": self.worst_over_natural.against(worst, None),
                "all_processes": self.worst_over_natural_of_all.against(worst, None),
            },
            "large_over_small": {
                "resolver_and_sink": self.large_over_small.against(growth, None),
                "all_processes": self.large_over_small_of_all.against(growth, None),
            },
            "peak_megabytes": peaks,
            "resolver_below_megabytes": RESOLVER_MEGABYTES,
            "resolver_is_below": resolver.map(|megabytes| megabytes < RESOLVER_MEGABYTES),
        })
    }
}
