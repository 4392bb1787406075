//! From the command line to running services.

use std::{net::TcpListener, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Parser;
use futures::future::BoxFuture;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Context, Environment, Inhabitants, Problem, Running,
    admin::{self, DatabaseFacts},
    open, supervise, telemetry,
    tenants::TenantsDirectory,
};

/// What a stopping process may take; shorter than a pod's grace of 30 s.
pub const GRACE: Duration = Duration::from_secs(18);
/// What closing the queue may take after that.
const CLOSING: Duration = Duration::from_secs(5);
/// What blocking work may take after that.
pub const LAST_WORK: Duration = Duration::from_secs(1);

/// The arguments of a binary with one service.
#[derive(Debug, Parser)]
struct Arguments {
    /// Configuration file; the defaults when absent.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Makes the services of a process.
pub type Build = Box<dyn FnOnce(&Config, &Context) -> anyhow::Result<Vec<Running>>>;

/// The process environment, as a value. Variables that are not Unicode are left out.
pub fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The whole of a binary with one service: arguments, configuration, logging, signals, opening, supervision. `build` makes the
/// services from the configuration and the context, binding their sockets. Exit code 0 fine, 1 failed, 2 wrong usage
/// or configuration.
pub fn main(
    name: &'static str,
    build: impl FnOnce(&Config, &Context) -> anyhow::Result<Vec<Running>> + 'static,
) -> ExitCode {
    start(name, Box::new(build))
}

/// What is not made anew for every binary.
fn start(name: &'static str, build: Build) -> ExitCode {
    let command = <Arguments as clap::CommandFactory>::command().name(name);
    let arguments = command.get_matches();
    let path = arguments.get_one::<PathBuf>("config").cloned();
    let environment = environment();
    let config = match Config::load(path.as_deref(), &environment) {
        Ok(config) => config,
        Err(problems) => return refuse(&problems),
    };
    telemetry::init(&config.telemetry, &environment);
    let inhabitants = Inhabitants::alone(name);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if inhabitants.gateway {
        // Requests are served by threads of the HTTP server's own; what is left here is one task that publishes.
        runtime.worker_threads(1);
    }
    let runtime = match runtime.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("starting the runtime")),
    };
    let served = runtime.block_on(serve(&config, environment, inhabitants, build));
    // Blocking work that hangs at a server must not keep the process: it is rolled back there.
    runtime.shutdown_timeout(LAST_WORK);
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Opens, runs the services that `build` makes, and returns when they have stopped after a signal.
///
/// # Errors
/// What could not be opened, or the first fault of a service.
pub async fn serve(
    config: &Config,
    environment: Environment,
    inhabitants: Inhabitants,
    build: Build,
) -> anyhow::Result<()> {
    raise_file_limit();
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let admin_listener = bind("admin.listen", config.admin.listen)?;
    let ctx = open(config, inhabitants, stop).await?;
    if let Some(directory) = config.tenants_dir.clone() {
        TenantsDirectory::start(&ctx, directory, environment).await.context("reading the tenants")?;
    }
    let services = build(config, &ctx)?;
    let names: Vec<&str> = services.iter().map(Running::name).collect();
    tracing::info!(services = names.join(","), instance = ctx.instance, "started");
    // The resolver is in every installation, and one of it is enough for what a scrape asks the database.
    let facts = if names.contains(&"resolver") { DatabaseFacts::Exported } else { DatabaseFacts::LeftOut };
    let admin_stop = CancellationToken::new();
    let admin = tokio::spawn(admin::serve(admin_listener, ctx.clone(), facts, admin_stop.clone()));
    let result = supervise(services, &ctx, GRACE).await;
    admin_stop.cancel();
    let admin = admin.await.context("the admin server panicked")?;
    close(&ctx).await;
    tracing::info!("stopped");
    result.and(admin)
}

/// Closes the queue, within bounds.
pub fn close(ctx: &Context) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        if tokio::time::timeout(CLOSING, ctx.close()).await.is_err() {
            tracing::warn!("the queue is not closed in order; what is in its spool stays there for the next start");
        }
    })
}

/// Binds a socket; `key` names the setting in the error.
///
/// # Errors
/// When the address is taken or not ours.
pub fn bind(key: &str, address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("{key}: cannot listen on {address}"))
}

/// Cancels `stop` on the first SIGTERM or SIGINT; a second one ends the process at once.
///
/// # Errors
/// When signals cannot be listened to.
pub fn stop_on_signals(stop: CancellationToken) -> anyhow::Result<()> {
    let listen = |kind| signal(kind).context("listening to signals");
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tokio::spawn(async move {
        next(&mut terminate, &mut interrupt).await;
        tracing::info!("stopping; a second signal ends the process at once");
        stop.cancel();
        next(&mut terminate, &mut interrupt).await;
        std::process::exit(1);
    });
    Ok(())
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Raises this process's limit of open files to what the system allows, at most 65,536. A connection is a file, and the
/// usual limit of 1024 is little for a gateway. A limit that cannot be raised stays as it is; that is only logged.
pub fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised =
        Rlimit { current: limit.maximum.map(|most| most.min(65_536)).or(Some(65_536)), maximum: limit.maximum };
    if limit.current < raised.current
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

#[expect(clippy::print_stderr, reason = "a command's errors go to stderr, one line each")]
fn refuse(problems: &[Problem]) -> ExitCode {
    for problem in problems {
        eprintln!("{problem}");
    }
    ExitCode::from(2)
}

#[expect(clippy::print_stderr, reason = "a command's errors go to stderr, one line each")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("{error:#}");
    ExitCode::FAILURE
}
