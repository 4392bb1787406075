//! A run from the moment at which it is asked for until nobody works on it: what each of its steps took.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};
use store::runs::{Run, RunState, Step, Wanted};
use tokio::time::sleep;

use super::scene::Scene;
use crate::{
    meter::{Meter, Usage},
    numbers::rounded,
};

/// A step that is shorter is told with the one after it.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// No step takes that long, whatever the company's size.
const PATIENCE: Duration = Duration::from_secs(7200);

/// The steps of a run, in their order.
pub(super) struct Steps {
    pub(super) run: Run,
    taken: Vec<(Step, Usage)>,
}

impl Steps {
    /// Asks for a run, and waits until nobody works on it any more.
    pub(super) async fn of(scene: &mut Scene, wanted: Wanted) -> Result<Self> {
        let asked = scene.request(wanted).await?;
        let (mut taken, mut at) = (Vec::new(), asked.step);
        let (mut meter, mut began) = (Meter::start(scene.roots())?, Instant::now());
        loop {
            let run = scene.look(&asked.id).await?;
            let is_over = !run.state.is_at_work();
            if run.step != at || is_over {
                taken.push((at, meter.read()?));
                (meter, began) = (Meter::start(scene.roots())?, Instant::now());
                at = run.step;
            }
            if is_over {
                return Self { run, taken }.checked().with_context(|| scene.logs());
            }
            if began.elapsed() > PATIENCE {
                bail!("the run is at {} for {PATIENCE:?}: {}", at.as_str(), scene.logs());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn checked(self) -> Result<Self> {
        let Run { state, why, .. } = &self.run;
        let is_fine = matches!(state, RunState::Planned | RunState::Finished);
        ensure!(is_fine, "the run is {}: {}", state.as_str(), why.as_deref().unwrap_or("nobody says why"));
        ensure!(self.run.is_complete, "a side was not whole");
        Ok(self)
    }

    /// Seconds by the clock of those steps.
    pub(super) fn seconds_of(&self, wanted: &[Step]) -> f64 {
        self.those(wanted).map(|usage| usage.wall_seconds).sum()
    }

    /// Seconds by the clock of all steps.
    pub(super) fn seconds(&self) -> f64 {
        self.taken.iter().map(|(_, usage)| usage.wall_seconds).sum()
    }

    /// Microseconds of processor time per entity of those steps, services and servers together.
    pub(super) fn micros_of(&self, wanted: &[Step], entities: usize) -> f64 {
        self.those(wanted).map(|usage| usage.all_micros(entities)).sum()
    }

    /// The same of all steps.
    pub(super) fn micros(&self, entities: usize) -> f64 {
        self.taken.iter().map(|(_, usage)| usage.all_micros(entities)).sum()
    }

    fn those(&self, wanted: &[Step]) -> impl Iterator<Item = &Usage> {
        self.taken.iter().filter(|(step, _)| wanted.contains(step)).map(|(_, usage)| usage)
    }

    /// Each step with its seconds, and the processor time of each program.
    pub(super) fn told(&self, entities: usize) -> Value {
        let told = |(step, usage): &(Step, Usage)| {
            let step_told = json!({
                "seconds": rounded(usage.wall_seconds),
                "processor_micros_per_entity": usage.told(entities),
                "processor_micros_per_entity_of_the_platform": rounded(usage.own_micros(entities)),
            });
            (step.as_str().to_owned(), step_told)
        };
        Value::Object(self.taken.iter().map(told).collect::<Map<String, Value>>())
    }
}
