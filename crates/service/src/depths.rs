//! How much of the queue waits, told by those who consume it: what autoscaling and alerts go by.

use std::time::Duration;

use broker::Lane;
use common::Hop;

use crate::Context;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(10);

/// Keeps the metric `queue_messages` of these lanes until the process stops. What cannot be counted keeps its last value: who looks at it is also
/// told that the process is not ready.
pub async fn keep(ctx: Context, hop: Hop, lanes: Vec<Lane>) {
    while ctx.stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        for lane in &lanes {
            match ctx.broker.depth_of(hop, lane).await {
                Ok(depth) => {
                    let depth = i64::try_from(depth).unwrap_or(i64::MAX);
                    ctx.metrics.queue_messages.with_label_values(&[hop.as_str(), lane.as_str()]).set(depth);
                }
                Err(error) => tracing::debug!(hop = hop.as_str(), %lane, error = error.label(), "cannot count"),
            }
        }
    }
}
