//! Callback to committed row, over RabbitMQ and PostgreSQL with one process of each service, against what this machine could do
//! at most; and the embedded default beside it.
//!
//! The budget is a sum of parts, each measured by itself in the same round: see `budget`. Departments are told and delivered before the
//! clock starts; then come the members, and it stops when the core has the last of them.

mod budget;
mod hop;
mod rows;
mod sample;

use std::thread::available_parallelism;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::Bridge;

use self::budget::Budget;
use crate::{
    gateway::entrance,
    load,
    meter::{Meter, Roots, Usage},
    numbers::{Limit, Series, rounded},
    output::{say, tell},
    progress::until_all_are_there,
    requests::{self, Members},
    stage::{self, Stage},
};

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Rounds of the budget, the services and the embedded default
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Events of a run, each of which creates a member
    #[arg(long, default_value_t = 200_000)]
    events: usize,
    /// Departments, the root included; each member is in three
    #[arg(long, default_value_t = 500)]
    departments: u32,
    /// Connections of the load
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Events of each measurement that the budget is made of
    #[arg(long, default_value_t = 50_000)]
    budget_events: usize,
    /// Leave the embedded default out
    #[arg(long)]
    no_embedded: bool,
}

/// One run of all events.
struct Pass {
    events: usize,
    usage: Usage,
    sending_seconds: f64,
    answers: load::Answers,
}

/// Runs the benchmark.
pub(crate) async fn run(options: &Options) -> Result<Value> {
    ensure!(options.departments > 3, "a member is in three departments");
    let cores = available_parallelism()?.get();
    let stage = Stage::start().await?;
    let mut figures = Figures::default();
    for round in 1..=options.rounds {
        say(format_args!("round {round} of {}: the budget", options.rounds));
        let budget = budget::measure(&stage, options, cores).await?;
        tell(&json!({ "run": "budget", "round": round, "budget": budget.told() }));
        say(format_args!("round {round} of {}: the services", options.rounds));
        let services = over_services(&stage, options).await?;
        tell(&services.told("services", round));
        figures.add(&budget, &services);
        if !options.no_embedded {
            say(format_args!("round {round} of {}: the embedded default", options.rounds));
            let embedded = over_embedded(options).await?;
            tell(&embedded.told("embedded", round));
            figures.add_embedded(&budget, &embedded);
        }
    }
    Ok(figures.told(options, cores))
}

async fn over_services(stage: &Stage, options: &Options) -> Result<Pass> {
    let bridge = stage.bridge().await;
    let roots = stage.roots(&bridge);
    pass(&bridge, roots, options).await
}

async fn over_embedded(options: &Options) -> Result<Pass> {
    let bridge = stage::embedded().await;
    let roots = stage::programs(&bridge);
    pass(&bridge, roots, options).await
}

async fn pass(bridge: &Bridge, roots: Roots, options: &Options) -> Result<Pass> {
    let address = entrance(bridge)?;
    let departments = requests::over_http(requests::departments(options.departments), stage::PATH);
    load::send(address, departments, options.connections).await?;
    let rows = i64::from(options.departments);
    until_all_are_there(bridge, rows, false).await?;
    let of = Members { numbers: 0..options.events, departments: options.departments, have_leaders: false };
    let members = requests::over_http(requests::members(&of), stage::PATH);
    let rows = rows + i64::try_from(options.events)?;
    let meter = Meter::start(roots)?;
    let answers = load::send(address, members, options.connections).await?;
    let sending_seconds = meter.read()?.wall_seconds;
    until_all_are_there(bridge, rows, false).await?;
    Ok(Pass { events: options.events, usage: meter.read()?, sending_seconds, answers })
}

impl Pass {
    fn per_second(&self) -> f64 {
        self.events as f64 / self.usage.wall_seconds
    }

    fn told(&self, name: &str, round: usize) -> Value {
        json!({
            "run": name, "round": round, "events": self.events, "seconds": rounded(self.usage.wall_seconds),
            "sending_seconds": rounded(self.sending_seconds), "events_per_second": rounded(self.per_second()),
            "answered_success": self.answers.success, "sent_again": self.answers.repeated,
            "millis_50": rounded(self.answers.millis_at(0.5)), "millis_99": rounded(self.answers.millis_at(0.99)),
            "processor_micros_per_event": self.usage.told(self.events),
            "processor_micros_per_event_of_the_load": rounded(self.usage.own_micros(self.events)),
        })
    }
}

#[derive(Default)]
struct Figures {
    budget_each: Series,
    budget_grouped: Series,
    services: Series,
    over_each: Series,
    over_grouped: Series,
    embedded: Series,
    embedded_over_each: Series,
}

impl Figures {
    fn add(&mut self, budget: &Budget, services: &Pass) {
        self.budget_each.push(budget.each_per_second());
        self.budget_grouped.push(budget.grouped_per_second());
        self.services.push(services.per_second());
        self.over_each.push(services.per_second() / budget.each_per_second());
        self.over_grouped.push(services.per_second() / budget.grouped_per_second());
    }

    fn add_embedded(&mut self, budget: &Budget, embedded: &Pass) {
        self.embedded.push(embedded.per_second());
        self.embedded_over_each.push(embedded.per_second() / budget.each_per_second());
    }

    fn told(&self, options: &Options, cores: usize) -> Value {
        let mut told = json!({
            "benchmark": "pipeline", "events": options.events, "departments": options.departments,
            "connections": options.connections, "rounds": options.rounds, "cores": cores,
            "over_budget_of_one_message_each": self.over_each.against(Limit::AtLeast(0.6), None),
            "over_budget_of_grouped_messages": self.over_grouped.against(Limit::AtLeast(0.7), None),
            "events_per_second": self.services.told(),
            "budget_of_one_message_each": self.budget_each.told(),
            "budget_of_grouped_messages": self.budget_grouped.told(),
        });
        if let Some(fields) = told.as_object_mut().filter(|_| !options.no_embedded) {
            let embedded = json!({
                "events_per_second": self.embedded.told(), "over_budget_of_one_message_each": self.embedded_over_each.told(),
            });
            fields.insert("embedded".to_owned(), embedded);
        }
        told
    }
}
