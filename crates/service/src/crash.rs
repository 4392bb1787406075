//! Ends the process at a crash point, as a loss of power would: for tests of what comes after.
//!
//! A crash point is a `fail_point!` in the sources, which comes to nothing unless the feature `crash-points` is on, as it is for tests
//! alone. `docs/reliability.md` lists all of them.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;

use crate::Environment;

/// Says where: `POINT:N` is the Nth time that the process passes that point.
const VARIABLE: &str = "ORGBRIDGE_CRASH_AT";

/// Makes the process end where its environment says, if it says so.
///
/// # Errors
/// When it cannot be understood.
pub(crate) fn arm(environment: &Environment) -> anyhow::Result<()> {
    let Some(place) = environment.get(VARIABLE) else { return Ok(()) };
    let (point, nth) = place.rsplit_once(':').with_context(|| format!("{VARIABLE}: is not POINT:N"))?;
    let nth: u64 = nth.parse().with_context(|| format!("{VARIABLE}: is not POINT:N"))?;
    let (name, passed) = (point.to_owned(), AtomicU64::new(0));
    let pass = move || {
        if passed.fetch_add(1, Ordering::Relaxed) + 1 >= nth {
            tracing::error!(point = name, "the process was told to crash here");
            // A panic would be caught on its way, and would tidy up on it.
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap_or_default();
            std::process::abort();
        }
    };
    fail::cfg_callback(point, pass).map_err(anyhow::Error::msg)
}
