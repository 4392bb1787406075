//! How long things may take.

use std::time::Duration;

use common::Backoff;

/// The waits and limits that are not configuration. The defaults are for the real world; tests shorten them.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Waits after failures of a destination as a whole, and of a change that is tried in place.
    pub backoff: Backoff,
    /// Waits between attempts at a change that is held.
    pub held_backoff: Backoff,
    /// How often tenants, destinations and versions are looked at though nobody rang.
    pub watch_every: Duration,
    /// How often the outbox is cleaned up, at most: it is done after such a look.
    pub clean_every: Duration,
    /// The time limit of one request.
    pub request_timeout: Duration,
    /// How long a lease holds. Longer than a request.
    pub lease: Duration,
    /// Changes that are kept in the outbox although every destination has passed them.
    pub outbox_keeps: u64,
    /// Attempts that are kept per destination.
    pub attempts_keep: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            backoff: Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) },
            held_backoff: Backoff { first: Duration::from_secs(5), longest: Duration::from_secs(600) },
            watch_every: Duration::from_secs(1),
            clean_every: Duration::from_secs(5),
            request_timeout: Duration::from_secs(15),
            lease: Duration::from_secs(60),
            outbox_keeps: 1000,
            attempts_keep: 5000,
        }
    }
}
