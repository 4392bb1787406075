//! Who works, and which partitions are whose.

use std::{future::pending, sync::Arc};

use common::{Hop, partition_of};
use futures::future::select_all;
use lapin::types::ShortString;
use tokio::sync::watch;

use crate::{Lane, Share};

/// The live workers of each lane of a hop. Each takes its share of the partitions and leaves the rest to the others.
///
/// It need not be exact: where two workers both take a partition, the broker lets one of them work and the other wait.
/// But a partition whose owner is listed and does not work stands still. So a worker that ended must leave the list soon.
pub trait Members: Send + Sync + 'static {
    /// The name of this process among the workers: no other one has it, and it never changes.
    fn me(&self) -> &str;

    /// Who works on a lane of a hop, now and from now on. Where others are listed and this process is missing it is added; while
    /// nobody is listed nobody is known yet, and this process waits.
    fn watch(&self, hop: Hop, lane: &Lane) -> watch::Receiver<Arc<[String]>>;
}

/// The only worker there is.
#[derive(Debug, Clone)]
pub struct Alone(String);

impl Alone {
    /// A single worker by that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

impl Members for Alone {
    fn me(&self) -> &str {
        &self.0
    }

    fn watch(&self, _hop: Hop, _lane: &Lane) -> watch::Receiver<Arc<[String]>> {
        watch::channel(Arc::from([self.0.clone()])).1
    }
}

/// Who works on a lane.
pub(super) type Live = watch::Receiver<Arc<[String]>>;

/// Who works on the lanes of one consumer.
pub(super) struct Crew(Vec<(Lane, Live)>);

impl Crew {
    pub(super) fn new(members: &dyn Members, hop: Hop, lanes: &[Lane]) -> Self {
        Self(lanes.iter().map(|lane| (lane.clone(), members.watch(hop, lane))).collect())
    }

    /// Who works on each lane at the moment.
    pub(super) fn live(&mut self) -> Vec<(Lane, Arc<[String]>)> {
        self.0.iter_mut().map(|(lane, live)| (lane.clone(), Arc::clone(&live.borrow_and_update()))).collect()
    }

    /// Waits until that changes.
    pub(super) async fn changed(&mut self) {
        if self.0.is_empty() {
            return pending().await;
        }
        let changes = self.0.iter_mut().map(|(_, live)| {
            Box::pin(async move {
                if live.changed().await.is_err() {
                    // Nobody will ever tell of another change.
                    pending().await
                }
            })
        });
        select_all(changes).await;
    }
}

/// Which of the queues of a lane belong to this process among those who work on it.
pub(super) fn share(members: &dyn Members, live: &[String], queues: impl Iterator<Item = ShortString>) -> Share {
    if live.is_empty() {
        return Share::Unknown;
    }
    Share::Partitions(queues.map(|queue| is_mine(members.me(), live, queue.as_str())).collect())
}

/// Whether a queue belongs to `me` among those who work: to whom the hash of worker and queue is greatest. So a worker that
/// comes or goes moves no queue but those that it gets or had.
pub(super) fn is_mine(me: &str, live: &[String], queue: &str) -> bool {
    // The one hash that never changes between releases, over nearly its whole range.
    let score = |member: &str| partition_of(&format!("{member} {queue}"), u32::MAX);
    let mine = (score(me), me);
    live.iter().map(String::as_str).filter(|other| *other != me).all(|other| (score(other), other) < mine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(members: &[&str]) -> Vec<String> {
        let live: Vec<String> = members.iter().map(|&member| member.to_owned()).collect();
        let owner = |partition: u32| {
            let queue = format!("orgbridge.events.shared.p{partition:02}");
            let mut mine = live.iter().filter(|me| is_mine(me, &live, &queue));
            let owner = mine.next().expect("every queue has an owner").clone();
            assert_eq!(mine.next(), None, "and only one");
            owner
        };
        (0..64).map(owner).collect()
    }

    #[test]
    fn everybody_has_a_share() {
        let owners = owners(&["a", "b", "c"]);
        for member in ["a", "b", "c"] {
            let share = owners.iter().filter(|owner| *owner == member).count();
            assert!((10..=32).contains(&share), "{member} has {share} of 64");
        }
    }

    #[test]
    fn who_comes_moves_only_what_it_gets() {
        let (before, after) = (owners(&["a", "b", "c"]), owners(&["a", "b", "c", "d"]));
        assert!(before.iter().zip(&after).all(|(before, after)| before == after || after == "d"));
        assert!(after.iter().any(|owner| owner == "d"));
    }

    #[test]
    fn who_is_not_listed_counts_all_the_same() {
        let listed = ["a".to_owned()];
        let mine = (0..64).filter(|partition| is_mine("z", &listed, &format!("q{partition}"))).count();
        assert!((1..64).contains(&mine));
    }
}
