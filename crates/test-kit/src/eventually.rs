//! Waiting for a condition.

use std::{fmt::Debug, time::Duration};

/// How long a condition may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until `look` sees what `is_there` says, and returns it.
///
/// # Panics
/// After a minute, with what was seen last.
pub async fn eventually<T: Debug>(what: &str, mut look: impl AsyncFnMut() -> T, is_there: impl Fn(&T) -> bool) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let seen = look().await;
        if is_there(&seen) {
            return seen;
        }
        assert!(tokio::time::Instant::now() < deadline, "{what}: not within {PATIENCE:?}; last seen: {seen:?}");
        tokio::time::sleep(PAUSE).await;
    }
}
