#![doc = include_str!("../README.md")]

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

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(!cfg!(debug_assertions), "figures of a debug build say nothing: cargo run --release -p bench");
    raise_the_limit_of_open_files().context("the limit of open files")?;
    let result = match &arguments.what {
        What::Gateway(options) => Box::pin(gateway::run(options)).await?,
        What::Pipeline(options) => Box::pin(pipeline::run(options)).await?,
        What::Order(options) => Box::pin(order::run(options)).await?,
        What::Memory(options) => Box::pin(memory::run(options)).await?,
    };
    output::tell(&result);
    Ok(())
}

/// A thousand connections are more than a process may have by default; what is started here inherits it.
fn raise_the_limit_of_open_files() -> rustix::io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
}
