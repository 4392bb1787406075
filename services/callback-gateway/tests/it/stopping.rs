//! A gateway that is told to stop, in front of which somebody has to notice that first.

use std::{net::TcpStream, sync::Arc, time::Duration};

use service::config::GatewayConfig;

use crate::bridge::{Bridge, CREATE_PARTY, acme_keys, callback};

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_accepting_for_a_while_and_lets_go_of_connections() {
    let config = GatewayConfig { drain_seconds: 2, ..GatewayConfig::default() };
    let bridge = Bridge::start_on(config, |queue| Arc::new(queue), |database| database).await;
    // As a proxy asks, which keeps its connections.
    let text = String::from_utf8(callback(&acme_keys(), CREATE_PARTY).bytes()).unwrap();
    let kept = text.replace("connection: close\r\n", "").into_bytes();
    bridge.ctx.stop.cancel();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let reply = bridge.send_bytes(kept).await;
    assert_eq!((reply.status(), reply.body().as_str()), (Some(200), "success"));
    assert_eq!(reply.header("connection").as_deref(), Some("close"));
    assert_eq!(bridge.depth().await, 1);
    let address = bridge.address;
    bridge.stop().await;
    assert!(TcpStream::connect(address).is_err(), "and then it is gone");
}
