//! The first sync: a company whose core product holds an older copy of it under ids of its own is pulled, compared, linked, brought in
//! step; and a reconciliation that finds nothing. What it is held against is `COPY` of the same rows into the same tables with their
//! keys, which is the least that filling them takes.
//!
//! In a round: a plan is asked for (pull, publish, resolve, compare), then it is applied and delivered, and `sync diff` must count 0.
//! `COPY` of the rows that are there then. A reconciliation, which must plan nothing and publish nothing. `COPY` once more. "Link and
//! plan" is the step of a run that compares both sides and keeps the plan.

mod copy;
mod older;
mod platform;
mod programs;
mod scene;
mod steps;
mod synchronizer;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use directory::plan::Counts;
use platform_sim::{Company, CompanyOptions, Pace};
use serde_json::{Value, json};
use store::runs::{Step, Wanted};

pub(crate) use self::synchronizer::serve_if_told;
use self::{copy::Filling, older::Age, platform::Platform, scene::Scene, steps::Steps};
use crate::{
    numbers::{Limit, Series, rounded},
    output::{say, tell},
    requests,
    stage::Stage,
};

/// The extended attribute that holds it.
const EMPLOYEE_NUMBER: &str = "工号";
/// The company was there long before.
const AGE_SECONDS: i64 = 86_400;
/// Departments that were made in one second, long ago.
const PACE: Pace = Pace::PerSecond(1000);
/// Most memory that the synchronizer may need, in mebibytes.
const SYNCHRONIZER_MEGABYTES: f64 = 400.0;

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Rounds of a first sync, a reconciliation, and COPY after each of the two
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Members of the company
    #[arg(long, default_value_t = 100_000)]
    members: usize,
    /// Its departments, the root included
    #[arg(long, default_value_t = 5_000)]
    departments: usize,
    /// Levels of departments below the root
    #[arg(long, default_value_t = 10)]
    depth: u32,
    /// Percentage of members with a direct leader, who is anywhere in the company
    #[arg(long, default_value_t = 0)]
    leaders: u8,
    /// Keep to WeCom's documented rate, as the synchronizer does by itself; then no limit holds
    #[arg(long)]
    paced: bool,
}

/// One round.
struct Round {
    entities: usize,
    plan: Steps,
    apply: Steps,
    reconciliation: Steps,
    copies: [Filling; 2],
    peaks: BTreeMap<&'static str, f64>,
    calls: [u64; 2],
}

/// Runs the benchmark.
pub(crate) async fn run(options: &Options) -> Result<Value> {
    let stage = Stage::start().await?;
    let mut figures = Figures::default();
    for number in 1..=options.rounds {
        say(format_args!("round {number} of {}", options.rounds));
        let round = measure(&stage, options).await?;
        tell(&round.told(options, number));
        figures.add(&round);
    }
    Ok(figures.told(options))
}

async fn measure(stage: &Stage, options: &Options) -> Result<Round> {
    let platform = Platform::over(company(options))?;
    let entities = platform.entities();
    let (older, age) = older::copy_of(&platform.snapshot());
    let mut scene = Scene::set(stage, &platform, &older, options.paced).await?;
    drop(older);
    say("pulling and planning");
    let plan = Steps::of(&mut scene, Wanted::Plan).await?;
    let pulled = platform.calls();
    check_plan(&plan, &age, options)?;
    say("applying");
    let apply = Steps::of(&mut scene, Wanted::Apply).await?;
    let differences = scene.differences()?;
    ensure!(differences == 0, "{differences} differences after the first sync: {}", scene.logs());
    let rows = scene.rows()?;
    let first = copy::measure(stage, &rows).await?;
    say("reconciling");
    let before = scene.last_version().await?;
    let reconciliation = Steps::of(&mut scene, Wanted::Apply).await?;
    ensure!(scene.last_version().await? == before, "a reconciliation that finds nothing published something");
    let counts = reconciliation.run.counts;
    ensure!(counts == Counts::default(), "a reconciliation that finds nothing planned {counts:?}");
    let second = copy::measure(stage, &rows).await?;
    Ok(Round {
        entities,
        plan,
        apply,
        reconciliation,
        copies: [first, second],
        peaks: scene.peaks()?.into_iter().collect(),
        calls: [pulled, platform.calls() - pulled],
    })
}

fn company(options: &Options) -> Company {
    let mut company = Company::new(CompanyOptions {
        start_seconds: requests::now() - AGE_SECONDS,
        leader_share: f64::from(options.leaders) / 100.0,
        pace: PACE,
        ..CompanyOptions::default()
    });
    company.populate(options.members, options.departments, options.depth);
    company
}

/// Who is in the copy is found, who is not is created, who has left is disabled.
fn check_plan(plan: &Steps, age: &Age, options: &Options) -> Result<()> {
    let counts = plan.run.counts;
    let expected = [age.known + options.departments, options.members - age.known, age.left];
    let found = [counts.link, counts.create, counts.disable];
    let is_right = found.iter().zip(expected).all(|(found, expected)| *found == expected as u64);
    ensure!(
        is_right && counts.unsure + counts.impossible == 0,
        "linked, created, disabled {expected:?} were right: {counts:?}"
    );
    ensure!(counts.update >= age.renamed as u64, "{} are known by former names: {counts:?}", age.renamed);
    Ok(())
}

impl Round {
    /// What `COPY` took, the mean of both times.
    fn copy_seconds(&self) -> f64 {
        self.copies.iter().map(|copy| copy.seconds).sum::<f64>() / self.copies.len() as f64
    }

    /// Processor time of `COPY` per entity: the server's, and that of who sends the rows.
    fn copy_micros(&self) -> f64 {
        let micros =
            |copy: &Filling| copy.usage.micros("postgres", self.entities) + copy.usage.own_micros(self.entities);
        self.copies.iter().map(micros).sum::<f64>() / self.copies.len() as f64
    }

    fn told(&self, options: &Options, number: usize) -> Value {
        let copies: Vec<f64> = self.copies.iter().map(|copy| rounded(copy.seconds)).collect();
        let [first_calls, later_calls] = self.calls;
        json!({
            "run": "first-sync", "round": number, "members": options.members, "departments": options.departments,
            "rows": self.copies.iter().map(|copy| copy.rows).max(), "counts": self.plan.run.counts,
            "calls_of_the_first_sync": first_calls, "calls_of_the_reconciliation": later_calls,
            "plan": self.plan.told(self.entities), "apply": self.apply.told(self.entities),
            "reconciliation": self.reconciliation.told(self.entities),
            "copy_seconds": copies, "copy_processor_micros_per_entity": rounded(self.copy_micros()),
            "link_and_plan_seconds": rounded(self.plan.seconds_of(&[Step::Compare])),
            "whole_seconds": rounded(self.plan.seconds() + self.apply.seconds()),
            "reconciliation_seconds": rounded(self.reconciliation.seconds()),
            "peak_megabytes": self.peaks,
        })
    }
}

/// The same thing by the clock and in processor time, as multiples of `COPY`.
#[derive(Default)]
struct Multiple {
    seconds: Series,
    processor: Series,
}

impl Multiple {
    fn push(&mut self, round: &Round, seconds: f64, micros: f64) {
        self.seconds.push(seconds / round.copy_seconds());
        self.processor.push(micros / round.copy_micros());
    }

    fn told(&self, limit: Option<f64>) -> Value {
        let seconds = match limit {
            Some(limit) => self.seconds.against(Limit::AtMost(limit), None),
            None => self.seconds.told(),
        };
        json!({ "seconds": seconds, "processor_time": self.processor.told() })
    }
}

#[derive(Default)]
struct Figures {
    pull_and_resolve: Multiple,
    link_and_plan: Multiple,
    apply_and_deliver: Multiple,
    whole: Multiple,
    reconciliation: Multiple,
    peaks: BTreeMap<&'static str, Series>,
}

impl Figures {
    fn add(&mut self, round: &Round) {
        let Round { entities, plan, apply, reconciliation, .. } = round;
        let entities = *entities;
        let (pull, compare) = ([Step::Pull, Step::Settle], [Step::Compare]);
        self.pull_and_resolve.push(round, plan.seconds_of(&pull), plan.micros_of(&pull, entities));
        self.link_and_plan.push(round, plan.seconds_of(&compare), plan.micros_of(&compare, entities));
        self.apply_and_deliver.push(round, apply.seconds(), apply.micros(entities));
        let seconds = plan.seconds() + apply.seconds();
        self.whole.push(round, seconds, plan.micros(entities) + apply.micros(entities));
        self.reconciliation.push(round, reconciliation.seconds(), reconciliation.micros(entities));
        for (program, megabytes) in &round.peaks {
            self.peaks.entry(*program).or_default().push(*megabytes);
        }
    }

    fn told(&self, options: &Options) -> Value {
        let limit = |limit: f64| (!options.paced).then_some(limit);
        let synchronizer = self.peaks.get("synchronizer").map(Series::highest);
        let peaks: BTreeMap<&str, f64> =
            self.peaks.iter().map(|(program, series)| (*program, rounded(series.highest()))).collect();
        json!({
            "benchmark": "first-sync", "members": options.members, "departments": options.departments,
            "depth": options.depth, "leaders_percent": options.leaders, "paced": options.paced, "rounds": options.rounds,
            "over_copy": {
                "pull_and_resolve": self.pull_and_resolve.told(None),
                "link_and_plan": self.link_and_plan.told(limit(4.0)),
                "apply_and_deliver": self.apply_and_deliver.told(None),
                "whole": self.whole.told(limit(25.0)),
                "reconciliation_that_finds_nothing": self.reconciliation.told(limit(4.0)),
            },
            "peak_megabytes": peaks,
            "synchronizer_below_megabytes": SYNCHRONIZER_MEGABYTES,
            "synchronizer_is_below": synchronizer.map(|megabytes| megabytes < SYNCHRONIZER_MEGABYTES),
        })
    }
}
