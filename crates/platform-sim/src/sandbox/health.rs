//! Whether a sandbox on this machine is well: what an image without a shell is asked with.

use std::time::Duration;

use super::options::{Address, Part};
use crate::dispatcher::client;

const PATIENCE: Duration = Duration::from_secs(2);

/// Why it is not well.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// Nobody answers.
    #[error("nobody answers: {0}")]
    Silent(#[from] reqwest::Error),
    /// Another status than 200.
    #[error("status {0}")]
    Status(u16),
}

/// Asks the sandbox that listens there.
///
/// # Errors
/// Why it is not well.
pub async fn health(address: &Address) -> Result<(), Unhealthy> {
    let url = format!("http://{}/healthz", address.from_here(Part::Status));
    match client()?.get(url).timeout(PATIENCE).send().await?.status().as_u16() {
        200 => Ok(()),
        other => Err(Unhealthy::Status(other)),
    }
}
