//! After the story: a little life, until somebody ends it.

use std::time::Duration;

use platform_sim::Order;
use tokio_util::sync::CancellationToken;

use super::{display::Display, story::Story, texts, world::World};
use crate::failure::Failure;

/// The pause between two bits of life.
const PAUSE: Duration = Duration::from_secs(2);

/// Says where to look, and lets the company live on until `stop` is cancelled.
pub(super) async fn stay(
    story: &mut Story,
    display: &mut Display<'_, '_>,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    story.world.clock.catch_up();
    say_where(&story.world, display)?;
    display.begin("")?;
    let living = live_on(story, display);
    let ended = stop.run_until_cancelled(living).await;
    display.abandon();
    ended.unwrap_or(Ok(()))
}

async fn live_on(story: &mut Story, display: &Display<'_, '_>) -> Result<(), Failure> {
    let language = display.language();
    for round in 0.. {
        let callbacks = story.world.happen(|company| company.live(2));
        story.send(&callbacks, Order::Shuffled(round), display).await?;
        story.punch(round).await?;
        let seen = story.wait(display, "life", |seen| seen.is_resolved()).await?;
        let (departments, members) = story.world.size();
        display.update(texts::alive(language, departments, members, seen.versions));
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

fn say_where(world: &World, display: &mut Display<'_, '_>) -> Result<(), Failure> {
    let language = display.language();
    let config = world.config_file.display();
    let log = world.config_file.with_file_name(super::LOG_FILE);
    let command = std::env::current_exe().map_or_else(|_| "orgbridge".to_owned(), |path| path.display().to_string());
    display.line(texts::look_here(language, world.listening.admin, world.core.file().display(), log.display()))?;
    Ok(display.line(texts::try_this(language, command, config))?)
}
