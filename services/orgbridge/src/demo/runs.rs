//! Runs, asked for as `orgbridge sync` does.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use common::{Clock as _, TenantId};
use database::Connection;
use store::{
    runs::{self, Run, RunState, Wanted, Wish},
    snapshots,
};

use super::{display::Display, texts, world::World};

const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Longer than any step here; a pull of a big company is one.
const PATIENCE: Duration = Duration::from_secs(300);

impl World {
    /// Asks for a run of a tenant, and waits until nobody works on it any more.
    pub(super) async fn sync(
        &self,
        tenant: &TenantId,
        wanted: Wanted,
        display: &Display<'_, '_>,
    ) -> anyhow::Result<Run> {
        let (tenant, now) = (tenant.clone(), self.clock.now());
        let ask = move |conn: &mut Connection| runs::request(conn, &tenant, Wish { wanted, key: None }, now);
        let asked = self.context.database.write("demo.run", ask).await?.context("the tenant is applied")?;
        let (mut at, mut moved) = (None, Instant::now());
        loop {
            let run = self.run(&asked.id).await?;
            if !run.state.is_at_work() {
                return expect(run, display);
            }
            display.update(texts::running(display.language(), run.step.as_str(), run.done, run.total));
            if at != Some((run.step, run.done)) {
                (at, moved) = (Some((run.step, run.done)), Instant::now());
            }
            if moved.elapsed() > PATIENCE {
                bail!(texts::run_stopped(display.language(), run.step.as_str(), run.why.unwrap_or_default()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn run(&self, id: &str) -> anyhow::Result<Run> {
        let id = id.to_owned();
        let found = self.context.database.read("demo.run", move |conn| runs::get(conn, &id)).await?;
        found.context("the run was forgotten")
    }

    /// How many entities the last pull found that callbacks should have told of.
    pub(super) async fn untold(&self) -> anyhow::Result<u64> {
        let tenant = self.tenant.clone();
        let pull = self.context.database.read("demo.pull", move |conn| snapshots::get(conn, &tenant)).await?;
        Ok(pull.map(|pull| pull.differences).unwrap_or_default())
    }
}

/// The run, if it is where it was to go.
fn expect(run: Run, display: &Display<'_, '_>) -> anyhow::Result<Run> {
    if matches!(run.state, RunState::Planned | RunState::Finished) {
        return Ok(run);
    }
    bail!(texts::run_stopped(display.language(), run.state.as_str(), run.why.unwrap_or_default()))
}
