//! RabbitMQ away in three ways, until the spools are full and beyond.

use std::sync::Arc;

use serde_json::{Value, json};
use test_kit::{Proxy, Server, Servers};
use tests::{Bridge, Deployment, Setup, Spread};
use tokio::{task::spawn_blocking, time::Instant};

use crate::{
    feed::{AT_ONCE, Fed, departments, dispatcher, feed},
    watch::{is_marked, not_in_core, seconds_since, spool_is_empty},
};

const CALLBACKS: usize = 1000;
/// Before the outage.
const WARM_UP: usize = 100;
/// Of each of two gateways: about 200 events.
const SPOOL_BYTES: u64 = 110_000;

/// How RabbitMQ is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    /// Nobody listens.
    Stopped,
    /// Connections stay and pass nothing.
    BlackHole,
    /// It takes nothing, and says nothing.
    Alarm,
}

impl Outage {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::BlackHole => "black-hole",
            Self::Alarm => "alarm",
        }
    }

    async fn begin(self, servers: &Arc<Servers>, line: &Proxy) {
        match self {
            Self::Stopped => blocking(servers, |servers| servers.kill(Server::RabbitMq)).await,
            Self::BlackHole => line.black_hole(true),
            Self::Alarm => blocking(servers, |servers| servers.disk_alarm(true)).await,
        }
    }

    async fn end(self, servers: &Arc<Servers>, line: &Proxy) {
        match self {
            Self::Stopped => blocking(servers, |servers| servers.start_again(Server::RabbitMq)).await,
            Self::BlackHole => line.black_hole(false),
            Self::Alarm => blocking(servers, |servers| servers.disk_alarm(false)).await,
        }
    }
}

pub(crate) async fn trial(servers: &Arc<Servers>, outage: Outage) -> Value {
    let line = Proxy::start([servers.broker()]).await;
    let spread = Spread {
        // A proxy would take connections that it then cannot carry on.
        broker: (outage != Outage::Stopped).then(|| line.address()),
        spool_max_bytes: Some(SPOOL_BYTES),
        ..Spread::over(Arc::clone(servers))
    };
    let bridge = Bridge::start(&Setup { deployment: Deployment::Services(spread), ..Setup::default() }).await;
    let dispatcher = dispatcher(&bridge.callback_url());
    let callbacks = departments(WARM_UP + CALLBACKS);
    let (before, during) = callbacks.split_at(WARM_UP);
    let warm = feed(&dispatcher, before).await;
    assert_eq!(warm.answered.len(), before.len(), "all is well before the outage");

    outage.begin(servers, &line).await;
    let (mut until_full, mut beyond) = (Fed::default(), Fed::default());
    for part in during.chunks(AT_ONCE) {
        let fed = feed(&dispatcher, part).await;
        // Beyond it some are answered all the same: small ones that fit, and what the other gateway takes.
        let is_full = fed.unanswered > 0 || beyond.unanswered > 0;
        if is_full { beyond.add(fed) } else { until_full.add(fed) }
    }
    outage.end(servers, &line).await;

    let ended = Instant::now();
    let ready = seconds_since(ended, async || bridge.are_ready().await).await;
    let empty = seconds_since(ended, async || spool_is_empty(&bridge).await).await;
    let mut answered = until_full.answered.clone();
    answered.extend(beyond.answered.iter().chain(&warm.answered).cloned());
    let arrived = seconds_since(ended, async || not_in_core(&bridge, &answered).await == 0).await;
    json!({
        "trial": outage.name(), "callbacks": during.len(),
        "until_full": {
            "success": until_full.answered.len(), "other_answers": until_full.other_answers,
            "slowest_millis": until_full.slowest_millis,
        },
        "beyond": {
            "success": beyond.answered.len(), "other_answers": beyond.other_answers, "unanswered": beyond.unanswered,
            "held_seconds_at_most": beyond.seconds,
        },
        "after_its_return": {
            "ready_seconds": ready, "spool_empty_seconds": empty, "all_success_in_core_seconds": arrived,
        },
        "tenant_is_marked": is_marked(&bridge),
    })
}

async fn blocking(servers: &Arc<Servers>, work: fn(&Servers)) {
    let servers = Arc::clone(servers);
    spawn_blocking(move || work(&servers)).await.unwrap();
}
