//! The morning: a company that was there before on both sides.

use std::time::Instant;

use store::runs::Wanted;

use super::{Story, seconds};
use crate::{
    demo::{display::Display, texts, watch::Seen},
    failure::Failure,
};

impl Story {
    pub(super) async fn introduction(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let language = display.language();
        display.begin(texts::introduction(language))?;
        let took = self.world.address_verified().await?;
        let known = self.world.known_before;
        let told = texts::introduction_done(language, took.as_millis(), known.departments, known.members);
        Ok(display.end(told)?)
    }

    pub(super) async fn plan(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let (language, started) = (display.language(), Instant::now());
        display.begin(texts::plan(language))?;
        let counts = self.world.sync(&self.world.tenant, Wanted::Plan, display).await?.counts;
        self.sum.plan = counts;
        let told = texts::plan_done(
            language,
            counts.link,
            counts.create,
            counts.update,
            counts.disable,
            counts.unsure + counts.impossible,
            seconds(started.elapsed()),
        );
        Ok(display.end(told)?)
    }

    pub(super) async fn apply(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let (language, started) = (display.language(), Instant::now());
        display.begin(texts::apply(language))?;
        self.world.sync(&self.world.tenant, Wanted::Apply, display).await?;
        self.world.oa_registered().await?;
        self.wait(display, "first sync", Seen::is_settled).await?;
        let (departments, members) = self.world.size();
        Ok(display.end(texts::apply_done(language, departments, members, seconds(started.elapsed())))?)
    }
}
