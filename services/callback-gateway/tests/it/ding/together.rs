//! Several gateways of one application.

use platform_sim::dingtalk::Chances;

use super::scene::{Platform, modified};
use crate::bridge::Bridge;

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_share_the_events_of_one_application() {
    let (one, other) = (Bridge::start().await, Bridge::start().await);
    let platform = Platform::start(&one, |options| {
        options.chances = Chances { burst: 0.1, late_duplicate: 0.1, reorder: 0.3, ..Chances::default() };
    });
    platform.connect(&one, 1).await;
    platform.connect(&other, 2).await;
    platform.stream.push(&(1..=300).map(modified).collect::<Vec<_>>());
    platform.settled().await;
    let tally = platform.stream.tally();
    let (mine, others) = (one.depth().await, other.depth().await);
    assert!(mine > 50 && others > 50, "{mine} and {others}");
    // Each that was answered is in one of the queues; what was sent twice is there twice.
    assert_eq!((tally.delivered, mine + others), (tally.sent, tally.sent));
    assert!(tally.sent >= 300 && tally.parked == 0, "{tally:?}");
    one.stop().await;
    // One alone goes on.
    platform.connected(1).await;
    platform.stream.push(&(301..=320).map(modified).collect::<Vec<_>>());
    platform.settled().await;
    assert!(other.depth().await >= others + 20);
    other.stop().await;
}
