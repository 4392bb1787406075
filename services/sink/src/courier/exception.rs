//! Entities whose newest change has not arrived.

use std::collections::BTreeSet;

use common::{EntityKey, UnixMillis};

/// An entity whose newest change the position passed without its arriving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// How it stands.
    pub state: State,
    /// The version of the change.
    pub version: u64,
    /// The entity is not at the destination (under this id) at all: what refers to it must wait.
    pub absent: bool,
    /// Though absent it may be there: it was sent, and nobody heard an answer.
    pub unsure: bool,
    /// The change is a removal.
    pub removal: bool,
    /// The departments that the entity refers to at the destination, or more than that.
    pub there: BTreeSet<EntityKey>,
    /// What of it the entity is to have left by now.
    pub left: BTreeSet<EntityKey>,
    /// Under which other ids the destination has the entity, because renames have not arrived; by version.
    pub formerly: Vec<Former>,
    /// How often the change was tried.
    pub attempts: u32,
    /// Not before this is it tried again.
    pub next_attempt: UnixMillis,
    /// Since when it has been an exception in this state.
    pub since: UnixMillis,
    /// Why, without personal data.
    pub reason: String,
}

/// An id that an entity gave up by a rename that has not arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    /// The id.
    pub key: EntityKey,
    /// The version of the rename: nothing of this entity that is sent to the old id may look newer than what the next owner of
    /// that id sends.
    pub version: u64,
    /// The destination may not have it under this id: see [`Exception::unsure`].
    pub unsure: bool,
}

/// How an exception stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Tried again at [`Exception::next_attempt`].
    Held,
    /// Tried again when none of these is in its way any more.
    Waiting {
        /// Other exceptions.
        on: BTreeSet<EntityKey>,
    },
    /// Given up on. If it was given up while it waited, it comes back when that appears.
    Dead {
        /// What it waited for.
        on: BTreeSet<EntityKey>,
    },
}

impl Exception {
    /// What must change before it is tried again.
    pub fn waits_on(&self) -> Option<&BTreeSet<EntityKey>> {
        match &self.state {
            State::Held => None,
            State::Waiting { on } | State::Dead { on } => Some(on),
        }
    }

    /// Whether it was given up on.
    pub const fn is_dead(&self) -> bool {
        matches!(self.state, State::Dead { .. })
    }

    /// Whether the destination surely has no row of the entity, neither under this id nor under a former one.
    pub const fn is_nowhere(&self) -> bool {
        self.absent && !self.unsure && self.formerly.is_empty()
    }
}
