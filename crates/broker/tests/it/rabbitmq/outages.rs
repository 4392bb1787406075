//! The server is away, comes back, and goes again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use broker::{Alone, Broker, Error, RabbitMq, RabbitMqOptions};
use common::{Hop, Secret};
use tokio_util::sync::CancellationToken;

use super::{
    proxy::{Proxy, url_at},
    site::{Log, Scribe, Site, consume, insist, publish},
};
use crate::support::until;

fn queue(options: RabbitMqOptions) -> RabbitMq {
    RabbitMq::new(options, Arc::new(Alone::new("alone"))).unwrap()
}

fn through(proxy: &Proxy, site: &Site) -> RabbitMq {
    queue(RabbitMqOptions { url: proxy.url(""), ..site.options() })
}

/// An address where nobody listens.
async fn nowhere() -> std::net::SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing_and_consuming_go_on_after_every_cut() {
    let (site, proxy) = (Site::new(4), Proxy::new().await);
    let queue = through(&proxy, &site);
    let (log, stop) = (Arc::new(Log::default()), CancellationToken::new());
    let consumer = consume(&queue, Scribe::new("a", &log), &stop);
    let mut sent = 0;
    for _ in 0..5 {
        for _ in 0..10 {
            insist(&queue, "acme", sent).await;
            sent += 1;
        }
        until(|| proxy.open() == 2).await;
        proxy.cut();
        until(|| proxy.open() < 2).await;
    }
    insist(&queue, "acme", sent).await;
    until(|| log.different() == sent + 1).await;
    until(|| proxy.open() == 2).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    log.assert_in_order(1, sent + 1);
    queue.close().await;
    until(|| proxy.open() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_cut_is_noticed_by_its_heartbeats() {
    let (site, proxy) = (Site::new(4), Proxy::new().await);
    let quick = Duration::from_millis(500);
    let url = proxy.url("?heartbeat=1");
    let queue = queue(RabbitMqOptions { url, confirm_deadline: quick, ..site.options() });
    let (log, stop) = (Arc::new(Log::default()), CancellationToken::new());
    let consumer = consume(&queue, Scribe::new("a", &log), &stop);
    insist(&queue, "acme", 0).await;
    until(|| log.different() == 1).await;
    proxy.silence();
    let failures = insist(&queue, "acme", 1).await;
    assert!(failures.iter().any(|error| matches!(error, Error::Unconfirmed)), "{failures:?}");
    until(|| log.different() == 2).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_published_before_the_server_is_there_waits_for_it() {
    let site = Site::new(4);
    let address = nowhere().await;
    let patient = Duration::from_secs(10);
    let queue = queue(RabbitMqOptions { url: url_at(address, ""), confirm_deadline: patient, ..site.options() });
    let publishing = publish(&queue, "acme", 0);
    let (published, _proxy) = tokio::join!(publishing, async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Proxy::at(address).await
    });
    published.unwrap();
    assert_eq!(queue.depth(Hop::Events).await.unwrap(), 1);
}

#[tokio::test]
async fn without_a_server_calls_fail_in_time_and_consumers_can_be_stopped() {
    let url = Secret::new(format!("amqp://{}", nowhere().await));
    let deadline = Duration::from_millis(200);
    let queue = queue(RabbitMqOptions { confirm_deadline: deadline, ..RabbitMqOptions::new(url, 4) });
    let (log, stop) = (Arc::new(Log::default()), CancellationToken::new());
    let consumer = consume(&queue, Scribe::new("a", &log), &stop);
    let begun = Instant::now();
    assert!(matches!(publish(&queue, "acme", 0).await, Err(Error::Unavailable)));
    assert!(matches!(queue.depth(Hop::Events).await, Err(Error::Unavailable)));
    assert!(begun.elapsed() < deadline * 10);
    stop.cancel();
    consumer.await.unwrap().unwrap();
    queue.close().await;
    assert!(matches!(publish(&queue, "acme", 0).await, Err(Error::Closed)));
}

#[test]
fn what_can_never_work_is_refused() {
    let members = || Arc::new(Alone::new("alone"));
    let url = Secret::new("amqp://localhost");
    let refused = RabbitMq::new(RabbitMqOptions::new(url.clone(), 4), members()).err();
    assert!(matches!(refused, Some(Error::NoRuntime)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let refused = RabbitMq::new(RabbitMqOptions::new(Secret::new("localhost"), 4), members()).err();
    assert!(matches!(refused, Some(Error::BadUrl)));
    let nameless = RabbitMqOptions { namespace: String::new(), ..RabbitMqOptions::new(url, 4) };
    assert!(matches!(RabbitMq::new(nameless, members()).err(), Some(Error::BadName)));
}
