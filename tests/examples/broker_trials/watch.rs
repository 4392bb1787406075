//! Waiting, and looking at what the processes say.

use std::{collections::BTreeSet, fs, time::Duration};

use serde_json::Value;
use tests::Bridge;
use tokio::time::{Instant, sleep};

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// After this something is wrong.
const PATIENCE: Duration = Duration::from_secs(180);

/// Waits until it is so; how long that is after `began`.
pub(crate) async fn seconds_since(began: Instant, mut is_so: impl AsyncFnMut() -> bool) -> f64 {
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}");
        sleep(LOOK_EVERY).await;
    }
    began.elapsed().as_secs_f64()
}

/// How many of these departments the core does not have.
pub(crate) async fn not_in_core(bridge: &Bridge, departments: &BTreeSet<String>) -> usize {
    let seen = bridge.core().snapshot().await;
    departments.iter().filter(|id| !seen.departments.contains_key(*id)).count()
}

pub(crate) async fn spool_is_empty(bridge: &Bridge) -> bool {
    bridge.sum_of("orgbridge_spool_events").await == 0.0
}

/// Whether `orgbridge tenant show` says that callbacks may be missing.
pub(crate) fn is_marked(bridge: &Bridge) -> bool {
    let shown: Value = serde_json::from_str(&bridge.command(&["tenant", "show", "acme", "--json"])).unwrap();
    shown.get("callbacks_may_be_missing_since").is_some_and(Value::is_string)
}

/// What of its memory is resident, in KiB.
pub(crate) fn resident_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}
