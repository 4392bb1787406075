//! The door to the broker.

use std::{future::pending, sync::Arc, time::Duration};

use async_trait::async_trait;
use broker::{Broker, ConsumeOptions, Error, Handler, Lane, Outgoing, Result};
use common::Hop;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Carrier;
use crate::{
    bugs::Bug,
    faults::Kind,
    life::{Life, Side},
    site::Site,
    world::World,
};

/// A consumer that was cut off comes back after this.
const BACK_AFTER: Duration = Duration::from_millis(40);

/// See the module.
pub(crate) struct BrokerDoor {
    world: Arc<World>,
    site: Arc<Site>,
    life: Arc<Life>,
}

/// What becomes of something that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Published,
    PublishedTwice,
    /// It is there, and nobody hears of it.
    Unconfirmed,
    Refused,
    /// Nobody hears of it for a long time; it is there or not.
    Hung {
        is_there: bool,
    },
}

impl BrokerDoor {
    pub(crate) fn new(world: &Arc<World>, site: &Arc<Site>, life: &Arc<Life>) -> Self {
        Self { world: Arc::clone(world), site: Arc::clone(site), life: Arc::clone(life) }
    }

    async fn pass(&self, what: &str, side: Side) {
        if !self.world.passes(&self.life, what, side) {
            pending::<()>().await;
        }
    }

    fn fate(&self) -> Fate {
        let habits = &self.world.habits;
        let mut state = self.world.state();
        if state.happens(Kind::PublishFailed, habits.publish_fails) {
            Fate::Refused
        } else if state.happens(Kind::ConfirmLost, habits.confirm_is_lost) {
            Fate::Unconfirmed
        } else if state.happens(Kind::PublishedTwice, habits.publishes_twice) {
            Fate::PublishedTwice
        } else if state.happens(Kind::PublishHung, habits.publish_hangs) {
            Fate::Hung { is_there: state.dice.once_in(2) }
        } else {
            Fate::Published
        }
    }

    async fn publish_once(&self, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) -> Result<()> {
        match self.site.current() {
            Some(queue) => queue.publish(hop, lane, messages).await,
            None => Err(Error::Unavailable),
        }
    }

    async fn suffer(&self, fate: Fate, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) -> Result<()> {
        match fate {
            Fate::Published => self.publish_once(hop, lane, messages).await,
            Fate::PublishedTwice => {
                self.publish_once(hop, lane, messages.clone()).await?;
                self.publish_once(hop, lane, messages).await
            }
            Fate::Unconfirmed => {
                self.publish_once(hop, lane, messages).await?;
                Err(Error::Unconfirmed)
            }
            Fate::Refused => Err(Error::Unavailable),
            Fate::Hung { is_there } => {
                if is_there {
                    self.publish_once(hop, lane, messages).await?;
                }
                sleep(confirm_patience(hop)).await;
                Err(Error::Unconfirmed)
            }
        }
    }

    /// A planted bug: whoever publishes hears that it is there before it is.
    fn publish_later(&self, fate: Fate, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) {
        let (site, life, lane) = (Arc::clone(&self.site), Arc::clone(&self.life), lane.clone());
        tokio::spawn(async move {
            sleep(Duration::from_millis(30)).await;
            if let Some(queue) = site.current().filter(|_| !life.is_over() && fate == Fate::Published) {
                queue.publish(hop, &lane, messages).await.ok()
            } else {
                None
            }
        });
    }
}

#[async_trait]
impl Broker for BrokerDoor {
    async fn publish(&self, hop: Hop, lane: &Lane, messages: Vec<Outgoing>) -> Result<()> {
        let what = match hop {
            Hop::Events => "publish.events",
            Hop::Changes => "publish.changes",
        };
        self.pass(what, Side::Before).await;
        let messages = match self.world.bug {
            Some(bug) => bug.alters(&self.world, hop, messages),
            None => messages,
        };
        let fate = self.fate();
        let published = if self.world.bug == Some(Bug::AnswerBeforePublish) && hop == Hop::Events {
            self.publish_later(fate, hop, lane, messages);
            Ok(())
        } else {
            self.suffer(fate, hop, lane, messages).await
        };
        self.pass(what, Side::After).await;
        published
    }

    async fn consume(
        &self,
        hop: Hop,
        lanes: &[Lane],
        options: ConsumeOptions,
        handler: Arc<dyn Handler>,
        stop: CancellationToken,
    ) -> Result<()> {
        let carrier = Arc::new(Carrier::new(&self.world, &self.life, hop, handler));
        self.world.join(&carrier);
        loop {
            let (crashes, queue) = tokio::select! {
                biased;
                () = self.life.over() => pending().await,
                up = self.site.up() => up,
            };
            let carries: Arc<dyn Handler> = carrier.clone();
            // What is dropped here leaves its batch to the next consumer.
            tokio::select! {
                biased;
                () = self.life.over() => pending().await,
                () = carrier.cut() => {}
                () = self.site.crashed_again(crashes) => {}
                ended = queue.consume(hop, lanes, options, carries, stop.clone()) => return ended,
            }
            sleep(BACK_AFTER).await;
        }
    }

    async fn depth(&self, hop: Hop) -> Result<u64> {
        match self.site.current() {
            Some(queue) => queue.depth(hop).await,
            None => Err(Error::Unavailable),
        }
    }
}

/// A gateway stops waiting before, the resolver does not.
const fn confirm_patience(hop: Hop) -> Duration {
    match hop {
        Hop::Events => Duration::from_secs(5),
        Hop::Changes => Duration::from_millis(1500),
    }
}
