//! Events over Stream to several gateways, whatever happens to connections and gateways meanwhile.

use std::{collections::BTreeSet, slice::from_ref, time::Duration};

use platform_sim::dingtalk::{ConnectionState, Event, Fate, Stream};
use test_kit::Servers;
use tests::{
    Bridge, Deployment,
    Service::CallbackGateway,
    Spread,
    dingtalk::{Oa, Platform, company, fact_of},
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::scene::{PATIENCE, again_soon, setup, told, was_told};
use crate::{agreement::nothing_is_left, crash_points::STREAMING};

/// How many events; by hand more.
const EVENTS: usize = 2_000;
const VARIABLE: &str = "ORGBRIDGE_STREAM_EVENTS";
const GATEWAYS: usize = 3;
/// The pause between two events.
const PAUSE: Duration = Duration::from_millis(10);
/// So many sendings more, and something counts as going on.
const ENOUGH: u64 = 50;
/// For so long the platform sends to a connection that is half dead.
const DEAD_CHANNEL: Duration = Duration::from_secs(3);
/// How soon one has to be noticed.
const NOTICED: Duration = Duration::from_secs(60);
/// How long deliveries may pause while the platform closes connections as planned.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn of_events_that_were_acknowledged_none_is_lost_whatever_happens_to_connections_and_gateways() {
    let platform = Platform::start(company(), |options| {
        again_soon(options);
        options.dead_channel = DEAD_CHANNEL;
    });
    let oa = Oa::start().await;
    let mut bridge = Bridge::start(&setup(one_of_each(), &platform, &oa)).await;
    for _another in 1..GATEWAYS {
        bridge.add(CallbackGateway);
    }
    bridge.launch().await;
    platform.connected(GATEWAYS).await;

    let events = platform.labels(1..told(VARIABLE).unwrap_or(EVENTS) as u64 + 1);
    let pushing = push_one_after_the_other(&platform.stream, &events);
    goes_on(&platform.stream, &pushing).await;
    let mut half_dead: Vec<JoinHandle<()>> = Vec::new();
    for turn in 0.. {
        end_all_as_planned(&platform.stream, &pushing).await;
        cut(&platform.stream).await;
        goes_on(&platform.stream, &pushing).await;
        bridge.kill_replica(CallbackGateway, turn % GATEWAYS);
        goes_on(&platform.stream, &pushing).await;
        bridge.launch().await;
        // One at a time, so that somebody gets events; and last, since a gateway that is killed notices nothing.
        if half_dead.iter().all(JoinHandle::is_finished) {
            half_dead.push(stall(&platform.stream));
        }
        goes_on(&platform.stream, &pushing).await;
        if pushing.is_finished() {
            break;
        }
    }
    pushing.await.unwrap();
    platform.settled().await;
    for noticed in half_dead {
        noticed.await.unwrap();
    }

    let tally = platform.stream.tally();
    assert_eq!((tally.parked, tally.lost, tally.unreadable), (0, 0, 0), "{tally:?}");
    let deliveries = platform.stream.deliveries();
    let acknowledged = deliveries.iter().filter(|delivery| delivery.fate == Fate::Delivered);
    let acknowledged: BTreeSet<&String> = acknowledged.map(|delivery| &delivery.event_id).collect();
    assert_eq!(acknowledged.len(), events.len(), "each was acknowledged in the end");
    all_are_passed_on_once(&oa, &events).await;
    nothing_is_left(&mut bridge);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_crash_point_of_a_stream_loses_or_doubles_anything() {
    let platform = Platform::start(company(), again_soon);
    let oa = Oa::start().await;
    let mut bridge = Bridge::start(&setup(one_of_each(), &platform, &oa)).await;
    platform.connected(1).await;
    let events = platform.labels(1..501);
    let pushing = push_one_after_the_other(&platform.stream, &events);
    for (service, point, nth) in STREAMING {
        bridge.crash_at(*service, point, *nth).await;
    }
    bridge.launch().await;
    pushing.await.unwrap();
    platform.settled().await;
    all_are_passed_on_once(&oa, &events).await;
    nothing_is_left(&mut bridge);
}

fn one_of_each() -> Deployment {
    Deployment::Services(Spread { replicas: 1, ..Spread::over(Servers::shared()) })
}

fn push_one_after_the_other(stream: &Stream, events: &[Event]) -> JoinHandle<()> {
    let (stream, events) = (stream.clone(), events.to_vec());
    tokio::spawn(async move {
        for event in &events {
            stream.push(from_ref(event));
            sleep(PAUSE).await;
        }
    })
}

/// Waits until many more events were sent, or all are on their way.
async fn goes_on(stream: &Stream, pushing: &JoinHandle<()>) {
    let (enough, began) = (stream.tally().sent + ENOUGH, Instant::now());
    while stream.tally().sent < enough && !pushing.is_finished() {
        assert!(began.elapsed() < PATIENCE, "nothing is sent any more: {:?}", stream.connections());
        sleep(PAUSE).await;
    }
}

/// The platform lets all connections go at once: others are open so soon that deliveries hardly pause.
async fn end_all_as_planned(stream: &Stream, pushing: &JoinHandle<()>) {
    let planned = stream.live();
    stream.reset_pause();
    for id in &planned {
        stream.disconnect(*id, "persistent connection is timeout");
    }
    let opened = stream.until(|stream| stream.live().len() >= planned.len());
    assert!(timeout(PATIENCE, opened).await.is_ok(), "they are not replaced: {:?}", stream.connections());
    goes_on(stream, pushing).await;
    let pause = stream.longest_pause();
    assert!(pause <= LONGEST_PAUSE, "deliveries paused for {pause:?}");
}

/// A connection is half dead from now on: nothing comes, and no end. The task ends well when that was noticed in time.
fn stall(stream: &Stream) -> JoinHandle<()> {
    let stream = stream.clone();
    let id = stream.live()[0];
    assert!(stream.stall(id));
    tokio::spawn(async move {
        let is_closed =
            |stream: &Stream| stream.connections().iter().any(|it| it.id == id && it.state == ConnectionState::Closed);
        let noticed = timeout(NOTICED, stream.until(is_closed)).await;
        assert!(noticed.is_ok(), "connection {id} is still kept");
    })
}

/// A connection is cut without a close frame, and another takes its place.
async fn cut(stream: &Stream) {
    let Some(id) = stream.live().last().copied() else { return };
    let so_far = stream.connections().len();
    assert!(stream.cut(id));
    let replaced = stream.until(|stream| stream.connections().len() > so_far);
    assert!(timeout(PATIENCE, replaced).await.is_ok(), "it is not replaced: {:?}", stream.connections());
}

async fn all_are_passed_on_once(oa: &Oa, events: &[Event]) {
    let is_meant = |kind: &str| kind == "label_user_change";
    was_told(oa, is_meant, events.len()).await;
    let told = oa.facts(is_meant);
    let once: BTreeSet<String> = told.iter().cloned().collect();
    assert_eq!(once, events.iter().map(fact_of).collect::<BTreeSet<String>>());
    assert_eq!(told.len(), once.len(), "nothing twice");
}
