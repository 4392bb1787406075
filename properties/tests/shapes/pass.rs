//! One first sync, from an empty mirror to a product that is in step.

use std::{path::Path, sync::Arc, time::Duration};

use broker::Lane;
use common::TenantId;
use database::Connection;
use outbound::{Guard, Unlimited};
use store::{
    runs::{self, Run, RunState, Wanted, Wish},
    snapshots,
};
use synchronizer::{Synchronizer, Timing};
use test_kit::Stage;
use tokio::time::{Instant, sleep};

use crate::{
    platform::Platform,
    processor,
    product::Product,
    shape::{ENTITIES, Shape},
};

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Longer than any test: no pull happens by itself beside that of the run.
const NEVER_SECONDS: i64 = 100 * 365 * 86_400;

/// Pulls, compares, plans and applies a company of this shape; returns the processor time that went into it, in seconds.
pub(crate) async fn pass(shape: &Shape) -> f64 {
    let platform = Platform::start(shape).await;
    let stage = Stage::open().await;
    let path = stage.directory().join("core.db");
    let mut product = Product::create(&path);
    stage.apply(&file(platform.url(), &path)).await;
    let now = stage.context.clock.now();
    let ask = move |conn: &mut Connection| -> database::Result<Run> {
        snapshots::announce(conn, &tenant(), now.plus_seconds(NEVER_SECONDS))?;
        let run = runs::request(conn, &tenant(), Wish { wanted: Wanted::Apply, key: None }, now)?;
        Ok(run.expect("a run"))
    };
    let run = stage.context.database.write("test", ask).await.unwrap();

    let before = processor::seconds();
    let running = [
        tokio::spawn(resolver::run(service::Config::default().resolver, vec![Lane::shared()], stage.context.clone())),
        tokio::spawn(sink::run(
            service::Config::default().sink,
            Guard::new(Vec::new()),
            vec![Lane::shared()],
            stage.context.clone(),
        )),
        tokio::spawn(synchronizer_of(&stage).run()),
    ];
    until_in_step(&stage, &run.id, &mut product).await;
    let used = processor::seconds() - before;

    stage.context.stop.cancel();
    for one in running {
        one.await.unwrap().unwrap();
    }
    stage.stop().await;
    used
}

fn synchronizer_of(stage: &Stage) -> Synchronizer {
    let timing = Timing { walk_every: Duration::from_secs(3600), ..Timing::default() };
    let http = outbound::Client::new(Guard::new(vec!["127.0.0.0/8".parse().unwrap()]), timing.request_timeout).unwrap();
    let (config, context) = (service::Config::default().synchronizer, stage.context.clone());
    Synchronizer::new(config, vec![Lane::shared()], context, http, Arc::new(Unlimited)).with_timing(timing)
}

/// Waits until the run is finished and the product shows everybody.
async fn until_in_step(stage: &Stage, id: &str, product: &mut Product) {
    let end = Instant::now() + PATIENCE;
    loop {
        let of = id.to_owned();
        let run =
            stage.context.database.read("test", move |conn| runs::get(conn, &of)).await.unwrap().expect("the run");
        if !run.state.is_at_work() {
            assert_eq!(run.state, RunState::Finished, "{:?}", run.why);
            let planned = run.counts.create + run.counts.link;
            assert_eq!(planned, ENTITIES as u64 + 1, "the mirror has the root and all others before it is compared");
            if product.count() == ENTITIES + 1 {
                return;
            }
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {run:?}");
        sleep(LOOK_EVERY).await;
    }
}

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn file(api_base: &str, core: &Path) -> String {
    format!(
        r#"
id = "acme"
name = "Company"
[wecom]
corp_id = "ww1"
contact_secret = "contact-secret"
agent_secret = "app-secret"
callback_token = "tok"
callback_aes_key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
api_base = "{api_base}"
[[destinations]]
id = "core"
kind = "sqlite"
role = "core"
url = "sqlite://{}"
"#,
        core.display()
    )
}
