//! Stream mode: the gateway that hands out tickets, the connections, and how events go to them (reference dingtalk 1).

mod connections;
mod courier;
mod journal;
mod opening;
mod options;
mod replies;
pub(super) mod socket;
mod state;
mod tickets;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;

use super::clock::Clock;
use super::events::Event;
use super::failed::FailedList;
use super::meter::PushMeter;

pub use connections::{ConnectionInfo, ConnectionState};
pub use journal::{EventDelivery, StreamTally, Told};
pub(super) use opening::auth_failed;
pub use options::{Chances, OpenFault, StreamOptions};
use state::State;
use tickets::Pass;

/// The Stream gateway of one app. Clones are the same gateway.
///
/// Its deadlines and pauses follow the clock that it is given; its own thread carries events.
#[derive(Clone)]
pub struct Stream {
    shared: Arc<Shared>,
    keeper: Arc<Keeper>,
}

/// Ends the gateway's thread with the last handle on the gateway.
struct Keeper(Option<Runtime>);

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// What the gateway's tasks and its connections share.
struct Shared {
    clock: Clock,
    failed: FailedList,
    meter: PushMeter,
    state: Mutex<State>,
    changed: watch::Sender<()>,
    runtime: Handle,
    started: Instant,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes who waits for something.
    fn tell(&self) {
        self.changed.send_replace(());
    }
}

impl Stream {
    /// A gateway without connections.
    ///
    /// # Errors
    /// If its thread cannot be started.
    pub fn new(options: StreamOptions, clock: Clock, failed: FailedList, meter: PushMeter) -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("simulated-stream").enable_time().build()?;
        let shared = Arc::new(Shared {
            clock,
            failed,
            meter,
            state: Mutex::new(State::new(options)),
            changed: watch::Sender::new(()),
            runtime: runtime.handle().clone(),
            started: Instant::now(),
        });
        Ok(Self { shared, keeper: Arc::new(Keeper(Some(runtime))) })
    }

    /// Changes options from now on.
    pub fn configure(&self, change: impl FnOnce(&mut StreamOptions)) {
        change(&mut self.shared.state().options);
    }

    /// Sends events, each to one connection, and again as long as it is not acknowledged. Returns at once.
    pub fn push(&self, events: &[Event]) {
        for event in events {
            if self.shared.state().take_on(event) {
                self.shared.runtime.spawn(courier::carry(Arc::clone(&self.shared), event.clone()));
            }
        }
    }

    /// From now on so many requests for a connection end like that.
    pub fn fail_open(&self, fault: OpenFault, times: u32) {
        self.shared.state().open_faults.extend((0..times).map(|_time| fault));
    }

    /// The next so many connections are closed cleanly as soon as they are open.
    pub fn close_at_once(&self, times: u32) {
        self.shared.state().close_at_once = times;
    }

    /// The next so many connections are accepted and never hear anything.
    pub fn stall_at_once(&self, times: u32) {
        self.shared.state().stall_at_once = times;
    }

    /// Nothing that was scripted goes wrong any more; what goes wrong by chance is in the options.
    pub fn heal(&self) {
        let mut state = self.shared.state();
        state.open_faults.clear();
        state.close_at_once = 0;
        state.stall_at_once = 0;
    }

    /// Tells a connection that it will be closed, sends it nothing more, and closes it when the time for that has come.
    /// Whether it was open and usual.
    pub fn disconnect(&self, id: u64, reason: &str) -> bool {
        connections::disconnect(&self.shared, id, reason)
    }

    /// From now on a connection stays open and hears nothing; for a while events are sent to it all the same. Whether
    /// it was open.
    pub fn stall(&self, id: u64) -> bool {
        let now_ms = self.shared.clock.now_ms();
        let stalled = self.shared.state().stall(id, now_ms);
        self.shared.tell();
        stalled
    }

    /// Cuts a connection without a close frame. Whether it was open.
    pub fn cut(&self, id: u64) -> bool {
        self.shared.state().cut(id)
    }

    /// Closes a connection cleanly, without a warning. Whether it was open.
    pub fn close(&self, id: u64) -> bool {
        self.shared.state().close(id)
    }

    /// Sends a frame of type SYSTEM and returns its message id; `None` if the connection is not open.
    pub fn send_system(&self, id: u64, topic: &str, data: &str) -> Option<String> {
        let now_ms = self.shared.clock.now_ms();
        self.shared.state().send_system(id, topic, data, now_ms)
    }

    /// Sends a frame of type CALLBACK and returns its message id; `None` if the connection is not open.
    pub fn send_callback(&self, id: u64, topic: &str, data: &str) -> Option<String> {
        let now_ms = self.shared.clock.now_ms();
        self.shared.state().send_callback(id, topic, data, now_ms)
    }

    /// All connections that there ever were, in order of their opening.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionInfo> {
        self.shared.state().connections.values().map(|connection| connection.info.clone()).collect()
    }

    /// Ids of the connections that get events now, those that stalled not included.
    #[must_use]
    pub fn live(&self) -> Vec<u64> {
        self.shared.state().live()
    }

    /// All sendings of events, in order.
    #[must_use]
    pub fn deliveries(&self) -> Vec<EventDelivery> {
        self.shared.state().journal.deliveries().to_vec()
    }

    /// The sendings of one event, in order.
    #[must_use]
    pub fn deliveries_of(&self, event_id: &str) -> Vec<EventDelivery> {
        let state = self.shared.state();
        state.journal.deliveries().iter().filter(|delivery| delivery.event_id == event_id).cloned().collect()
    }

    /// Everything that clients said, in order.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        self.shared.state().journal.told().to_vec()
    }

    /// The counts.
    #[must_use]
    pub fn tally(&self) -> StreamTally {
        self.shared.state().journal.tally
    }

    /// The longest time between two sendings one after the other, since the first one or the last reset; real time.
    #[must_use]
    pub fn longest_pause(&self) -> Duration {
        self.shared.state().journal.longest_pause()
    }

    /// Forgets the longest pause; the next one begins now.
    pub fn reset_pause(&self) {
        let now = self.shared.started.elapsed();
        self.shared.state().journal.reset_pause(now);
    }

    /// How many events are still being carried: sent and not answered, or waiting to be sent again.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.shared.state().under_way
    }

    /// Waits until this holds; it is asked whenever something changed.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let mut changed = self.shared.changed.subscribe();
        while !holds(self) {
            // The sender lives as long as this gateway.
            changed.changed().await.ok();
        }
    }

    /// Waits until so many connections get events.
    pub async fn connected(&self, connections: usize) {
        self.until(|stream| stream.live().len() >= connections).await;
    }

    /// Waits until every event was acknowledged or given up on.
    pub async fn settled(&self) {
        self.until(|stream| stream.under_way() == 0).await;
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("under_way", &self.under_way())
            .field("handles", &Arc::strong_count(&self.keeper))
            .finish_non_exhaustive()
    }
}
