//! The task that reads one queue: subscribes, hands over, acknowledges, and begins anew whenever that ends.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    BACKOFF, SETTLED_AFTER,
    inbox::{Holdings, Inbox, Source, Window},
    line::Line,
    link::{Link, Trouble},
    topology::Topology,
};
use crate::error::chain;
use crate::{ConsumeOptions, Handler, Result, delivery::deliver};

/// How long a handler's call may go on when what it works on is not ours any more. It may have done its work already and just
/// be about to say so; but if it hangs, others wait.
const LAST_CALL: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct Reader {
    pub(super) line: Line,
    pub(super) topology: Arc<Topology>,
    pub(super) source: Source,
    pub(super) holdings: Holdings,
    pub(super) options: ConsumeOptions,
    pub(super) handler: Arc<dyn Handler>,
    /// Finish the batch in hand, then end.
    pub(super) stop: CancellationToken,
    /// End, wherever you are.
    pub(super) cut: CancellationToken,
}

impl Reader {
    /// Works until told to stop.
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed).
    pub(super) async fn run(self) -> Result<()> {
        let mut failures = 0;
        loop {
            let link = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = self.cut.cancelled() => return Ok(()),
                link = self.line.link() => link?,
            };
            let since = Instant::now();
            let Err(trouble) = self.read_on(&link).await else { return Ok(()) };
            failures = if since.elapsed() > SETTLED_AFTER { 1 } else { failures + 1 };
            self.tell(&trouble, failures == 1 && !link.is_broken());
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.cut.cancelled() => {}
                () = sleep(BACKOFF.wait(failures, rand::random())) => {}
            }
        }
    }

    /// The end of a connection is told once, by who keeps it; the end of a subscription alone is news.
    fn tell(&self, trouble: &Trouble, is_news: bool) {
        let queue = self.source.name.as_str();
        if is_news {
            warn!(queue, error = %chain(trouble), "a subscription ended and is renewed");
        } else {
            debug!(queue, error = %chain(trouble), "a subscription ended and is renewed");
        }
    }

    async fn read_on(&self, link: &Link) -> Result<(), Trouble> {
        link.ensure(&self.topology, self.source.queue.hop, &self.source.queue.lane).await?;
        let mut inbox = Inbox::open(link, &self.source, &self.holdings).await?;
        let ended = tokio::select! {
            () = self.cut.cancelled() => Ok(()),
            ended = self.read(link, &mut inbox) => ended,
        };
        inbox.close(link).await;
        ended
    }

    async fn read(&self, link: &Link, inbox: &mut Inbox) -> Result<(), Trouble> {
        while !self.stop.is_cancelled() {
            if inbox.is_empty() {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    () = link.broken() => return Err(Trouble::Lost),
                    received = inbox.receive() => received?,
                }
            }
            inbox.receive_all()?;
            let mut window = inbox.window(self.options.batch_size);
            let done = self.hand_over(link, inbox, &mut window).await?;
            fail::fail_point!("rabbitmq.handled_before_acknowledge");
            inbox.acknowledge(link, &window, done).await?;
            fail::fail_point!("rabbitmq.after_acknowledge");
        }
        Ok(())
    }

    /// Hands a window to the handler and says how much of it is done. What comes in the meantime is received, which is
    /// also how the end of the subscription is noticed, however long the handler takes.
    async fn hand_over(&self, link: &Link, inbox: &mut Inbox, window: &mut Window) -> Result<usize, Trouble> {
        let halt = self.stop.child_token();
        let mut delivering = pin!(deliver(&*self.handler, &mut window.deliveries, &self.options, &halt));
        let trouble = loop {
            tokio::select! {
                done = &mut delivering => return Ok(done),
                () = link.broken() => break Trouble::Lost,
                received = inbox.receive() => if let Err(trouble) = received {
                    break trouble;
                },
            }
        };
        // The broker hands all of it out again, whatever is done now.
        halt.cancel();
        drop(timeout(LAST_CALL, delivering).await);
        Err(trouble)
    }
}
