//! The loop of one consumer: claim, read, hand over, note.

use std::{pin::pin, sync::Arc, time::Duration};

use database::Database;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    ledger::{Claim, Mark, Member},
    rows::{self, Row, Rows},
};
use crate::error::chain;
use crate::{ConsumeOptions, Delivery, Handler, delivery::deliver, group::take_apart};

/// How often a consumer looks without having been woken. Nothing should depend on it.
const SAFETY_POLL: Duration = Duration::from_secs(30);

/// See the module.
pub(super) struct Consumer {
    pub(super) database: Database,
    pub(super) member: Member,
    pub(super) options: ConsumeOptions,
    pub(super) handler: Arc<dyn Handler>,
    pub(super) stop: CancellationToken,
}

impl Consumer {
    /// Works until told to stop.
    pub(super) async fn run(self) {
        let mut failures = 0;
        while !self.stop.is_cancelled() {
            let mut bell = pin!(self.member.ledger.work.notified());
            // Before looking: what comes in between rings, too.
            bell.as_mut().enable();
            let claims = self.member.claim();
            if claims.is_empty() {
                tokio::select! {
                    biased;
                    () = self.stop.cancelled() => {}
                    () = bell => {}
                    () = sleep(SAFETY_POLL) => {}
                }
                continue;
            }
            match self.read(&claims).await {
                Ok(found) => {
                    failures = 0;
                    self.work_off(&claims, found).await;
                }
                Err(error) => {
                    warn!(error = %chain(&error), "the queue cannot be read");
                    self.member.release(&[]);
                    failures += 1;
                    tokio::select! {
                        biased;
                        () = self.stop.cancelled() => {}
                        () = sleep(self.options.backoff.wait(failures, 1.0)) => {}
                    }
                }
            }
        }
    }

    async fn read(&self, claims: &[Claim]) -> database::Result<Rows> {
        let (claims, batch_size) = (claims.to_vec(), self.options.batch_size);
        self.database.read("queue.read", move |conn| rows::window(conn, &claims, batch_size)).await
    }

    async fn work_off(&self, claims: &[Claim], found: Rows) {
        let mut window = Window::new(claims, found.rows);
        self.member.hand_out(&window.marks(usize::MAX));
        let done = deliver(&*self.handler, &mut window.deliveries, &self.options, &self.stop).await;
        fail::fail_point!("embedded.handled_before_acknowledge");
        let mut handled = window.marks(done);
        // Somebody else emptied these; without a note we would look there for ever.
        let emptied = found.empty.iter().filter_map(|&claim| claims.get(claim));
        handled.extend(emptied.map(|claim| (claim.queue.clone(), claim.newest)));
        self.member.release(&handled);
    }
}

/// Rows, taken apart.
struct Window {
    deliveries: Vec<Delivery>,
    /// Per row: where it ends among the deliveries, and its mark.
    rows: Vec<(usize, Mark)>,
}

impl Window {
    fn new(claims: &[Claim], found: Vec<Row>) -> Self {
        let mut window = Self { deliveries: Vec::new(), rows: Vec::with_capacity(found.len()) };
        for row in found {
            let Some(claim) = claims.get(row.claim) else { continue };
            let redelivered = row.seq <= claim.handed_out;
            let deliveries = take_apart(row.body.into()).into_iter().map(|payload| Delivery {
                payload,
                redelivered,
                partition: claim.queue.partition,
            });
            window.deliveries.extend(deliveries);
            window.rows.push((window.deliveries.len(), (claim.queue.clone(), row.seq)));
        }
        window
    }

    /// The marks of the rows that lie wholly among the first `done` deliveries.
    fn marks(&self, done: usize) -> Vec<Mark> {
        self.rows.iter().filter(|(end, _)| *end <= done).map(|(_, mark)| mark.clone()).collect()
    }
}
