//! Until when platforms refuse, as far as this process heard.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use common::UnixMillis;
use outbound::{Allowance, Closed, Spend};

/// For how long a pause that is over is remembered: turns from before it may still be about.
const REMEMBERED_MILLIS: i64 = 60_000;

/// The pauses of allowances, by our clock.
#[derive(Default)]
pub(super) struct Pauses(Mutex<HashMap<Allowance, UnixMillis>>);

impl Pauses {
    /// The platform refuses until then, or for longer where that is known.
    pub(super) fn note(&self, of: &Allowance, until: UnixMillis, now: UnixMillis) {
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.retain(|_, until| now < until.plus_millis(REMEMBERED_MILLIS));
        let known = pauses.entry(of.clone()).or_insert(until);
        *known = until.max(*known);
    }

    /// When the last pause of any of these was over; the epoch where none is known of.
    ///
    /// # Errors
    /// [`Closed`] while there is one.
    pub(super) fn over(&self, spends: &[Spend], now: UnixMillis) -> Result<UnixMillis, Closed> {
        let pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = spends.iter().filter_map(|spend| pauses.get(&spend.of)).max().copied().unwrap_or_default();
        if now < until { Err(Closed { until }) } else { Ok(until) }
    }
}
