//! A spool whose disk has no room left, while RabbitMQ is away.

use std::{collections::BTreeSet, sync::Arc};

use platform_sim::{Callback, Dispatcher};
use serde_json::{Value, json};
use test_kit::{Proxy, Servers};
use tests::{Ballast, Bridge, Deployment, Setup, SmallDisk, Spread};
use tokio::time::Instant;

use crate::{
    feed::{AT_ONCE, Fed, departments, dispatcher, feed},
    watch::{is_marked, not_in_core, seconds_since, spool_is_empty},
};

/// The log of a spool alone may have 64 MB before it is copied back.
const MEGABYTES: u32 = 96;
/// While there is room, while there is none, and when there is some again.
const CALLBACKS: [usize; 3] = [400, 200, 400];

pub(crate) async fn trial(servers: &Arc<Servers>) -> Value {
    let Some(disk) = SmallDisk::mount(MEGABYTES) else {
        return json!({ "trial": "disk", "left_out": "no disk can be mounted here" });
    };
    let line = Proxy::start([servers.broker()]).await;
    // One gateway: another one would have room.
    let spread = Spread { replicas: 1, broker: Some(line.address()), ..Spread::over(Arc::clone(servers)) };
    let setup = Setup {
        deployment: Deployment::Services(spread),
        gateway_data: Some(disk.path().to_owned()),
        ..Setup::default()
    };
    let bridge = Bridge::start(&setup).await;
    let dispatcher = dispatcher(&bridge.callback_url());
    let [before, full, after] = CALLBACKS;
    let callbacks = departments(before + full + after);
    let (before, rest) = callbacks.split_at(before);
    let (full, after) = rest.split_at(full);

    line.black_hole(true);
    let with_room = feed_all(&dispatcher, before).await;
    let ballast = Ballast::fill(disk.path());
    let without = feed_all(&dispatcher, full).await;
    drop(ballast);
    let freed = Instant::now();
    let ready = seconds_since(freed, async || bridge.are_ready().await).await;
    let again = feed_all(&dispatcher, after).await;
    line.black_hole(false);

    let returned = Instant::now();
    let empty = seconds_since(returned, async || spool_is_empty(&bridge).await).await;
    let parts = [&with_room, &without, &again];
    let answered: BTreeSet<String> = parts.into_iter().flat_map(|fed| fed.answered.iter().cloned()).collect();
    let arrived = seconds_since(returned, async || not_in_core(&bridge, &answered).await == 0).await;
    json!({
        "trial": "disk",
        "with_room": told(&with_room),
        "without_room": told(&without),
        "ready_seconds_after_room_is_back": ready,
        "with_room_again": told(&again),
        "after_rabbitmq_is_back": { "spool_empty_seconds": empty, "all_success_in_core_seconds": arrived },
        "tenant_is_marked": is_marked(&bridge),
    })
}

async fn feed_all(dispatcher: &Dispatcher, callbacks: &[Callback]) -> Fed {
    let mut all = Fed::default();
    for part in callbacks.chunks(AT_ONCE) {
        all.add(feed(dispatcher, part).await);
    }
    all
}

fn told(fed: &Fed) -> Value {
    json!({
        "success": fed.answered.len(), "other_answers": fed.other_answers, "unanswered": fed.unanswered,
        "slowest_success_millis": fed.slowest_millis,
    })
}
