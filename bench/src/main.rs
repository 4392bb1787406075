#![doc = include_str!("../README.md")]

mod cells;
mod first_sync;
mod gateway;
mod load;
mod memory;
mod meter;
mod numbers;
mod order;
mod output;
mod peer;
mod pipeline;
mod processes;
mod progress;
mod queues;
mod requests;
mod stage;
mod wrk;

use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime::Builder;

/// Measures OrgBridge against limits and peers of the same run. Prints JSON lines; the last one has the ratios.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The gateway on RabbitMQ, interleaved with the Node gateway of two processes.
    Gateway(gateway::Options),
    /// Callback to committed row over RabbitMQ and PostgreSQL, against the budget of this machine.
    Pipeline(pipeline::Options),
    /// The worst order against the natural one, and a large directory against a small one.
    Order(order::Options),
    /// Peak memory of each process: large against small directories, many connections against few.
    Memory(memory::Options),
    /// The first sync of a core product that holds an older copy, and a reconciliation, against COPY of the same rows.
    FirstSync(first_sync::Options),
    /// How many cells many tenants need, and how a morning goes in them: a simulation, which starts nothing.
    Cells(Box<cells::Options>),
}

fn main() -> Result<ExitCode> {
    // One of the processes that are measured is this program too.
    if let Some(ended) = first_sync::serve_if_told() {
        return Ok(ended);
    }
    let arguments = Arguments::parse();
    ensure!(!cfg!(debug_assertions), "figures of a debug build say nothing: cargo run --release -p bench");
    raise_the_limit_of_open_files().context("the limit of open files")?;
    let runtime = Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    output::tell(&runtime.block_on(measure(&arguments.what))?);
    Ok(ExitCode::SUCCESS)
}

async fn measure(what: &What) -> Result<serde_json::Value> {
    match what {
        What::Gateway(options) => Box::pin(gateway::run(options)).await,
        What::Pipeline(options) => Box::pin(pipeline::run(options)).await,
        What::Order(options) => Box::pin(order::run(options)).await,
        What::Memory(options) => Box::pin(memory::run(options)).await,
        What::FirstSync(options) => Box::pin(first_sync::run(options)).await,
        What::Cells(options) => cells::run(options),
    }
}

/// A thousand connections are more than a process may have by default; what is started here inherits it.
fn raise_the_limit_of_open_files() -> rustix::io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
}
