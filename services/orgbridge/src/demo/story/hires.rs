//! New hires: entered in a form and approved there, created in WeCom, and known to core product and OA though WeCom tells nobody of them.

use std::time::Instant;

use platform_sim::ROOT;

use super::{Story, seconds};
use crate::{
    demo::{display::Display, texts, watch::Seen},
    failure::Failure,
};

impl Story {
    pub(super) async fn hires(&mut self, display: &mut Display<'_, '_>) -> Result<(), Failure> {
        let (language, started) = (display.language(), Instant::now());
        display.begin(texts::hires(language))?;
        let departments = self.departments();
        let entered = self.world.hires.enter(&departments)?;
        self.push_hires().await?;
        let first = |seen: &Seen| seen.is_settled() && seen.hires_created + 1 == entered && seen.hires_refused == 1;
        self.sum.hires_refused = self.wait(display, "new hires", first).await?.hires_refused;
        self.world.hires.correct()?;
        self.push_hires().await?;
        let all = |seen: &Seen| seen.is_settled() && seen.hires_created == entered && seen.hires_refused == 0;
        self.sum.hires_created = self.wait(display, "the corrected one", all).await?.hires_created;
        let (created, refused) = (self.sum.hires_created, self.sum.hires_refused);
        Ok(display.end(texts::hires_done(language, created, refused, seconds(started.elapsed())))?)
    }

    async fn push_hires(&self) -> anyhow::Result<()> {
        let gateway = self.world.listening.gateway.ok_or_else(|| anyhow::anyhow!("the gateway does not listen"))?;
        self.world.hires.push(gateway, &self.world.tenant).await
    }

    /// Those below the root.
    fn departments(&self) -> Vec<u64> {
        let source = self.world.source();
        source.departments.keys().filter(|id| *id != ROOT).filter_map(|id| id.parse().ok()).collect()
    }
}
