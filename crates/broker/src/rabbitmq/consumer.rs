//! One call of `consume`: a reader for every queue of our share, as the share changes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use common::Hop;
use futures::{StreamExt, stream::FuturesUnordered};
use lapin::types::ShortString;
use tokio::{task::JoinHandle, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::error;

use super::{
    inbox::{Holdings, Source},
    line::Line,
    members::{Crew, Members, is_mine},
    reader::Reader,
    topology::Topology,
};
use crate::error::chain;
use crate::{ConsumeOptions, Delivery, Failure, Handler, Lane, Result, message::Queue};

/// Messages that the broker hands out per queue without an acknowledgement, at most: up to 64 documents each. It bounds memory, and
/// what a consumer that dies leaves to be handed out again.
const MOST_PREFETCHED: usize = 64;

/// The wait before a reader that panicked begins anew. That is a fault of this crate.
const AFTER_A_PANIC: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Consumer {
    pub(super) line: Line,
    pub(super) topology: Arc<Topology>,
    pub(super) members: Arc<dyn Members>,
    pub(super) holdings: Holdings,
    pub(super) tasks: TaskTracker,
    pub(super) hop: Hop,
    pub(super) lanes: Vec<Lane>,
    pub(super) options: ConsumeOptions,
    pub(super) handler: Arc<dyn Handler>,
    pub(super) stop: CancellationToken,
}

/// Something to be read: a partition, or the dead letters of its lane, which belong to whom partition 0 does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Post {
    queue: Queue,
    dead: bool,
}

impl Consumer {
    /// Works until told to stop. Dropped before that, its readers give back what they have in hand, as soon as they can.
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed).
    pub(super) async fn run(self) -> Result<()> {
        let cut = CancellationToken::new();
        let _cut_when_dropped = cut.clone().drop_guard();
        let mut crew = Crew::new(&*self.members, self.hop, &self.lanes);
        let mut readers: HashMap<Post, CancellationToken> = HashMap::new();
        let mut ends = FuturesUnordered::new();
        loop {
            let share = self.share(&crew.live());
            // Who gets it waits at the broker until we are done with it.
            readers.iter().filter(|(post, _)| !share.contains(*post)).for_each(|(_, stop)| stop.cancel());
            for post in share {
                readers.entry(post).or_insert_with_key(|post| {
                    let stop = self.stop.child_token();
                    let reader = self.reader(post, stop.clone(), cut.clone());
                    ends.push(ended(post.clone(), self.tasks.spawn(reader.run())));
                    stop
                });
            }
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = crew.changed() => {}
                Some((post, result)) = ends.next() => {
                    readers.remove(&post);
                    result?;
                }
            }
        }
        while let Some((_, result)) = ends.next().await {
            result?;
        }
        Ok(())
    }

    fn share(&self, live: &[(Lane, Arc<[String]>)]) -> BTreeSet<Post> {
        let known = live.iter().filter(|(_, live)| !live.is_empty());
        let mine = known.flat_map(|(lane, live)| {
            let is_mine = |queue: &Queue| is_mine(self.members.me(), live, self.topology.name(queue).as_str());
            self.topology.queues(self.hop, lane).filter(is_mine).collect::<Vec<_>>()
        });
        let posts = mine.flat_map(|queue| {
            let dead = (queue.partition == 0).then(|| Post { queue: queue.clone(), dead: true });
            dead.into_iter().chain([Post { queue, dead: false }])
        });
        posts.collect()
    }

    fn reader(&self, post: &Post, stop: CancellationToken, cut: CancellationToken) -> Reader {
        let queue = post.queue.clone();
        let tag = ShortString::try_new(self.members.me()).unwrap_or_default();
        let handler: Arc<dyn Handler> =
            if post.dead { Arc::new(Condemned(Arc::clone(&self.handler))) } else { Arc::clone(&self.handler) };
        let (name, prefetch) = if post.dead {
            (self.topology.dead(queue.hop, &queue.lane), 1)
        } else {
            let prefetch = self.options.batch_size.clamp(1, MOST_PREFETCHED);
            (self.topology.name(&queue), u16::try_from(prefetch).unwrap_or(u16::MAX))
        };
        Reader {
            line: self.line.clone(),
            topology: Arc::clone(&self.topology),
            source: Source { queue, name, tag, prefetch },
            holdings: self.holdings.clone(),
            options: self.options,
            handler,
            stop,
            cut,
        }
    }
}

async fn ended(post: Post, reader: JoinHandle<Result<()>>) -> (Post, Result<()>) {
    match reader.await {
        Ok(result) => (post, result),
        Err(panic) => {
            error!(error = %chain(&panic), "a reader of a queue died and begins anew");
            sleep(AFTER_A_PANIC).await;
            (post, Ok(()))
        }
    }
}

/// What the broker gave up on is buried without another try. Each try so far ended with the death of a consumer, and the
/// broker cannot tell which of the messages in its hands was to blame: a person has to look.
struct Condemned(Arc<dyn Handler>);

#[async_trait]
impl Handler for Condemned {
    async fn handle(&self, _batch: &[Delivery]) -> Result<(), Failure> {
        Err(Failure::Poison)
    }

    async fn bury(&self, delivery: &Delivery) -> Result<(), Failure> {
        self.0.bury(delivery).await
    }
}
