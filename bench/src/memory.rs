//! How memory grows: the peak of each process with a large directory over that with a small one, told in the worst order, and the
//! gateway's with many connections over that with few; and what idle processes have.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use platform_sim::Order;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    gateway::entrance,
    load,
    numbers::{Limit, Series, rounded},
    order::{self, Case, RESOLVER_MEGABYTES},
    output::{say, tell},
    processes::{peak_megabytes, resident_megabytes},
    requests::{self, Members},
    stage::{self, Stage},
};

/// After that long a process that just started does nothing but wait.
const IDLES_AFTER: Duration = Duration::from_secs(5);
/// Departments that members of the gateway's callbacks are spread over.
const DEPARTMENTS: u32 = 500;

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Rounds of all runs
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Members of the small directory
    #[arg(long, default_value_t = 10_000)]
    small: usize,
    /// Members of the large directory
    #[arg(long, default_value_t = 100_000)]
    large: usize,
    /// Members per department
    #[arg(long, default_value_t = 20)]
    per_department: usize,
    /// Levels of departments below the root
    #[arg(long, default_value_t = 10)]
    depth: u32,
    /// Few connections to the gateway
    #[arg(long, default_value_t = 64)]
    few: usize,
    /// Many connections to the gateway
    #[arg(long, default_value_t = 1_000)]
    many: usize,
    /// Callbacks that are sent over either number of connections
    #[arg(long, default_value_t = 50_000)]
    requests: usize,
}

/// Runs the benchmark.
pub(crate) async fn run(options: &Options) -> Result<Value> {
    let stage = Stage::start().await?;
    let mut growth = Growth::default();
    for round in 1..=options.rounds {
        say(format_args!("round {round} of {}", options.rounds));
        growth.add_idle(&idle(&stage, round).await?);
        let small = order::measure(Some(&stage), &case("small", options.small, options), round).await?;
        let large = order::measure(Some(&stage), &case("large", options.large, options), round).await?;
        growth.add_directories(&small.peaks, &large.peaks);
        let few = with_connections(&stage, options.few, options, round).await?;
        let many = with_connections(&stage, options.many, options, round).await?;
        growth.add_connections(few, many);
    }
    Ok(growth.told(options))
}

fn case(name: &'static str, members: usize, options: &Options) -> Case {
    Case {
        name,
        members,
        departments: (members / options.per_department.max(1)).max(2),
        depth: options.depth,
        leader_share: 0.0,
        order: Order::Worst,
        compared: false,
    }
}

async fn idle(stage: &Stage, round: usize) -> Result<BTreeMap<&'static str, f64>> {
    let bridge = stage.bridge().await;
    sleep(IDLES_AFTER).await;
    let mut megabytes = BTreeMap::new();
    for (program, id) in bridge.process_ids() {
        megabytes.insert(program, resident_megabytes(id)?);
    }
    tell(&json!({ "run": "idle", "round": round, "megabytes": megabytes }));
    Ok(megabytes)
}

/// The peak of a gateway that was under load over so many connections.
async fn with_connections(stage: &Stage, connections: usize, options: &Options, round: usize) -> Result<f64> {
    let bridge = stage.gateway_alone().await;
    let of = Members { numbers: 0..options.requests, departments: DEPARTMENTS, have_leaders: true };
    let callbacks = requests::over_http(requests::members(&of), stage::PATH);
    let answers = load::send(entrance(&bridge)?, callbacks, connections).await?;
    let (_, id) = bridge.process_ids().first().copied().context("the gateway has ended")?;
    let megabytes = peak_megabytes(id)?;
    tell(&json!({
        "run": "connections", "round": round, "connections": connections, "success": answers.success,
        "sent_again": answers.repeated, "peak_megabytes": rounded(megabytes),
    }));
    Ok(megabytes)
}

#[derive(Default)]
struct Growth {
    idle: BTreeMap<&'static str, Series>,
    small: BTreeMap<&'static str, Series>,
    large: BTreeMap<&'static str, Series>,
    large_over_small: BTreeMap<&'static str, Series>,
    few: Series,
    many: Series,
    many_over_few: Series,
}

impl Growth {
    fn add_idle(&mut self, megabytes: &BTreeMap<&'static str, f64>) {
        for (program, megabytes) in megabytes {
            self.idle.entry(*program).or_default().push(*megabytes);
        }
    }

    fn add_directories(&mut self, small: &BTreeMap<&'static str, f64>, large: &BTreeMap<&'static str, f64>) {
        for (program, small) in small {
            let Some(large) = large.get(program) else { continue };
            self.small.entry(*program).or_default().push(*small);
            self.large.entry(*program).or_default().push(*large);
            self.large_over_small.entry(*program).or_default().push(large / small);
        }
    }

    fn add_connections(&mut self, few: f64, many: f64) {
        self.few.push(few);
        self.many.push(many);
        self.many_over_few.push(many / few);
    }

    fn told(&self, options: &Options) -> Value {
        let resolver = self.large.get("resolver").cloned().unwrap_or_default();
        json!({
            "benchmark": "memory", "rounds": options.rounds,
            "directories": {
                "small": options.small, "large": options.large,
                "large_over_small": by_program(&self.large_over_small),
                "peak_megabytes_small": by_program(&self.small), "peak_megabytes_large": by_program(&self.large),
                "resolver": resolver.against(Limit::AtMost(RESOLVER_MEGABYTES), None),
            },
            "gateway_connections": {
                "few": options.few, "many": options.many, "many_over_few": self.many_over_few.told(),
                "peak_megabytes_few": self.few.told(), "peak_megabytes_many": self.many.told(),
            },
            "idle_megabytes": by_program(&self.idle),
        })
    }
}

fn by_program(all: &BTreeMap<&'static str, Series>) -> Value {
    Value::Object(all.iter().map(|(program, series)| ((*program).to_owned(), series.told())).collect())
}
