//! Waiting for a run that a synchronizer works on.

use std::{
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use store::runs::{self, Run};

use super::{Desk, Failure, Output, texts};

/// The time limit of one request to a product's server.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// How often it is looked how a run stands.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A run that nobody took on for so many looks is not going to be.
const LOOKS_UNTIL_STARTED: u32 = 75;

/// Waits until a run is where it is wanted, with a moving line on a terminal.
pub(super) async fn until(
    desk: &Desk,
    mut run: Run,
    output: &Output<'_>,
    is_there: impl Fn(&Run) -> bool,
) -> Result<Run, Failure> {
    let moving = stderr().is_terminal().then(bar);
    let mut looks = 0;
    while !is_there(&run) {
        if run.started_at.is_none() && looks >= LOOKS_UNTIL_STARTED {
            return Err(Failure::say(texts::run_is_not_taken_on(output.language, run.id)));
        }
        if let Some(moving) = &moving {
            moving.set_length(run.total.max(1));
            moving.set_position(run.done);
            moving.set_message(texts::run_progress(output.language, run.step.as_str(), run.done, run.total));
        }
        tokio::time::sleep(LOOK_EVERY).await;
        looks += 1;
        let id = run.id.clone();
        let found = desk.database.read("runs.get", move |conn| runs::get(conn, &id)).await?;
        run = found.ok_or_else(|| Failure::say(texts::no_run(output.language, &run.id)))?;
    }
    if let Some(moving) = moving {
        moving.finish_and_clear();
    }
    Ok(run)
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {bar:30} {msg}");
    let moving = ProgressBar::new(1).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    moving.enable_steady_tick(Duration::from_millis(100));
    moving
}
