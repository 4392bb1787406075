//! The simulator as a program: see [`platform_sim::sandbox`].

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};
use platform_sim::api::ApiClock;
use platform_sim::sandbox::{Address, Options, Platform, Sandbox, Site, health, tenant_file};
use tokio::runtime::Runtime;

type Failure = Box<dyn std::error::Error>;

/// A simulated WeCom, DingTalk and OA, to try a bridge with.
#[derive(Debug, Parser)]
#[command(name = "platform-sim", version, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run it: a company and its plant live on until they are stopped
    Serve(Options),
    /// Print the tenant's file with which a bridge serves it
    Tenant {
        /// The company's, or the plant's
        #[arg(value_enum, default_value = "wecom")]
        platform: Platform,
        #[command(flatten)]
        site: Site,
    },
    /// Ask one that runs on this machine whether it is well; exit 1 if not
    Health(Address),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            writeln!(io::stderr(), "platform-sim: {failure}").ok();
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(options) => Runtime::new()?.block_on(serve(&options)),
        Command::Tenant { platform, site } => Ok(io::stdout().write_all(tenant_file(platform, &site)?.as_bytes())?),
        Command::Health(address) => Ok(Runtime::new()?.block_on(health(&address))?),
    }
}

async fn serve(options: &Options) -> Result<(), Failure> {
    // First of all, or a signal that comes while it opens would be missed.
    let stop = stop()?;
    let sandbox = Sandbox::open(options, &system_clock())?;
    writeln!(io::stderr(), "platform-sim: its status is at http://{}/status", sandbox.address()).ok();
    sandbox.run(stop).await;
    writeln!(io::stderr(), "platform-sim: ended; {}", sandbox.status()).ok();
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is where time is injected from")]
fn system_clock() -> ApiClock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// Is over when somebody wants it to end.
#[cfg(unix)]
fn stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _told = terminate.recv() => {}
            _told = interrupt.recv() => {}
        }
    })
}

/// Is over when somebody wants it to end.
#[cfg(not(unix))]
fn stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
