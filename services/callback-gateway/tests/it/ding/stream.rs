//! What comes over Stream connections.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use common::{Platform::Dingtalk, TenantId};
use platform_sim::dingtalk::{ConnectionState, OpenFault};
use service::config::GatewayConfig;
use store::quota::{self, Kind};

use super::scene::{Platform, counted, gap, modified, punched, standing, until, with_queue};
use crate::bridge::{Bridge, apply};

#[tokio::test(flavor = "multi_thread")]
async fn events_are_answered_once_they_are_durable() {
    let bridge = Bridge::start().await;
    let platform = Platform::start(&bridge, |options| options.ping_every = Some(Duration::from_millis(100)));
    platform.connect(&bridge, 1).await;
    until("it is open", async || standing(&bridge, "open") == 1).await;
    let events: Vec<_> = (1..=50).map(modified).collect();
    platform.stream.push(&events);
    platform.settled().await;
    let tally = platform.stream.tally();
    assert_eq!((tally.delivered, tally.sent, tally.unreadable), (50, 50, 0));
    assert_eq!((bridge.depth().await, counted(&bridge, "accepted")), (50, 50));
    let published = &bridge.ctx.metrics.events_published_total;
    assert_eq!(published.with_label_values(&["dingtalk", "ding", "member.updated"]).get(), 50);
    until("pings are echoed", async || platform.stream.tally().echoes >= 2).await;
    let id = platform.stream.live()[0];
    let asked = platform.stream.send_callback(id, "/v1.0/im/bot/messages/get", "{}").unwrap();
    let is_not_found = |platform: &Platform| {
        platform.stream.told().iter().any(|told| told.reply.message_id == asked && told.reply.code == 404)
    };
    until("nobody takes robots' messages", async || is_not_found(&platform)).await;
    assert_eq!(platform.stream.tally().wrong_echoes, 0);
    bridge.stop().await;
    until("told to stop it closes", async || platform.stream.connections()[0].state == ConnectionState::Closed).await;
    assert_eq!(platform.stream.connections().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_over_is_told_to_come_later_and_comes() {
    let is_away = Arc::new(AtomicBool::new(false));
    let bridge = with_queue(&is_away).await;
    let platform = Platform::start(&bridge, |options| options.redelivery = vec![Duration::from_secs(1); 3]);
    platform.connect(&bridge, 1).await;
    is_away.store(true, Ordering::SeqCst);
    platform.stream.push(&[punched(1)]);
    until("it is told to come later", async || platform.stream.tally().later == 1).await;
    assert_eq!((counted(&bridge, "not_taken"), counted(&bridge, "accepted")), (1, 0));
    // Before it comes again: a push that hangs stays so.
    is_away.store(false, Ordering::SeqCst);
    until("the tenant is marked", async || gap(&bridge).await.is_some()).await;
    platform.settled().await;
    let tally = platform.stream.tally();
    assert_eq!((tally.delivered, tally.unanswered, tally.parked), (1, 0, 0));
    assert!(bridge.depth().await >= 1);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_end_is_hardly_noticed() {
    let bridge = Bridge::start().await;
    let platform = Platform::start(&bridge, |options| options.redelivery = vec![Duration::from_secs(1); 3]);
    platform.connect(&bridge, 1).await;
    let first = platform.stream.live()[0];
    for number in 1..=100 {
        if number == 30 {
            assert!(platform.stream.disconnect(first, "connection is expired"));
        }
        platform.stream.push(&[modified(number)]);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    platform.settled().await;
    let tally = platform.stream.tally();
    assert_eq!((tally.delivered, tally.spent_tickets), (100, 0), "{tally:?}");
    assert_eq!((tally.unanswered, tally.failed, tally.later), (0, 0, 0), "{tally:?}");
    // What came while nobody was connected came again; everything else shows how long that was.
    let deliveries = platform.stream.deliveries();
    let at: Vec<Duration> = deliveries.iter().filter(|one| one.attempt == 1).map(|one| one.sent_after).collect();
    let longest = at.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    until("the first is closed", async || platform.stream.connections()[0].state == ConnectionState::Closed).await;
    assert_eq!(platform.stream.connections().len(), 2);
    until("the second is open", async || standing(&bridge, "open") == 1).await;
    until("nothing drains any more", async || standing(&bridge, "draining") == 0).await;
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_or_closed_is_replaced() {
    let bridge = Bridge::start().await;
    let platform = Platform::start(&bridge, |options| options.redelivery = vec![Duration::from_secs(1); 20]);
    platform.connect(&bridge, 1).await;
    for number in 1..=6 {
        platform.stream.push(&[modified(number)]);
        platform.settled().await;
        let id = platform.stream.live()[0];
        assert!(if number % 2 == 0 { platform.stream.cut(id) } else { platform.stream.close(id) });
        platform.connected(1).await;
        assert_ne!(platform.stream.live()[0], id);
    }
    let tally = platform.stream.tally();
    assert_eq!((tally.delivered, tally.opened, tally.spent_tickets), (6, 7, 0));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_does_not_answer_well_is_asked_again_with_pauses() {
    let bridge = Bridge::start().await;
    let platform = Platform::start(&bridge, |_| {});
    platform.stream.fail_open(OpenFault::Status(503), 2);
    platform.stream.close_at_once(1);
    platform.connect(&bridge, 1).await;
    until("it stays", async || standing(&bridge, "open") == 1 && platform.stream.live().len() == 1).await;
    let tally = platform.stream.tally();
    assert_eq!((tally.refused, tally.opened, tally.spent_tickets), (2, 2, 0), "{tally:?}");
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_not_tried_again_and_again() {
    let bridge = Bridge::start().await;
    let platform = Platform::start(&bridge, |options| options.client_secret = "another".to_owned());
    apply(&bridge.ctx, &platform.tenant()).await;
    until("it is refused", async || standing(&bridge, "refused") == 1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((platform.stream.tally().refused, standing(&bridge, "refused")), (1, 1));
    // With the right secret it connects at once.
    platform.stream.configure(|options| options.client_secret = "right".to_owned());
    apply(&bridge.ctx, &platform.tenant().replace(super::scene::SECRET, "right")).await;
    platform.connected(1).await;
    until("it is not refused", async || standing(&bridge, "refused") == 0 && standing(&bridge, "open") == 1).await;
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_as_many_connections_as_configured_and_none_in_http_mode() {
    let config = GatewayConfig { stream_connections: 3, ..GatewayConfig::default() };
    let bridge = Bridge::start_with(config, |queue| Arc::new(queue)).await;
    let platform = Platform::start(&bridge, |_| {});
    platform.connect(&bridge, 3).await;
    platform.stream.push(&(1..=60).map(modified).collect::<Vec<_>>());
    platform.settled().await;
    let used: BTreeSet<u64> = platform.stream.deliveries().iter().map(|delivery| delivery.connection).collect();
    assert_eq!((used.len(), bridge.depth().await), (3, 60));
    // Something else about the tenant leaves them alone.
    apply(&bridge.ctx, &platform.tenant().replace("[dingtalk]", "name = \"Ding\"\n[dingtalk]\nattendance = false"))
        .await;
    platform.stream.push(&[punched(61)]);
    platform.settled().await;
    assert_eq!(platform.stream.connections().len(), 3);
    apply(&bridge.ctx, &platform.tenant().replace("mode = \"stream\"", "mode = \"http\"")).await;
    platform.connected(0).await;
    until("nothing is open", async || standing(&bridge, "open") + standing(&bridge, "opening") == 0).await;
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_elsewhere_is_not_connected_to() {
    let bridge = Bridge::start().await;
    // The API is at 127.0.0.1, and this is neither there nor DingTalk's.
    let elsewhere = |options: &mut platform_sim::dingtalk::StreamOptions| {
        options.endpoint = Some("ws://127.0.0.2:9/connect".to_owned());
    };
    let platform = Platform::start(&bridge, elsewhere);
    apply(&bridge.ctx, &platform.tenant()).await;
    until("it asked", async || platform.stream.tally().opened >= 2).await;
    assert_eq!((platform.stream.connections().len(), standing(&bridge, "open")), (0, 0));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_are_counted_as_the_platform_counts_them() {
    let bridge = Bridge::start().await;
    let platform = Platform::start(&bridge, |options| {
        options.chances.burst = 0.3;
        options.chances.late_duplicate = 0.3;
    });
    platform.connect(&bridge, 1).await;
    let events: Vec<_> = (1..=40).map(punched).chain((41..=60).map(modified)).collect();
    platform.stream.push(&events);
    platform.settled().await;
    let (id, month): (TenantId, _) = ("ding".parse().unwrap(), "2026-01");
    assert_eq!(platform.meter.used(month), 40);
    let database = bridge.ctx.database.clone();
    until("it is written", async || {
        let id = id.clone();
        let used = move |conn: &mut database::Connection| quota::used(conn, &id, Dingtalk, Kind::Stream, month);
        database.read("test", used).await.unwrap() == 40
    })
    .await;
    bridge.stop().await;
}
