//! The monthly quota of pushes, over Stream and HTTP together (reference dingtalk 5.1).

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::events::Event;
use super::time;

/// Counts pushes and stops them when the quota is used up. Clones are the same meter.
///
/// Whether repeats of an event count again is not documented; by default they do not.
#[derive(Clone, Default)]
pub struct PushMeter {
    shared: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    limit: Option<u64>,
    counts_repeats: bool,
    used: BTreeMap<String, u64>,
    seen: HashSet<String>,
    refused: u64,
}

impl PushMeter {
    /// A meter with a limit, or without one.
    #[must_use]
    pub fn new(limit: Option<u64>) -> Self {
        Self { shared: Arc::new(Mutex::new(State { limit, ..State::default() })) }
    }

    /// From now on each sending counts, repeats too.
    pub fn count_repeats(&self) {
        self.state().counts_repeats = true;
    }

    /// Changes the limit.
    pub fn set_limit(&self, limit: Option<u64>) {
        self.state().limit = limit;
    }

    /// How many were counted in a month (`yyyy-MM`, China time).
    #[must_use]
    pub fn used(&self, month: &str) -> u64 {
        self.state().used.get(month).copied().unwrap_or_default()
    }

    /// How many pushes the used-up quota stopped.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.state().refused
    }

    /// Counts a sending at that time (Unix ms); whether it may be made.
    pub(super) fn admit(&self, event: &Event, now_ms: i64) -> bool {
        if !event.is_counted() {
            return true;
        }
        let mut state = self.state();
        if !state.counts_repeats && state.seen.contains(&event.id) {
            return true;
        }
        let month = time::month(now_ms);
        let used = state.used.get(&month).copied().unwrap_or_default();
        if state.limit.is_some_and(|limit| used >= limit) {
            state.refused += 1;
            return false;
        }
        state.used.insert(month, used + 1);
        state.seen.insert(event.id.clone());
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PushMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushMeter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SEPTEMBER: i64 = 1_789_952_400_000;
    const OCTOBER: i64 = SEPTEMBER + 20 * time::DAY_MS;

    fn event(number: u64, kind: &str) -> Event {
        Event::new(1, number, "ding", kind, 0, json!({}))
    }

    #[test]
    fn the_quota_stops_attendance_for_the_month_and_leaves_contacts_alone() {
        let meter = PushMeter::new(Some(2));
        let admitted = |number, kind| meter.admit(&event(number, kind), SEPTEMBER);
        assert!(admitted(1, "attendance_check_record") && admitted(2, "bpms_instance_change"));
        assert!(!admitted(3, "attendance_check_record"));
        assert!(admitted(4, "user_add_org"));
        assert!(meter.admit(&event(5, "attendance_check_record"), OCTOBER));
        assert_eq!((meter.used("2026-09"), meter.used("2026-10"), meter.refused()), (2, 1, 1));
    }

    #[test]
    fn repeats_count_only_if_they_are_to() {
        let meter = PushMeter::new(None);
        let twice = || (0..2).all(|_time| meter.admit(&event(1, "attendance_check_record"), SEPTEMBER));
        assert!(twice());
        assert_eq!(meter.used("2026-09"), 1);
        meter.count_repeats();
        assert!(twice());
        assert_eq!(meter.used("2026-09"), 3);
    }
}
