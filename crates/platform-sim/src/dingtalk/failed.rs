//! The list of failed pushes, which empties itself when it is read (reference dingtalk 4.7).

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::events::Event;

/// How the list behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedOptions {
    /// How many entries one read returns at most.
    pub page: usize,
    /// How long after its last try an event appears.
    pub delay: Duration,
}

impl Default for FailedOptions {
    fn default() -> Self {
        Self { page: 200, delay: Duration::from_secs(180) }
    }
}

/// What one read returns and removes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedPage {
    /// Whether more can be read now.
    pub has_more: bool,
    /// The entries of `failed_list`.
    pub entries: Vec<Value>,
}

/// The list. Clones are the same list.
#[derive(Clone, Default)]
pub struct FailedList {
    shared: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    options: FailedOptions,
    waiting: VecDeque<Parked>,
    parked_ids: Vec<String>,
    taken_ids: Vec<String>,
    reads: u64,
}

struct Parked {
    event: Event,
    appears_ms: i64,
}

impl FailedList {
    /// An empty list.
    #[must_use]
    pub fn new(options: FailedOptions) -> Self {
        Self { shared: Arc::new(Mutex::new(State { options, ..State::default() })) }
    }

    /// Changes how it behaves; what waits keeps its time.
    pub fn configure(&self, change: impl FnOnce(&mut FailedOptions)) {
        change(&mut self.state().options);
    }

    /// Takes an event in whose last try failed at that time (Unix ms).
    pub fn park(&self, event: &Event, now_ms: i64) {
        let mut state = self.state();
        let delay_ms = i64::try_from(state.options.delay.as_millis()).unwrap_or(i64::MAX);
        state.parked_ids.push(event.id.clone());
        state.waiting.push_back(Parked { event: event.clone(), appears_ms: now_ms.saturating_add(delay_ms) });
    }

    /// Reads what has appeared by that time (Unix ms), and so removes it.
    #[must_use]
    pub fn take(&self, now_ms: i64) -> FailedPage {
        let mut state = self.state();
        state.reads += 1;
        let page = state.options.page;
        let (mut entries, mut rest, mut has_more) = (Vec::new(), VecDeque::new(), false);
        for parked in std::mem::take(&mut state.waiting) {
            let appeared = parked.appears_ms <= now_ms;
            if appeared && entries.len() < page {
                entries.push(parked.event.failed_entry());
                state.taken_ids.push(parked.event.id);
            } else {
                has_more |= appeared;
                rest.push_back(parked);
            }
        }
        state.waiting = rest;
        FailedPage { has_more, entries }
    }

    /// How many were parked and not read yet, whether they have appeared or not.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// Ids of all events that were ever parked, in order; an event that failed twice is there twice.
    #[must_use]
    pub fn parked_ids(&self) -> Vec<String> {
        self.state().parked_ids.clone()
    }

    /// Ids of all events that were read, in order.
    #[must_use]
    pub fn taken_ids(&self) -> Vec<String> {
        self.state().taken_ids.clone()
    }

    /// How often it was read.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.state().reads
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for FailedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedList").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(number: u64) -> Event {
        Event::new(1, number, "ding", "user_add_org", 1_000, json!({"userId": [format!("u{number}")]}))
    }

    #[test]
    fn a_read_removes_what_it_returns_and_the_next_page_follows() {
        let list = FailedList::new(FailedOptions { page: 2, delay: Duration::ZERO });
        for number in 0..5 {
            list.park(&event(number), 10);
        }
        let sizes: Vec<_> = (0..4).map(|_read| list.take(10)).map(|page| (page.entries.len(), page.has_more)).collect();
        assert_eq!(sizes, [(2, true), (2, true), (1, false), (0, false)]);
        assert_eq!(list.taken_ids(), list.parked_ids());
        assert_eq!((list.waiting(), list.reads()), (0, 4));
    }

    #[test]
    fn an_event_appears_minutes_after_its_last_try() {
        let list = FailedList::new(FailedOptions::default());
        list.park(&event(1), 1_000);
        assert!(list.take(180_999).entries.is_empty());
        list.park(&event(2), 100_000);
        let page = list.take(181_000);
        assert_eq!((page.entries.len(), page.has_more), (1, false));
        assert_eq!(list.waiting(), 1);
    }
}
