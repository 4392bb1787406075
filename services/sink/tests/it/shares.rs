//! Two sinks that share the tenants among them.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use broker::{Broker, ConsumeOptions, Handler, Lane, Outgoing, Result, Share};
use common::{Change, EntityKey, Hop};
use database::Connection;
use store::destinations;
use test_kit::{Stage, eventually};
use tokio_util::sync::CancellationToken;

use crate::{
    fakes::Fakes,
    support::{append, destination, start_in, tenant, timing, upsert},
};

/// The queue of one of them, which gets what it is told.
struct Part {
    queue: Arc<dyn Broker>,
    share: Mutex<Share>,
}

#[async_trait]
impl Broker for Part {
    async fn publish(&self, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) -> Result<()> {
        self.queue.publish(hop, lane, messages).await
    }

    /// Nothing comes: who delivers finds it in the outbox.
    async fn consume(
        &self,
        _: Hop,
        _: &[Lane],
        _: ConsumeOptions,
        _: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> Result<()> {
        stop.cancelled().await;
        Ok(())
    }

    fn share(&self, _: Hop, _: &Lane) -> Share {
        self.share.lock().unwrap().clone()
    }

    async fn depth(&self, hop: Hop) -> Result<u64> {
        self.queue.depth(hop).await
    }
}

/// A sink, its queue, and what arrives where it sends.
struct One {
    part: Arc<Part>,
    fakes: Fakes,
}

impl One {
    fn start(stage: &Stage, name: &str, share: Share) -> Self {
        let part = Arc::new(Part { queue: Arc::clone(&stage.context.broker), share: Mutex::new(share) });
        let fakes = Fakes::default();
        let mut context = stage.context.clone();
        (context.instance, context.broker) = (name.to_owned(), Arc::clone(&part) as _);
        start_in(&context, &fakes, timing(), 8);
        Self { part, fakes }
    }

    fn gets(&self, share: Share) {
        *self.part.share.lock().unwrap() = share;
    }

    fn taken(&self) -> Vec<u64> {
        self.fakes.get("core").taken()
    }
}

fn members(names: &str) -> Vec<Change> {
    let root = [EntityKey::department("1")];
    names.chars().map(|name| upsert(EntityKey::member(&name.to_string()), &root, true)).collect()
}

/// Waits until nobody has the destination's lease.
async fn is_given_back(stage: &Stage) {
    let now = stage.context.clock.now();
    let try_it = move |conn: &mut Connection| -> database::Result<bool> {
        let lease = destinations::acquire(conn, &tenant(), &destination("core"), "nobody", now, now.plus_seconds(60))?;
        lease.map_or(Ok(false), |lease| destinations::release(conn, &lease))
    };
    let look = async || stage.context.database.write("test.lease", try_it).await.unwrap();
    eventually("the lease is given back", look, |is_free| *is_free).await;
}

const MINE: fn() -> Share = || Share::Partitions(vec![true]);
const OTHERS: fn() -> Share = || Share::Partitions(vec![false]);

#[tokio::test]
async fn who_gets_a_tenants_changes_delivers_them_and_the_other_hands_over() {
    let stage = Stage::open().await;
    stage
        .apply("id = \"acme\"\n[[destinations]]\nid = \"core\"\nkind = \"sqlite\"\nurl = \"sqlite://core.db\"\n")
        .await;
    let first = One::start(&stage, "first", Share::Unknown);
    let second = One::start(&stage, "second", OTHERS());
    append(&stage, members("ab")).await;
    first.gets(MINE());
    eventually("the first delivers", async || first.taken(), |taken| *taken == [1, 2]).await;

    // Nobody knows of the other for a moment: who delivers goes on.
    first.gets(Share::Unknown);
    append(&stage, members("cd")).await;
    eventually("the first goes on", async || first.taken(), |taken| *taken == [1, 2, 3, 4]).await;

    first.gets(OTHERS());
    is_given_back(&stage).await;
    second.gets(MINE());
    append(&stage, members("ef")).await;
    eventually("the second delivers", async || second.taken(), |taken| *taken == [5, 6]).await;

    second.gets(OTHERS());
    is_given_back(&stage).await;
    first.gets(MINE());
    append(&stage, members("gh")).await;
    eventually("and back", async || first.taken(), |taken| *taken == [1, 2, 3, 4, 7, 8]).await;
    assert_eq!(second.taken(), [5, 6], "nothing is sent twice");
    stage.stop().await;
}
