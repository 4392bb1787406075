//! How an OA is told to misbehave.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use crate::Subject;

/// How an OA answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// As it should.
    #[default]
    Up,
    /// Connections are cut at once, old and new ones.
    Down,
    /// Everything is answered with this status and nothing applied.
    Failing(u16),
    /// Requests are read, never answered, and not applied.
    Hanging,
    /// Messages are applied, and the connection is cut instead of an answer.
    Mute,
}

type Predicate = Arc<dyn Fn(&Subject) -> Option<u16> + Send + Sync>;

pub(super) struct Script {
    state: watch::Sender<State>,
    failing: RwLock<Option<Predicate>>,
}

impl Script {
    pub(super) fn new() -> Self {
        Self { state: watch::Sender::new(State::Up), failing: RwLock::new(None) }
    }

    pub(super) fn state(&self) -> State {
        *self.state.borrow()
    }

    pub(super) fn set(&self, state: State) {
        self.state.send_replace(state);
    }

    /// Waits until the state is set again.
    pub(super) async fn changed(&self) {
        let mut state = self.state.subscribe();
        // The sender lives as long as this borrow of it.
        state.changed().await.ok();
    }

    pub(super) fn fail_when(&self, predicate: Option<Predicate>) {
        *self.failing.write().unwrap_or_else(PoisonError::into_inner) = predicate;
    }

    pub(super) fn status_for(&self, subject: &Subject) -> Option<u16> {
        let failing = self.failing.read().unwrap_or_else(PoisonError::into_inner);
        failing.as_ref().and_then(|predicate| predicate(subject))
    }
}
