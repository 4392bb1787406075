//! Several workers share the partitions, and hand them over.

use std::{sync::Arc, time::Duration};

use broker::{Alone, Lane, Members};
use common::Hop;
use futures::future::join_all;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::site::{Log, Scribe, Site, consume, insist};
use crate::support::until;

const KEYS: usize = 20;

type Live = Arc<[String]>;

fn live(names: &[&str]) -> Live {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// One of a crew whose list the test changes.
struct Mate {
    name: &'static str,
    crew: watch::Receiver<Live>,
}

impl Members for Mate {
    fn me(&self) -> &str {
        self.name
    }

    fn watch(&self, _hop: Hop, _lane: &Lane) -> watch::Receiver<Live> {
        self.crew.clone()
    }
}

/// Publishes a document per key, again and again. Returns how many of each.
async fn publish_until(site: &Site, stop: &CancellationToken) -> usize {
    let queue = site.queue();
    let mut round = 0;
    while !stop.is_cancelled() {
        let keys: Vec<String> = (0..KEYS).map(|key| format!("key-{key}")).collect();
        join_all(keys.iter().map(|key| insist(&queue, key, round))).await;
        round += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    round
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_follow_the_workers_and_nothing_is_lost_or_out_of_order() {
    // Many, so that the newcomers surely have a share between them.
    let site = Arc::new(Site::new(16));
    let (crew, seen) = watch::channel(live(&["a"]));
    let log = Arc::new(Log::default());
    let done = CancellationToken::new();
    let publisher = {
        let (site, done) = (Arc::clone(&site), done.clone());
        tokio::spawn(async move { publish_until(&site, &done).await })
    };
    let start = |name: &'static str| {
        let queue = site.worker(Arc::new(Mate { name, crew: seen.clone() }));
        let stop = CancellationToken::new();
        (consume(&queue, Scribe::new(name, &log), &stop), stop)
    };
    let (first, stop_first) = start("a");
    until(|| log.by("a") > 100).await;

    crew.send_replace(live(&["a", "b", "c"]));
    let others = ["b", "c"].map(start);
    until(|| log.by("b") + log.by("c") > 40).await;

    for (consumer, stop) in others {
        stop.cancel();
        consumer.await.unwrap().unwrap();
    }
    crew.send_replace(live(&["a"]));
    let (before, of_others) = (log.by("a"), log.by("b") + log.by("c"));
    until(|| log.by("a") > before + 400).await;
    assert_eq!(log.by("b") + log.by("c"), of_others);

    done.cancel();
    let rounds = publisher.await.unwrap();
    until(|| log.different() == rounds * KEYS).await;
    stop_first.cancel();
    first.await.unwrap().unwrap();
    log.assert_in_order(KEYS, rounds);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_that_both_think_they_are_alone_do_no_harm() {
    let site = Site::new(4);
    let log = Arc::new(Log::default());
    let [first, second] = ["a", "b"].map(|name| site.worker(Arc::new(Alone::new(name))));
    let stop = CancellationToken::new();
    let cut_off = consume(&first, Scribe::new("a", &log), &stop);
    let keys: Vec<String> = (0..KEYS).map(|key| format!("key-{key}")).collect();
    for round in 0..10 {
        join_all(keys.iter().map(|key| insist(&second, key, round))).await;
    }
    until(|| log.by("a") > 50).await;
    let stays = consume(&second, Scribe::new("b", &log), &stop);
    for round in 10..20 {
        join_all(keys.iter().map(|key| insist(&second, key, round))).await;
    }
    cut_off.abort();
    for round in 20..30 {
        join_all(keys.iter().map(|key| insist(&second, key, round))).await;
    }
    until(|| log.different() == 30 * KEYS).await;
    assert!(log.by("b") > 0);
    stop.cancel();
    stays.await.unwrap().unwrap();
    log.assert_in_order(KEYS, 30);
}
