//! Who may call a platform's interface now: platforms count calls, refuse what is too many, and ban whoever goes on.
//!
//! Here is the arithmetic of it, and the trait that callers see. What is spent is kept where all replicas find it, which is the
//! business of whoever implements the trait.

mod block;
mod budget;
mod pace;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use common::UnixMillis;

pub use self::{
    block::Block,
    budget::{Budget, Reserved},
    pace::{Pace, Spent},
};

/// What a platform counts together. All replicas of all services share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Allowance {
    /// Whose calls: a company's id at the platform, or empty where all companies of one address are counted together.
    pub company: Arc<str>,
    /// Which calls: the name of an interface, such as `user/get`, or of a group of them.
    pub interface: &'static str,
    /// The address that the platform sees us come from, where it counts by address; else empty.
    pub egress: Arc<str>,
}

/// So many calls in so much time. The window may begin anywhere: a platform does not say where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Calls that the platform allows.
    pub calls: u32,
    /// In each stretch of this length.
    pub per: Duration,
}

/// An allowance with the limits that the platform puts on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// What is spent.
    pub of: Allowance,
    /// All of these hold at once; of two of the same length the stricter. None where the platform publishes no figure: then only its
    /// refusals count.
    pub limits: &'static [Limit],
}

/// Who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Somebody waits for the answer: a question behind a callback.
    Live,
    /// A long pull, which can wait.
    Backfill,
}

/// The platform refuses for now: nothing was sent, and nothing is to be before this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the platform refuses calls until {until}")]
pub struct Closed {
    /// When it is worth asking again.
    pub until: UnixMillis,
}

/// Lets calls through at the rate that the platform allows.
#[async_trait]
pub trait Governor: Send + Sync + fmt::Debug {
    /// Waits for the turn of one call that spends all of these. The call is to be sent at once, and each repetition of it asks again.
    /// Who stops waiting wastes a few turns at most.
    ///
    /// # Errors
    /// [`Closed`] while the platform said that it counts too many, or banned us: at once, without waiting for the end of it.
    async fn admit(&self, spends: &[Spend], urgency: Urgency) -> Result<(), Closed>;

    /// The platform said that there were too many calls, and for how long it refuses more. From now on nobody is admitted to this
    /// allowance for so long, in no replica; for longer where the platform refuses again as soon as that is over.
    async fn refused(&self, of: &Allowance, refuses_for: Duration);

    /// When the last of `calls` more calls of back-fill that each spend all of these may be made, if nothing comes between; `None` where
    /// nothing limits them. A prediction: it reserves nothing.
    async fn done_by(&self, spends: &[Spend], calls: u64) -> Option<UnixMillis>;
}

/// Lets everything through at once: for tests, and for what no platform counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

#[async_trait]
impl Governor for Unlimited {
    async fn admit(&self, _spends: &[Spend], _urgency: Urgency) -> Result<(), Closed> {
        Ok(())
    }

    async fn refused(&self, _of: &Allowance, _refuses_for: Duration) {}

    async fn done_by(&self, _spends: &[Spend], _calls: u64) -> Option<UnixMillis> {
        None
    }
}
