//! The brake: how many removals go without a person.

use std::fmt;

use common::EntityKind;
use serde::{Deserialize, Serialize};

use super::PerKind;

/// Above how many removals a person is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brake {
    /// A share of what is alive at the destination, 0 to 1. Counts only together with `count`.
    pub share: f64,
    /// A number. Counts only together with `share`.
    pub count: u64,
    /// A number that is too much whatever the share.
    pub max: u64,
}

/// What the brake says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The removals may go.
    Allowed,
    /// A person is asked first.
    Quarantine {
        /// What is too much.
        why: Vec<Excess>,
    },
}

/// Too many removals of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excess {
    /// Of which kind.
    pub kind: EntityKind,
    /// How many rows would be disabled or deleted.
    pub removals: u64,
    /// How many rows are alive at the destination.
    pub live: u64,
    /// Which limit that exceeds.
    pub limit: Limit,
}

/// A limit of the brake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Share and count.
    Share,
    /// The number that is too much whatever the share.
    Max,
}

impl Brake {
    /// Whether so many removals go without a person, where so many rows are alive. Members and departments count apart.
    pub fn verdict(&self, removals: PerKind<u64>, live: PerKind<u64>) -> Verdict {
        let departments = self.excess(EntityKind::Department, removals.departments, live.departments);
        let members = self.excess(EntityKind::Member, removals.members, live.members);
        let why: Vec<Excess> = departments.into_iter().chain(members).collect();
        if why.is_empty() { Verdict::Allowed } else { Verdict::Quarantine { why } }
    }

    fn excess(&self, kind: EntityKind, removals: u64, live: u64) -> Option<Excess> {
        let is_above_share = removals as f64 > self.share * live as f64;
        let limit = if removals > self.max {
            Limit::Max
        } else if is_above_share && removals > self.count {
            Limit::Share
        } else {
            return None;
        };
        Some(Excess { kind, removals, live, limit })
    }
}

/// `12 of 40 members`.
impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} {}s", self.removals, self.live, self.kind.as_str())
    }
}
