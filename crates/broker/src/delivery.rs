//! One window of messages against a handler: repeating, halving, burying. The same for every broker.

use std::{ops::Range, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::{ConsumeOptions, Delivery, Failure, Handler, Result};

/// Works a window off, in order. Returns how many of its messages are done, counted from the front: all of them unless
/// `stop` came in between, and then at least the call in hand was finished.
pub(crate) async fn deliver(
    handler: &dyn Handler,
    window: &mut [Delivery],
    options: &ConsumeOptions,
    stop: &CancellationToken,
) -> usize {
    if window.is_empty() {
        return 0;
    }
    // A stack: the part that is next in order lies on top.
    let mut parts = Vec::from([Range { start: 0, end: window.len() }]);
    let mut failures = 0;
    let mut done = 0;
    while let Some(part) = parts.pop() {
        let Some(batch) = window.get(part.clone()) else { break };
        match attempt(handler, batch, options.handler_deadline).await {
            Ok(()) => {
                done = part.end;
                failures = 0;
            }
            Err(Failure::Poison) => {
                let middle = part.start + part.len() / 2;
                parts.push(middle..part.end);
                parts.push(part.start..middle);
            }
            Err(Failure::Retry { after }) => {
                failures += 1;
                let wait = if after.is_zero() { options.backoff.wait(failures, 1.0) } else { after };
                debug!(failures, wait_ms = wait.as_millis(), "a batch comes again");
                parts.push(part);
                tokio::select! {
                    biased;
                    () = stop.cancelled() => {}
                    () = sleep(wait) => {}
                }
            }
        }
        if stop.is_cancelled() {
            break;
        }
        window.iter_mut().skip(done).for_each(|delivery| delivery.redelivered = true);
    }
    done
}

/// One try. [`Failure::Poison`] only comes out for several messages; a single one was buried.
async fn attempt(handler: &dyn Handler, batch: &[Delivery], deadline: Duration) -> Result<(), Failure> {
    let tried = guarded(handler.handle(batch), deadline).await;
    match (tried, batch) {
        (Outcome::Done, _) => Ok(()),
        (Outcome::Retry(after), _) => Err(Failure::Retry { after }),
        (Outcome::Poison, [alone]) => bury(handler, alone, deadline).await,
        (Outcome::Poison, _) => Err(Failure::Poison),
    }
}

async fn bury(handler: &dyn Handler, alone: &Delivery, deadline: Duration) -> Result<(), Failure> {
    match guarded(handler.bury(alone), deadline).await {
        Outcome::Done => {
            warn!(partition = alone.partition, "a message was given up on and kept as a dead letter");
            Ok(())
        }
        Outcome::Retry(after) => Err(Failure::Retry { after }),
        Outcome::Poison => {
            error!(
                partition = alone.partition,
                "a message could not even be kept as a dead letter; it holds up its partition"
            );
            Err(Failure::RETRY)
        }
    }
}

enum Outcome {
    Done,
    Retry(Duration),
    Poison,
}

async fn guarded(call: impl Future<Output = Result<(), Failure>>, deadline: Duration) -> Outcome {
    match timeout(deadline, AssertUnwindSafe(call).catch_unwind()).await {
        Ok(Ok(Ok(()))) => Outcome::Done,
        Ok(Ok(Err(Failure::Retry { after }))) => Outcome::Retry(after),
        Ok(Ok(Err(Failure::Poison))) => Outcome::Poison,
        Ok(Err(_panic)) => {
            error!("a handler panicked");
            Outcome::Poison
        }
        Err(_elapsed) => {
            warn!(deadline_ms = deadline.as_millis(), "a handler overran its deadline");
            Outcome::Retry(Duration::ZERO)
        }
    }
}
