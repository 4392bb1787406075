//! The month's quota: so many calls of attendance and approval interfaces are paid for (reference dingtalk 5.1).

use async_trait::async_trait;
use common::UnixMillis;

/// What a call is worth: the less, the sooner it is given up for those that are worth more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Worth {
    /// A look at what is most likely known: it stops first.
    Low,
    /// Something that would come to light later all the same.
    Useful,
    /// Somebody waits for it, and nothing else will tell.
    Essential,
}

/// A call is not worth what is left of the quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the month's quota is spent, or nearly, until {until}")]
pub struct QuotaSpent {
    /// When it is worth asking again: the beginning of the next month, unless the quota is raised.
    pub until: UnixMillis,
}

/// Keeps count of what is called of the month's quota. Contacts, tokens and Stream are free and never come here.
#[async_trait]
pub trait Meter: Send + Sync {
    /// Whether a call may be sent: asked before each, and before each repetition of it.
    ///
    /// # Errors
    /// [`QuotaSpent`] when it is not worth what is left.
    async fn may(&self, api: &'static str, worth: Worth) -> Result<(), QuotaSpent>;

    /// A call was answered, well or not, and counts. What the platform refused for being too often, or because the quota
    /// is used up, does not, nor does what was not answered (reference dingtalk 5.1).
    async fn used(&self, api: &'static str);
}

/// Everything may be called, and nobody counts: for tests, and for what costs nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unmetered;

#[async_trait]
impl Meter for Unmetered {
    async fn may(&self, _api: &'static str, _worth: Worth) -> Result<(), QuotaSpent> {
        Ok(())
    }

    async fn used(&self, _api: &'static str) {}
}
