//! Size, time and number.

use std::{
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use service::config::GatewayConfig;
use tokio::task::spawn_blocking;

use crate::{
    bridge::{Bridge, CORP, CREATE_PARTY, KEY, PATH, acme_keys, callback, keys},
    client::{self, Request},
};

const LIMIT: usize = 256 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_limit_is_refused_without_a_reset() {
    let bridge = Bridge::start().await;
    for size in [LIMIT + 1, 2 * LIMIT, 10 << 20] {
        let big = Request::post(PATH, vec![b'x'; size]);
        bridge.refused(&big, 413).await;
        bridge.refused_bytes(big.chunked(16_000), 413, format!("{size} bytes in chunks")).await;
    }
    // At the limit it is only unreadable.
    bridge.refused(&Request::post(PATH, vec![b'x'; LIMIT]), 401).await;
    bridge.refused_bytes(Request::post(PATH, vec![b'x'; LIMIT]).chunked(1000), 401, "at the limit".to_owned()).await;
    bridge.accepted(&callback(&acme_keys(), CREATE_PARTY)).await;
    let reply = bridge.send_bytes(callback(&acme_keys(), CREATE_PARTY).chunked(7)).await;
    assert_eq!((reply.status(), reply.body().as_str()), (Some(200), "success"));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_cut_off() {
    let config = GatewayConfig { body_timeout_seconds: 1, ..Default::default() };
    let bridge = Bridge::start_with(config, |queue| Arc::new(queue)).await;
    let request = callback(&acme_keys(), CREATE_PARTY);
    for dribbling in [false, true] {
        let (address, request) = (bridge.address, request.clone());
        let reply = spawn_blocking(move || {
            let started = Instant::now();
            let mut stream = client::connect(address);
            stream.write_all(&request.head(&format!("content-length: {}\r\n", request.body.len()))).unwrap();
            // One byte at a time is no less slow than nothing.
            while dribbling && started.elapsed() < Duration::from_millis(900) {
                stream.write_all(b"x").unwrap();
                std::thread::park_timeout(Duration::from_millis(50));
            }
            client::finish(stream, started)
        });
        let reply = reply.await.unwrap();
        assert_eq!((reply.status(), reply.body().as_str()), (Some(408), ""), "{reply:?}");
        assert!(reply.took < Duration::from_secs(5), "{:?}", reply.took);
    }
    assert_eq!((bridge.counted("slow_body"), bridge.depth().await), (2, 0));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_request_never_ends_in_500() {
    let bridge = Bridge::start().await;
    let head = "POST /callback/wecom/acme HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    for bytes in [
        "GET\r\n\r\n".to_owned(),
        "\u{1}\u{2}\r\n\r\n".to_owned(),
        format!("{head}content-length: -1\r\n\r\n"),
        format!("{head}content-length: 99999999999999999999999\r\n\r\n"),
        format!("{head}content-length: 3\r\ncontent-length: 4\r\n\r\nabcd"),
        format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"),
        format!("{head}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
        format!("{head}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        format!("{head}content-length: 10\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("GET /callback/wecom/acme?{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "a".repeat(1 << 20)),
        format!("{head}x: {}\r\n\r\n", "a".repeat(1 << 20)),
        format!("{head}{}\r\n", "x: y\r\n".repeat(10_000)),
    ] {
        let reply = bridge.send_bytes(bytes.clone().into_bytes()).await;
        let refused = reply.status().is_none_or(|status| (400..500).contains(&status) || status == 501);
        assert!(refused, "{bytes:.300}: {reply:?}");
    }
    assert_eq!(bridge.depth().await, 0);
    bridge.accepted(&callback(&acme_keys(), CREATE_PARTY)).await;
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_bad_requests_is_limited_and_good_ones_are_not() {
    let config = GatewayConfig { refused_per_minute: 20, ..Default::default() };
    let bridge = Bridge::start_with(config, |queue| Arc::new(queue)).await;
    let bad = callback(&keys("stranger", KEY, CORP), CREATE_PARTY);
    let mut statuses = Vec::new();
    for _ in 0..40 {
        let reply = bridge.send(&bad).await;
        let status = reply.status().unwrap();
        if status == 429 {
            let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
            assert_eq!(reply.body(), "");
        }
        statuses.push(status);
    }
    assert_eq!(statuses[..20], [401; 20]);
    assert!(statuses.iter().filter(|&&status| status == 429).count() >= 15, "{statuses:?}");
    assert!(bridge.counted("rate_limited") >= 15);
    assert_eq!(bridge.depth().await, 0);
    // What is well signed gets its own answer all the same, good or not.
    bridge.accepted(&callback(&acme_keys(), CREATE_PARTY)).await;
    let reply = bridge.send(&callback(&acme_keys(), "nonsense")).await;
    assert_eq!(reply.status(), Some(400));
    let forged = bad.header("x-forwarded-for", "192.0.2.1").header("forwarded", "for=192.0.2.2");
    assert_eq!(bridge.send(&forged).await.status(), Some(429));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_hold_up_nobody() {
    let bridge = Bridge::start().await;
    let address = bridge.address;
    let idle: Vec<_> = (0..300)
        .map(|number| {
            let mut stream = client::connect(address);
            if number % 2 == 0 {
                stream.write_all(b"POST /callback/wecom/acme HTTP/1.1\r\nhost: x\r\n").unwrap();
            }
            stream
        })
        .collect();
    for _ in 0..20 {
        let started = Instant::now();
        bridge.accepted(&callback(&acme_keys(), CREATE_PARTY)).await;
        assert!(started.elapsed() < Duration::from_secs(1));
    }
    drop(idle);
    bridge.stop().await;
}
