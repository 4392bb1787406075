//! A line to the broker: one connection at a time, replaced whenever it ends.

use std::{pin::pin, sync::Arc, time::Duration};

use futures::StreamExt;
use lapin::Event;
use tokio::{
    sync::watch,
    time::{Instant, interval, sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use super::{
    BACKOFF, SETTLED_AFTER,
    link::{Access, Link, Trouble},
};
use crate::error::chain;
use crate::{Error, Result};

/// How often a connection is looked at without having reported anything. Nothing should depend on it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// See the module; cheap to clone.
#[derive(Clone)]
pub(super) struct Line(watch::Receiver<State>);

/// What there is on a line now.
#[derive(Clone, Default)]
pub(super) struct State {
    link: Option<Arc<Link>>,
    blocked: bool,
}

impl State {
    fn is_usable(&self) -> bool {
        self.link.as_ref().is_some_and(|link| !link.is_broken())
    }
}

impl Line {
    /// Keeps a connection open from now on, until `stop`.
    pub(super) fn open(access: Arc<Access>, role: &'static str, stop: CancellationToken, tasks: &TaskTracker) -> Self {
        let (state, seen) = watch::channel(State::default());
        tasks.spawn(Keeper { access, role, stop, state }.run());
        Self(seen)
    }

    /// The connection, as soon as there is one.
    ///
    /// # Errors
    /// [`Error::Closed`]: there will never be one again.
    pub(super) async fn link(&self) -> Result<Arc<Link>> {
        let mut state = self.0.clone();
        let found = state.wait_for(State::is_usable).await.map_err(|_gone| Error::Closed)?;
        found.link.clone().ok_or(Error::Closed)
    }

    /// Whether the broker takes no messages for now.
    pub(super) fn is_blocked(&self) -> bool {
        self.0.borrow().blocked
    }

    /// Tells of every change.
    pub(super) fn changes(&self) -> watch::Receiver<State> {
        self.0.clone()
    }
}

/// Who opens connections and notices their end.
struct Keeper {
    access: Arc<Access>,
    role: &'static str,
    stop: CancellationToken,
    state: watch::Sender<State>,
}

impl Keeper {
    async fn run(self) {
        let mut failures = 0;
        let mut is_out = false;
        while let Some(connected) = self.stop.run_until_cancelled(Link::connect(&self.access, self.role)).await {
            let trouble = match connected {
                Ok(link) => {
                    if is_out {
                        info!(role = self.role, "the broker is back");
                        is_out = false;
                    }
                    let since = Instant::now();
                    let trouble = self.keep(Arc::new(link)).await;
                    if since.elapsed() > SETTLED_AFTER {
                        failures = 0;
                    }
                    trouble
                }
                Err(trouble) => trouble,
            };
            if self.stop.is_cancelled() {
                break;
            }
            failures += 1;
            if !is_out {
                warn!(
                    role = self.role,
                    error = %chain(&trouble),
                    "no connection to the broker; trying again until there is one"
                );
                is_out = true;
            }
            let wait = BACKOFF.wait(failures, rand::random());
            self.stop.run_until_cancelled(sleep(wait)).await;
        }
    }

    /// Offers a connection until it ends, and says why it did.
    async fn keep(&self, link: Arc<Link>) -> Trouble {
        self.state.send_replace(State { link: Some(Arc::clone(&link)), blocked: false });
        let trouble = self.watch(&link).await;
        self.state.send_replace(State::default());
        link.end().await;
        trouble
    }

    async fn watch(&self, link: &Link) -> Trouble {
        let mut events = pin!(link.events());
        let mut look = interval(LOOK_EVERY);
        loop {
            self.tell_whether_blocked(link.is_blocked());
            tokio::select! {
                // First: it knows the reason.
                biased;
                event = events.next() => match event {
                    Some(Event::Error(error)) if !link.is_open() => return Trouble::Failed(error),
                    Some(_) => {}
                    None => return Trouble::Lost,
                },
                () = self.stop.cancelled() => return Trouble::Lost,
                () = link.broken() => return Trouble::Lost,
                _ = look.tick() => if !link.is_open() {
                    return Trouble::Lost;
                },
            }
        }
    }

    fn tell_whether_blocked(&self, blocked: bool) {
        let tell = |state: &mut State| {
            let changed = state.blocked != blocked;
            state.blocked = blocked;
            changed
        };
        if self.state.send_if_modified(tell) {
            if blocked {
                warn!(role = self.role, "the broker is short of memory or disk and takes nothing");
            } else {
                info!(role = self.role, "the broker takes messages again");
            }
        }
    }
}
