//! Keeps one place filled: a connection is open, or will be.

#[cfg(test)]
mod tests;

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use common::TenantId;
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{select, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    connection::{Connection, Ended, Receive},
    dial::{Dial, NoConnection, Socket},
    pace::Pace,
    standing::{Standing, State},
};

/// How often credentials are tried again that the platform refused. They will not become right by being tried.
const REFUSED_EVERY: Duration = Duration::from_secs(300);

/// Whether it was said already that an application's credentials are refused.
pub(super) type Alarm = Arc<AtomicBool>;

/// Keeps one connection of an application open.
pub(super) struct Keeper {
    pub(super) tenant: TenantId,
    pub(super) dial: Arc<dyn Dial>,
    pub(super) receiver: Arc<dyn Receive>,
    pub(super) standing: Standing,
    pub(super) pace: Pace,
    pub(super) alarm: Alarm,
    pub(super) stop: CancellationToken,
}

/// Connections whose place another one has, or will have.
type Former = FuturesUnordered<BoxFuture<'static, ()>>;

impl Keeper {
    /// Works until told to stop; then what is in hand is answered.
    pub(super) async fn keep(mut self) {
        let mut former = Former::new();
        // Cancelled when the next connection is open, or there will be none.
        let mut next_is_open = self.stop.child_token();
        let mut pause = Duration::ZERO;
        while let Some(socket) = beside(&mut former, self.open(pause)).await {
            next_is_open.cancel();
            self.standing.turn(State::Open);
            tracing::info!(tenant.id = %self.tenant, "a Stream connection is open");
            let mut connection = Connection::new(socket, Arc::clone(&self.receiver));
            let ended = beside(&mut former, connection.serve(&self.stop)).await;
            self.pace.lived(connection.age(), connection.has_carried());
            if ended == Ended::Told {
                beside(&mut former, connection.finish()).await;
                break;
            }
            tracing::info!(tenant.id = %self.tenant, why = ended.as_str(), "a Stream connection ends");
            self.standing.turn(State::Opening);
            pause = if ended == Ended::Planned {
                next_is_open = self.stop.child_token();
                let age = connection.age();
                former.push(self.drain(connection, next_is_open.clone()));
                self.pace.after_plan(age)
            } else {
                former.push(connection.abandon());
                self.pace.after_failure()
            };
        }
        while former.next().await.is_some() {}
    }

    /// Opens a connection, after a pause and as often as it takes; nothing when told to stop.
    async fn open(&mut self, mut pause: Duration) -> Option<Socket> {
        loop {
            self.stop.run_until_cancelled(sleep(pause)).await?;
            let error = match self.stop.run_until_cancelled(self.dial.dial()).await? {
                Ok(socket) => {
                    self.alarm.store(false, Ordering::Relaxed);
                    return Some(socket);
                }
                Err(error) => error,
            };
            pause = match error {
                NoConnection::Credentials => {
                    self.standing.turn(State::Refused);
                    if !self.alarm.swap(true, Ordering::Relaxed) {
                        tracing::error!(
                            tenant.id = %self.tenant,
                            "DingTalk refuses client_id or client_secret, or Stream mode for this application: no event comes"
                        );
                    }
                    REFUSED_EVERY
                }
                NoConnection::Failed { why, after } => {
                    self.standing.turn(State::Opening);
                    if self.pace.is_fine() {
                        tracing::warn!(tenant.id = %self.tenant, why, "a Stream connection cannot be opened; it is tried again");
                    } else {
                        tracing::debug!(tenant.id = %self.tenant, why, "a Stream connection cannot be opened yet");
                    }
                    self.pace.after_failure().max(after)
                }
            };
        }
    }

    fn drain(&self, connection: Connection, next_is_open: CancellationToken) -> BoxFuture<'static, ()> {
        let standing = self.standing.another(State::Draining);
        Box::pin(async move {
            connection.drain(next_is_open).await;
            drop(standing);
        })
    }
}

/// Does some work, and goes on with the former connections meanwhile.
async fn beside<T>(former: &mut Former, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        select! {
            biased;
            done = &mut work => return done,
            Some(()) = former.next(), if !former.is_empty() => {}
        }
    }
}
