//! What can only be ended together with the process: a loop.

use std::{
    io::{self, Write},
    path::Path,
    process,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

/// Far more than any machine needs for one input.
const LONGEST: Duration = Duration::from_secs(30);

/// Ends the process when the count of inputs stands still, until the other end of the channel is gone.
pub(super) fn until_over(over: &Receiver<()>, count: &AtomicU64, in_hand: &Path) {
    let mut before = count.load(Ordering::Relaxed);
    while over.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout) {
        let now = count.load(Ordering::Relaxed);
        if now == before {
            tell(&format!("an input took more than {LONGEST:?}; it is in {}\n", in_hand.display()));
            process::abort();
        }
        before = now;
    }
}

/// Says something at once: what a test prints is lost with its process.
pub(super) fn tell(text: &str) {
    drop(io::stderr().write_all(text.as_bytes()));
}
