//! One gateway on RabbitMQ, interleaved with the Node gateway that a user would write.
//!
//! Ours has everything on that the contract asks: tenants from the database, keys and their rotation, the clock check, limits,
//! metrics, the spool; and groups what waits at the same time into one message. The Node gateway sends one message per callback.
//! Both answer after the broker's confirmation, get the same callbacks, and have nobody behind them; what they took over is
//! counted by taking it out of the queues, document by document.

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tests::Bridge;
use tokio::time::sleep;

use crate::{
    load,
    meter::{Meter, Roots, Usage},
    numbers::{Limit, Series, rounded},
    output::{say, tell},
    peer::{self, Peer},
    queues::{self, Content, Queues},
    requests::{self, Members},
    stage::{self, Stage},
    wrk::{Counted, Wrk},
};

/// What was in hand when the load stopped is in the queues after that.
const SETTLES: Duration = Duration::from_millis(500);
/// Departments that members are spread over.
const DEPARTMENTS: u32 = 500;
/// What the meter calls the gateway, whichever it is.
const GATEWAY: &str = "gateway";

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Pairs of a run of the Node gateway and one of ours
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each run is
    #[arg(long, default_value_t = 6)]
    seconds: u64,
    /// How long each gateway is warmed up before
    #[arg(long, default_value_t = 2)]
    warm_seconds: u64,
    /// Connections of the load
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Different callbacks of a run; faster gateways get them again
    #[arg(long, default_value_t = 120_000)]
    requests: usize,
    /// Callbacks that are sent once each at the end, to count what became of them
    #[arg(long, default_value_t = 4_000)]
    exact: usize,
    /// The shared benchmarks
    #[arg(long, default_value = "../shared/bench")]
    peers: PathBuf,
}

/// A gateway that is up, and the queues that it fills.
struct Subject {
    address: SocketAddr,
    path: &'static str,
    queues: Queues,
    roots: Roots,
}

/// One run.
struct Run {
    counted: Counted,
    usage: Usage,
    content: Content,
}

/// Runs the benchmark.
pub(crate) async fn run(options: &Options) -> Result<Value> {
    let peer = Peer::prepare(&options.peers)?;
    let directory = tempfile::tempdir()?;
    let wrk = Wrk::new(&directory.path().join("callbacks"), options.connections)?;
    let stage = Stage::start().await?;
    let mut ratios = Ratios::default();
    for round in 1..=options.rounds {
        say(format_args!("round {round} of {}", options.rounds));
        // Anew each time: a signature is good for five minutes.
        let of = Members { numbers: 0..options.requests, departments: DEPARTMENTS, have_leaders: true };
        requests::write_lines(&requests::members(&of), wrk.lines())?;
        let node = of_node(&stage, &peer, &wrk, options).await?;
        tell(&node.told("node", round, options));
        let ours = of_ours(&stage, &wrk, options).await?;
        tell(&ours.told("orgbridge", round, options));
        ratios.add(&node, &ours, options);
    }
    let exact = exactly_once(&stage, options).await?;
    Ok(ratios.told(options, &exact))
}

async fn of_node(stage: &Stage, peer: &Peer, wrk: &Wrk, options: &Options) -> Result<Run> {
    let vhost = stage.vhost();
    let node = peer.start(vhost.url()).await?;
    let mut roots = stage.servers_alone();
    roots.insert(GATEWAY, vec![node.id()]);
    let queues = Queues::open(vhost.url(), vec![peer::QUEUE.to_owned()]).await?;
    time(Subject { address: node.address, path: peer::PATH, queues, roots }, wrk, options).await
}

async fn of_ours(stage: &Stage, wrk: &Wrk, options: &Options) -> Result<Run> {
    let bridge = stage.gateway_alone().await;
    let mut roots = stage.servers_alone();
    roots.insert(GATEWAY, bridge.process_ids().into_iter().map(|(_, id)| id).collect());
    let subject = Subject { address: entrance(&bridge)?, path: stage::PATH, queues: filled_by(&bridge).await?, roots };
    time(subject, wrk, options).await
}

/// Where the gateway itself listens.
pub(crate) fn entrance(bridge: &Bridge) -> Result<SocketAddr> {
    bridge.gateways().first().copied().context("there is no gateway")
}

/// The queues that gateways fill.
pub(crate) async fn filled_by(bridge: &Bridge) -> Result<Queues> {
    let (_, vhost) = bridge.servers();
    Queues::open(vhost.url(), queues::ours()).await
}

async fn time(subject: Subject, wrk: &Wrk, options: &Options) -> Result<Run> {
    let Subject { address, path, queues, roots } = subject;
    wrk.run(address, path, options.warm_seconds).await?;
    sleep(SETTLES).await;
    queues.purge().await?;
    let meter = Meter::start(roots)?;
    let counted = wrk.run(address, path, options.seconds).await?;
    let usage = meter.read()?;
    sleep(SETTLES).await;
    let content = queues.drain(|_| {}).await?;
    queues.close().await?;
    Ok(Run { counted, usage, content })
}

impl Run {
    /// Requests that were answered with 200.
    fn answered(&self) -> usize {
        self.counted.requests.saturating_sub(self.counted.refused)
    }

    /// Events without an answer: those that were in hand when wrk stopped.
    fn surplus(&self) -> i64 {
        self.content.events as i64 - self.answered() as i64
    }

    /// Exactly one event per accepted request, and nothing refused.
    fn is_sound(&self, options: &Options) -> bool {
        let failed = self.counted.refused + self.counted.broken + self.counted.timed_out;
        failed == 0 && (0..=options.connections as i64).contains(&self.surplus())
    }

    fn gateway_micros(&self) -> f64 {
        self.usage.micros(GATEWAY, self.counted.requests)
    }

    /// The gateway with both servers.
    fn all_micros(&self) -> f64 {
        self.usage.all_micros(self.counted.requests)
    }

    fn told(&self, gateway: &str, round: usize, options: &Options) -> Value {
        json!({
            "run": "gateway", "gateway": gateway, "round": round, "counted": self.counted,
            "processor_micros_per_request": self.usage.told(self.counted.requests),
            "wrk_micros_per_request": rounded(self.usage.ended_micros(self.counted.requests)),
            "messages": self.content.messages, "events": self.content.events,
            "events_minus_answered": self.surplus(), "sound": self.is_sound(options),
        })
    }
}

/// Ours over Node's, pair by pair.
#[derive(Default)]
struct Ratios {
    processor: Series,
    processor_of_all: Series,
    per_second: Series,
    millis_50: Series,
    millis_99: Series,
    unsound: usize,
}

impl Ratios {
    fn add(&mut self, node: &Run, ours: &Run, options: &Options) {
        self.processor.push(ours.gateway_micros() / node.gateway_micros());
        self.processor_of_all.push(ours.all_micros() / node.all_micros());
        self.per_second.push(ours.counted.per_second / node.counted.per_second);
        self.millis_50.push(ours.counted.millis_50 / node.counted.millis_50);
        self.millis_99.push(ours.counted.millis_99 / node.counted.millis_99);
        self.unsound += [node, ours].into_iter().filter(|run| !run.is_sound(options)).count();
    }

    fn told(&self, options: &Options, exact: &Value) -> Value {
        json!({
            "benchmark": "gateway", "connections": options.connections, "rounds": options.rounds, "seconds": options.seconds,
            "over_node": {
                "processor_time_per_request": self.processor.against(Limit::AtMost(1.0 / 5.0), Some(1.0 / 8.0)),
                "requests_per_second": self.per_second.against(Limit::AtLeast(2.5), Some(4.5)),
                "millis_99": self.millis_99.against(Limit::AtMost(1.0 / 2.0), Some(1.0 / 6.0)),
                "millis_50": self.millis_50.told(),
                "processor_time_per_request_servers_included": self.processor_of_all.told(),
            },
            "runs_that_are_not_sound": self.unsound,
            "exact": exact,
        })
    }
}

/// Sends each callback once and looks at every event that came of it.
async fn exactly_once(stage: &Stage, options: &Options) -> Result<Value> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    say(format_args!("{} callbacks, each once", options.exact));
    let bridge = stage.gateway_alone().await;
    let queues = filled_by(&bridge).await?;
    let of = Members { numbers: 0..options.exact, departments: DEPARTMENTS, have_leaders: true };
    let callbacks = requests::over_http(requests::members(&of), stage::PATH);
    let answers = load::send(entrance(&bridge)?, callbacks, options.connections).await?;
    sleep(SETTLES).await;
    let (mut ids, mut unreadable) = (BTreeSet::new(), 0_usize);
    let content = queues
        .drain(|document| match serde_json::from_str::<Named>(document) {
            Ok(named) => {
                ids.insert(named.id);
            }
            Err(_) => unreadable += 1,
        })
        .await?;
    queues.close().await?;
    let exact = json!({
        "sent": options.exact, "success": answers.success, "sent_again": answers.repeated,
        "messages": content.messages, "events": content.events, "different_events": ids.len(),
    });
    tell(&json!({ "run": "exact", "result": exact }));
    let all_once = answers.repeated > 0 || content.events == options.exact;
    ensure!(all_once && ids.len() == options.exact && unreadable == 0, "not one event per accepted callback: {exact}");
    Ok(exact)
}
