//! Thousands of sockets that send nothing, or too slowly, or what nobody reads; and good callbacks beside them.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use test_kit::Servers;
use tests::{Bridge, Deployment, Setup, Spread};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, tcp::OwnedReadHalf},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    feed::{departments, dispatcher, feed},
    watch::resident_kib,
};

/// Sockets that send nothing at all.
const IDLE: usize = 5000;
/// Of each other sort.
const BAD: usize = 100;
/// Good callbacks meanwhile.
const GOOD: usize = 1000;
/// Before that, so that nothing is done for the first time.
const WARM_UP: usize = 200;
/// A slow sender sends a byte in so long.
const BYTE_EVERY: Duration = Duration::from_secs(1);
/// Longer than the gateway waits for anybody.
const PATIENCE: Duration = Duration::from_secs(60);
/// More files than the trial needs.
const FILES: u64 = 65_536;

const HEAD: &str = "POST /callback/wecom/acme?msg_signature=0&timestamp=0&nonce=0 HTTP/1.1\r\n\
     Host: gateway\r\nConnection: close\r\nContent-Type: text/xml\r\n";

/// What is wrong with a socket.
type Sort = &'static str;

pub(crate) async fn trial(servers: &Arc<Servers>) -> Value {
    raise_file_limit();
    let spread = Spread { replicas: 1, ..Spread::over(Arc::clone(servers)) };
    let bridge = Bridge::start(&Setup { deployment: Deployment::Services(spread), ..Setup::default() }).await;
    let gateway = *bridge.gateways().first().unwrap();
    let of_gateway = |(program, id): (&'static str, u32)| (program == "callback-gateway").then_some(id);
    let process = bridge.process_ids().into_iter().find_map(of_gateway).unwrap();
    let dispatcher = dispatcher(&format!("http://{gateway}/callback/wecom/acme"));
    let callbacks = departments(WARM_UP + GOOD);
    let (warm_up, good) = callbacks.split_at(WARM_UP);
    feed(&dispatcher, warm_up).await;

    let before_kib = resident_kib(process);
    let published = bridge.sum_of("orgbridge_events_published_total").await;
    let mut sockets = open(gateway).await;
    let with_kib = resident_kib(process);
    let fed = feed(&dispatcher, good).await;
    let busy_kib = resident_kib(process);
    let mut answers: BTreeMap<Sort, BTreeMap<String, usize>> = BTreeMap::new();
    while let Some(ended) = sockets.join_next().await {
        let (sort, status) = ended.unwrap();
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        *answers.entry(sort).or_default().entry(status).or_default() += 1;
    }
    let meanwhile = bridge.sum_of("orgbridge_events_published_total").await - published;
    let ready = bridge.are_ready().await;
    json!({
        "trial": "sockets", "idle_sockets": IDLE,
        "good": {
            "callbacks": good.len(), "success": fed.answered.len(), "other_answers": fed.other_answers,
            "unanswered": fed.unanswered, "slowest_millis": fed.slowest_millis,
        },
        "answers_by_sort_and_status": answers,
        "events_published_meanwhile": meanwhile,
        "resident_kib": { "before": before_kib, "with_sockets": with_kib, "and_callbacks": busy_kib },
        "ready_afterwards": ready,
    })
}

/// Each sort of socket; what is answered on each comes as its result.
async fn open(gateway: SocketAddr) -> JoinSet<(Sort, Option<u16>)> {
    let mut sockets = JoinSet::new();
    for _ in 0..IDLE {
        let (from, to) = TcpStream::connect(gateway).await.unwrap().into_split();
        sockets.spawn(async move {
            let status = answered(from).await;
            drop(to);
            ("idle", status)
        });
    }
    for _ in 0..BAD {
        sockets.spawn(async move { ("slow head", send(gateway, format!("{HEAD}X-Slow: "), PATIENCE).await) });
        let slow_body = format!("{HEAD}Content-Length: 1000\r\n\r\n");
        sockets.spawn(async move { ("slow body", send(gateway, slow_body, PATIENCE).await) });
        let packed = format!("{HEAD}Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\u{1f}\u{8}..");
        sockets.spawn(async move { ("compressed", send(gateway, packed, Duration::ZERO).await) });
    }
    sockets
}

/// Sends this at once, and then a byte now and then, for so long.
async fn send(gateway: SocketAddr, at_once: String, slowly: Duration) -> Option<u16> {
    let (from, mut to) = TcpStream::connect(gateway).await.unwrap().into_split();
    to.write_all(at_once.as_bytes()).await.unwrap();
    let sending = async {
        let mut passed = Duration::ZERO;
        while passed < slowly {
            sleep(BYTE_EVERY).await;
            passed += BYTE_EVERY;
            if to.write_all(b"a").await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        status = answered(from) => status,
        () = sending => None,
    }
}

/// The status that comes, if one does before the socket ends.
async fn answered(mut from: OwnedReadHalf) -> Option<u16> {
    let mut answer = Vec::new();
    // However it ends: what came before counts.
    drop(timeout(PATIENCE, from.read_to_end(&mut answer)).await);
    let text = String::from_utf8_lossy(&answer);
    text.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

/// Each socket is a file.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.maximum.map(|most| most.min(FILES)).or(Some(FILES));
    setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum }).unwrap();
}
