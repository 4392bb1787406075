//! What a session asks of the world around it.

use std::collections::BTreeSet;

use common::{Change, EntityKey, UnixMillis};

use crate::record::{Record, Wait};

/// What is to be written, in one transaction, after a session.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// What became due, in an order in which nothing comes before what it refers to. Versions are 0: the outbox numbers them.
    /// What the platform neither has nor shows is not referred to: a member goes out with its other departments, and a member
    /// without any, or a department without its parent, below the root.
    pub changes: Vec<Change>,
    /// The records that differ from what was loaded, in the order of their keys.
    pub records: Vec<(EntityKey, Record)>,
    /// Rows of the waiting table to add and to take away.
    pub waits: Vec<WaitChange>,
    /// What appeared, moved, went or was renamed: whoever waits for it, and is not in this session, must be looked at again.
    pub released: BTreeSet<EntityKey>,
    /// What only the platform can tell.
    pub questions: BTreeSet<Question>,
    /// Days that were answered in part only: what is asked about them stays open, and is due at once.
    pub left_open: Vec<EntityKey>,
    /// Per observation, in the order in which they were told, what came of it.
    pub seen: Vec<Seen>,
    /// Entities that were parked and have been sent.
    pub unparked: Vec<EntityKey>,
    /// Onboarding requests that cannot be sent as their records are now: each is to become a dead letter, in place of an older one.
    pub refused: Vec<RefusedRecord>,
    /// Onboarding requests of which something was told, and that are not refused: an older dead letter is over.
    pub accepted: Vec<EntityKey>,
}

/// A record of a form that cannot be made into a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRecord {
    /// The request.
    pub entity: EntityKey,
    /// Why, as it was told: a JSON list of complaints, see [`common::onboarding`].
    pub refusal: String,
}

/// A row of the waiting table that appears or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitChange {
    /// Who waits.
    pub waiter: EntityKey,
    /// For what.
    pub wait: Wait,
    /// `true`: the row is to be there; `false`: it is to go.
    pub add: bool,
}

/// Something that the resolver needs from a platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// About which entity.
    pub about: EntityKey,
    /// Why it is asked.
    pub why: Why,
    /// The platform's time of the hint or of the facts that contradict each other: an answer has to be later. 0 where any
    /// answer will do.
    pub at: UnixMillis,
}

/// Why a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The platform said "look again".
    Hint,
    /// Facts of one second contradict each other.
    Undecided,
    /// Something refers to it and it did not come.
    Missing,
    /// It is in a department that is to be removed.
    Blocking,
}

impl Why {
    /// The name used in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Undecided => "undecided",
            Self::Missing => "missing",
            Self::Blocking => "blocking",
        }
    }

    /// The way back from [`Why::as_str`]; `None` for a name that this release does not know.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Hint, Self::Undecided, Self::Missing, Self::Blocking].into_iter().find(|why| why.as_str() == name)
    }
}

/// What came of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It was known already.
    Duplicate,
    /// It is newer than nothing that holds: merged, and nothing to send.
    Stale,
    /// Merged, and the entity was sent.
    Applied,
    /// Merged, and the entity waits.
    Parked,
}
