//! `spool drain`

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use broker::{SpoolOptions, Spooled};
use database::DirectoryLock;
use serde_json::json;
use service::Config;

use super::{Done, Source};
use crate::{Output, arguments::Printing, failure::Failure, texts};

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long nothing may move before the broker counts as away.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of a spool.
struct Drained {
    published: u64,
    left: u64,
}

/// Publishes what a gateway left in its data directory to the broker of the configuration, in order. What is cut off in the
/// middle goes on the next time; a few may then be published twice, which does no harm.
pub(super) fn drain(source: &Source, directory: &Path, printing: Printing, output: &mut Output<'_>) -> Done {
    let (config, language) = (source.config()?, output.language);
    if config.broker.url.expose() == "embedded" {
        return Err(Failure::Wrong(vec![texts::no_broker_to_drain_to(language)]));
    }
    // Looked at first: taking a directory would make it.
    if !directory.join(Spooled::FILE_NAME).is_file() {
        return Err(Failure::say(texts::no_spool(language, directory.display())));
    }
    let _lock = DirectoryLock::acquire(directory).with_context(|| texts::stop_the_gateway_first(language))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let Drained { published, left } = runtime.block_on(publish(&config, directory))?;
    if printing.json {
        output.json(&json!({ "published": published, "left": left }))?;
    } else if left == 0 {
        output.line(texts::spool_drained(language, published))?;
    }
    if left == 0 { Ok(()) } else { Err(Failure::say(texts::spool_not_drained(language, published, left))) }
}

async fn publish(config: &Config, directory: &Path) -> anyhow::Result<Drained> {
    let main = service::open_rabbitmq(config)?;
    let options = SpoolOptions::new(config.broker.spool_max_bytes);
    let spooled = Spooled::open_in(directory, Arc::new(main.clone()), options).await.context("opening the spool")?;
    let found = spooled.stats().events;
    let (mut left, mut moved) = (found, Instant::now());
    while left > 0 && moved.elapsed() < PATIENCE {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = spooled.stats().events;
        if now < left {
            (left, moved) = (now, Instant::now());
        }
    }
    spooled.close().await;
    main.close().await;
    // Closing may have brought over some more.
    let left = spooled.stats().events;
    Ok(Drained { published: found.saturating_sub(left), left })
}
