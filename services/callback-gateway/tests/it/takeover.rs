//! Durable first, then the answer; or no answer at all.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use broker::{Broker, ConsumeOptions, Delivery, Embedded, Failure, Handler, Lane, Outgoing};
use common::Hop;
use database::{Database, Options};
use service::config::GatewayConfig;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::bridge::{Bridge, CORP, CREATE_PARTY, KEY, OTHER_KEY, TOKEN, acme, acme_keys, apply, callback, keys};

/// What stands between the gateway and its queue.
enum Trouble {
    /// The first so many calls fail.
    Fails(AtomicU32),
    /// Calls wait until they are let through.
    Gate(Arc<Notify>),
    /// Calls never come back.
    Hangs,
}

struct Troubled {
    queue: Embedded,
    trouble: Trouble,
}

#[async_trait]
impl Broker for Troubled {
    async fn publish(&self, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) -> broker::Result<()> {
        match &self.trouble {
            Trouble::Fails(left) => {
                let less = |left: u32| left.checked_sub(1);
                if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
                    return Err(broker::Error::Closed);
                }
            }
            Trouble::Gate(gate) => gate.notified().await,
            Trouble::Hangs => std::future::pending().await,
        }
        self.queue.publish(hop, lane, messages).await
    }

    async fn consume(
        &self,
        hop: Hop,
        lanes: &[Lane],
        options: ConsumeOptions,
        handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> broker::Result<()> {
        self.queue.consume(hop, lanes, options, handler, stop).await
    }

    async fn depth(&self, hop: Hop) -> broker::Result<u64> {
        self.queue.depth(hop).await
    }
}

async fn troubled(trouble: Trouble) -> Bridge {
    let wrap = |queue| Arc::new(Troubled { queue, trouble }) as Arc<dyn Broker>;
    Bridge::start_with(GatewayConfig::default(), wrap).await
}

/// Takes so many messages out of a queue, in the order in which they came.
pub(crate) async fn drained(queue: &Embedded, count: usize) -> Vec<Vec<u8>> {
    struct Collect(Mutex<Vec<Vec<u8>>>, usize, CancellationToken);
    #[async_trait]
    impl Handler for Collect {
        async fn handle(&self, batch: &[Delivery]) -> Result<(), Failure> {
            let mut seen = self.0.lock().unwrap();
            seen.extend(batch.iter().map(|delivery| delivery.payload.to_vec()));
            if seen.len() >= self.1 {
                self.2.cancel();
            }
            Ok(())
        }
        async fn bury(&self, _: &Delivery) -> Result<(), Failure> {
            panic!("nothing poisons here")
        }
    }
    let stop = CancellationToken::new();
    let collect = Arc::new(Collect(Mutex::default(), count, stop.clone()));
    let lanes = [Lane::shared()];
    let work = queue.consume(Hop::Events, &lanes, ConsumeOptions::default(), collect.clone(), stop);
    tokio::time::timeout(Duration::from_secs(10), work).await.expect("messages come").unwrap();
    let seen = collect.0.lock().unwrap();
    seen.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn success_comes_only_after_the_event_is_durable() {
    let gate = Arc::new(Notify::new());
    let bridge = Arc::new(troubled(Trouble::Gate(Arc::clone(&gate))).await);
    let answered = tokio::spawn({
        let bridge = Arc::clone(&bridge);
        async move { bridge.send(&callback(&acme_keys(), CREATE_PARTY)).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!answered.is_finished(), "answered before the queue took it");
    assert_eq!(bridge.depth().await, 0);
    gate.notify_one();
    let reply = answered.await.unwrap();
    assert_eq!((reply.status(), reply.body().as_str()), (Some(200), "success"));
    assert_eq!(bridge.depth().await, 1);
    Arc::into_inner(bridge).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_there_after_a_restart() {
    let bridge = Bridge::start().await;
    for number in 0..20 {
        let text = CREATE_PARTY.replace("<Id>2</Id>", &format!("<Id>{}</Id>", number + 2));
        bridge.accepted(&callback(&acme_keys(), &text)).await;
    }
    // What a crash would leave: the files as they are at this moment.
    let copy = tempfile::tempdir().unwrap();
    for name in ["queue.db", "queue.db-wal"] {
        std::fs::copy(bridge.data().join(name), copy.path().join(name)).unwrap();
    }
    let url = format!("sqlite://{}", copy.path().join("queue.db").display());
    let left = Embedded::open(Database::open(&Options::new(url)).unwrap(), 4).unwrap();
    assert_eq!(left.depth(Hop::Events).await.unwrap(), 20);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_failure_of_the_queue_is_not_noticed_outside() {
    let bridge = troubled(Trouble::Fails(AtomicU32::new(3))).await;
    bridge.accepted(&callback(&acme_keys(), CREATE_PARTY)).await;
    assert_eq!(bridge.depth().await, 1);
    bridge.stop().await;
}

/// The connection ends without a byte, within WeCom's patience and not at once.
async fn closed_without_an_answer(trouble: Trouble) {
    let bridge = troubled(trouble).await;
    let reply = bridge.send(&callback(&acme_keys(), CREATE_PARTY)).await;
    assert_eq!(String::from_utf8_lossy(&reply.raw), "", "a status would keep WeCom from coming again");
    assert!(reply.took >= Duration::from_millis(3500) && reply.took < Duration::from_millis(4900), "{:?}", reply.took);
    assert_eq!((bridge.counted("not_taken"), bridge.depth().await), (1, 0));
    // Verification needs no queue.
    let (query, expected) = wecom::echo_request(&acme_keys(), crate::bridge::NOW, "1", [3; 16]);
    let request = crate::client::Request::get(format!("{}?{query}", crate::bridge::PATH));
    assert_eq!(bridge.send(&request).await.body(), expected);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_queue_fails_a_callback_is_held_and_then_closed_without_an_answer() {
    closed_without_an_answer(Trouble::Fails(AtomicU32::new(u32::MAX))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_queue_hangs_a_callback_is_held_and_then_closed_without_an_answer() {
    closed_without_an_answer(Trouble::Hangs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_in_hand_is_finished_when_the_process_stops() {
    let gate = Arc::new(Notify::new());
    let bridge = Arc::new(troubled(Trouble::Gate(Arc::clone(&gate))).await);
    let answered = tokio::spawn({
        let bridge = Arc::clone(&bridge);
        async move { bridge.send(&callback(&acme_keys(), CREATE_PARTY)).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    bridge.ctx.stop.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    gate.notify_one();
    assert_eq!(answered.await.unwrap().body(), "success");
    Arc::into_inner(bridge).unwrap().stop().await;
}

/// Waits until a request is answered like this, for at most the 2 s in which new keys are honoured.
async fn soon(bridge: &Bridge, keys: &wecom::CallbackKeys, status: u16) {
    let started = std::time::Instant::now();
    loop {
        let reply = bridge.send(&callback(keys, CREATE_PARTY)).await;
        if reply.status() == Some(status) {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(2), "still {:?}", reply.status());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_are_honoured_soon_and_the_previous_pair_for_ten_minutes() {
    let bridge = Bridge::start().await;
    let (old, new) = (acme_keys(), keys("NewToken", OTHER_KEY, CORP));
    apply(&bridge.ctx, &acme("NewToken", OTHER_KEY)).await;
    soon(&bridge, &new, 200).await;
    bridge.accepted(&callback(&old, CREATE_PARTY)).await;
    // Not a mixture of both.
    for mixed in [keys("NewToken", KEY, CORP), keys(TOKEN, OTHER_KEY, CORP)] {
        assert_eq!(bridge.send(&callback(&mixed, CREATE_PARTY)).await.status(), Some(400));
    }
    // No further than ten minutes: the requests are signed at the clock's own time.
    bridge.clock.forward(599);
    let at = |keys: &wecom::CallbackKeys, seconds: i64| {
        crate::bridge::callback_at(keys, CREATE_PARTY, crate::bridge::NOW + seconds)
    };
    bridge.accepted(&at(&old, 599)).await;
    bridge.clock.forward(1);
    assert_eq!(bridge.send(&at(&old, 600)).await.status(), Some(401));
    bridge.accepted(&at(&new, 600)).await;
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_key_still_opens_when_only_the_key_was_replaced() {
    let bridge = Bridge::start().await;
    apply(&bridge.ctx, &acme(TOKEN, OTHER_KEY)).await;
    soon(&bridge, &keys(TOKEN, OTHER_KEY, CORP), 200).await;
    bridge.accepted(&callback(&acme_keys(), CREATE_PARTY)).await;
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_tenant_is_refused_soon() {
    let bridge = Bridge::start().await;
    bridge.accepted(&callback(&acme_keys(), CREATE_PARTY)).await;
    let id = "acme".parse().unwrap();
    service::tenants::remove(&bridge.ctx.database, &id, common::UnixMillis(1)).await.unwrap();
    soon(&bridge, &acme_keys(), 401).await;
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callbacks_at_once_are_all_taken_over() {
    let bridge = Arc::new(Bridge::start().await);
    let senders: Vec<_> = (0..100)
        .map(|number| {
            let bridge = Arc::clone(&bridge);
            let text = CREATE_PARTY.replace("<Id>2</Id>", &format!("<Id>{}</Id>", number + 2));
            tokio::spawn(async move { bridge.accepted(&callback(&acme_keys(), &text)).await })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    assert_eq!(bridge.depth().await, 100);
    let published = &bridge.ctx.metrics.events_published_total;
    assert_eq!(published.with_label_values(&["wecom", "acme", "department.created"]).get(), 100);
    assert_eq!(bridge.counted("accepted"), 100);
    Arc::into_inner(bridge).unwrap().stop().await;
}
