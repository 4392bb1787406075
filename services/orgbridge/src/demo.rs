//! `demo`: everything in one process, beside a simulated WeCom, a simulated DingTalk, a simulated Jiandaoyun and a simulated OA, and a story around it.

mod clock;
mod core_tables;
mod display;
mod hires;
mod living;
mod older_copy;
mod plant;
mod runs;
mod story;
mod summary;
mod texts;
mod watch;
mod world;

use std::{fs::File, path::Path, sync::Arc};

use anyhow::Context as _;
use service::{Environment, process};
use tokio::{runtime::Builder, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{Output, arguments, failure::Failure};
use display::Display;
use story::Story;
use summary::Summary;
use world::World;

/// What happens inside, beside the data, for who wants to look.
const LOG_FILE: &str = "orgbridge.log";

/// Runs the demo. With `once` it fails unless source, core product and OA are equal and nothing is lost.
pub(crate) fn run(
    options: &arguments::Demo,
    environment: &Environment,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let directory = tempfile::Builder::new().prefix("orgbridge-demo-").tempdir().context("a temporary directory")?;
    start_log(&directory.path().join(LOG_FILE), environment)?;
    let language = output.language;
    let runtime = Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let told = runtime.block_on(show(options, directory.path(), output));
    // What did not go well is kept, for looking at.
    let is_fine = told.as_ref().is_ok_and(|summary| summary.as_ref().is_none_or(Summary::is_fine));
    if !is_fine {
        let kept = directory.keep();
        Display::new(output, options.json).line(texts::kept(language, kept.display()))?;
    }
    let Some(summary) = told? else { return Ok(()) };
    if options.json {
        let mut line = serde_json::to_vec(&summary).context("writing the summary")?;
        line.push(b'\n');
        output.out().write_all(&line)?;
        output.out().flush()?;
    }
    // With JSON, the last line is that one: the exit code says the rest.
    match (summary.is_fine(), options.json) {
        (true, _) => Ok(()),
        (false, true) => Err(Failure::Silent),
        (false, false) => Err(Failure::say(texts::not_equal(language))),
    }
}

/// `None` when a person ended it before the end of the story.
async fn show(
    options: &arguments::Demo,
    directory: &Path,
    output: &mut Output<'_>,
) -> Result<Option<Summary>, Failure> {
    let stop = CancellationToken::new();
    process::stop_on_signals(stop.clone())?;
    let mut display = Display::new(output, options.json);
    let language = display.language();
    let (world, running) = World::open(options, directory, stop.clone()).await?;
    display.line(texts::title(language, options.members))?;
    let mut story = Story::new(world, options.clone());
    let told = stop.run_until_cancelled(story.tell(&mut display)).await.transpose()?;
    match (&told, options.once) {
        (None, _) => display.abandon(),
        (Some(_), true) => stop.cancel(),
        (Some(_), false) => living::stay(&mut story, &mut display, &stop).await?,
    }
    ended(running).await?;
    if told.is_none() && options.once {
        return Err(Failure::say(texts::interrupted(language)));
    }
    Ok(told)
}

/// How the services ended. What cancelled the stop token may have been the fault of one of them, which is told here.
async fn ended(running: JoinHandle<anyhow::Result<()>>) -> Result<(), Failure> {
    Ok(running.await.context("a service panicked")??)
}

fn start_log(path: &Path, environment: &Environment) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| path.display().to_string())?;
    let filter = environment.get("RUST_LOG").and_then(|chosen| EnvFilter::try_new(chosen).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info,actix_http=off,actix_server=warn"));
    let layer = fmt::layer().with_ansi(false).with_writer(Arc::new(file));
    if tracing_subscriber::registry().with(filter).with(layer).try_init().is_err() {
        tracing::debug!("logging had been started before");
    }
    Ok(())
}
