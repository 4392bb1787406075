//! The other side of the mirror: what must be pulled before a comparison is worth anything.

use async_trait::async_trait;
use common::TenantId;

/// Pulls a tenant's directory and publishes what differs from the mirror as events.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// Pulls once. It may be called again for the same run, after a crash.
    ///
    /// # Errors
    /// The platform does not answer; it is tried again.
    async fn pull(&self, tenant: &TenantId, run: &str) -> anyhow::Result<Pulled>;

    /// Whether the mirror has taken in all that was published for this run.
    ///
    /// # Errors
    /// Those of the database or the queue; it is tried again.
    async fn is_taken_in(&self, tenant: &TenantId, run: &str) -> anyhow::Result<bool>;
}

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
