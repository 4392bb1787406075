//! The other side of the mirror: what must be pulled before a comparison is worth anything.

use async_trait::async_trait;
use common::{TenantId, UnixMillis};
use database::Connection;

/// Pulls a tenant's directory and publishes what differs from the mirror as events.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// Pulls once. It may be called again for the same run, after a crash.
    ///
    /// # Errors
    /// [`NotYet`], or the platform does not answer; it is tried again.
    async fn pull(&self, tenant: &TenantId, run: &str) -> anyhow::Result<Pulled>;

    /// Why a person must decide before a run goes on from its pull, without personal data; `None` where nothing is held back.
    ///
    /// # Errors
    /// Those of the database; it is tried again.
    async fn held_back(&self, _tenant: &TenantId, _run: &str) -> anyhow::Result<Option<String>> {
        Ok(None)
    }

    /// Whether the mirror has taken in all that was published for this run.
    ///
    /// # Errors
    /// Those of the database or the queue; it is tried again.
    async fn is_taken_in(&self, tenant: &TenantId, run: &str) -> anyhow::Result<bool>;

    /// Whether it is time to pull a tenant's directory again; `None` where nothing is ever pulled, and the age of the last run
    /// decides.
    ///
    /// # Errors
    /// Those of the database.
    fn is_due(&self, _conn: &mut Connection, _tenant: &TenantId, _now: UnixMillis) -> database::Result<Option<bool>> {
        Ok(None)
    }
}

/// A pull is under way, by whomever: it is looked at again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source is being pulled")]
pub struct NotYet;

/// What came of a pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulled {
    /// Every page and every department answered: what is not there is gone. Else nothing is removed.
    pub is_complete: bool,
}

/// No source: the mirror is taken as it is.
#[derive(Debug, Clone, Copy)]
pub struct MirrorOnly {
    /// The mirror is known to be whole.
    pub is_complete: bool,
}

#[async_trait]
impl Source for MirrorOnly {
    async fn pull(&self, _tenant: &TenantId, _run: &str) -> anyhow::Result<Pulled> {
        Ok(Pulled { is_complete: self.is_complete })
    }

    async fn is_taken_in(&self, _tenant: &TenantId, _run: &str) -> anyhow::Result<bool> {
        Ok(true)
    }
}
