//! The life of a process, from its start until it is killed.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Gateway,
    Resolver,
    Sink,
}

/// On which side of a door: its effect is still to come, or there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

impl Side {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// How many processes there are at a time.
pub(crate) const SLOTS: usize = 5;

/// Which process stands at a place: a gateway, two resolvers, two sinks.
pub(crate) const fn role_of(slot: usize) -> Role {
    match slot {
        0 => Role::Gateway,
        1 | 2 => Role::Resolver,
        _ => Role::Sink,
    }
}

/// One process. When it is killed its doors do not open any more, and whoever stands at one stands there for ever.
#[derive(Debug)]
pub(crate) struct Life {
    /// Also its name among its replicas.
    pub(crate) name: String,
    pub(crate) role: Role,
    /// At which of its steps it dies, counted from 1.
    doom: Option<u64>,
    steps: AtomicU64,
    end: CancellationToken,
}

impl Life {
    pub(crate) fn new(name: String, role: Role, doom: Option<u64>) -> Self {
        Self { name, role, doom, steps: AtomicU64::new(0), end: CancellationToken::new() }
    }

    /// Counts a step; whether it is the last one.
    pub(crate) fn steps_into_doom(&self) -> bool {
        Some(self.steps.fetch_add(1, Ordering::Relaxed) + 1) == self.doom
    }

    pub(crate) fn end(&self) {
        self.end.cancel();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.end.is_cancelled()
    }

    /// Waits until it is.
    pub(crate) async fn over(&self) {
        self.end.cancelled().await;
    }
}
