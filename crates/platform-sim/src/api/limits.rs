//! How many calls are too many, and for how long nothing is answered then (reference wecom 5.1).

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::Interface;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// So many calls within any stretch of a length; one more and all are refused for the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Calls that are allowed.
    pub calls: u32,
    /// The length of the stretch. It slides: which stretches WeCom looks at is not known, and this is the strictest.
    pub window: Duration,
    /// How long everything is refused.
    pub block: Duration,
}

impl Limit {
    /// A limit whose block is as long as its window, as WeCom's are.
    #[must_use]
    pub const fn new(calls: u32, window: Duration) -> Self {
        Self { calls, window, block: window }
    }
}

/// The limits of each interface. The default is what is documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// On the calls of the company, wherever they come from.
    pub company: Vec<Limit>,
    /// On the calls from one address.
    pub address: Vec<Limit>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            company: vec![Limit::new(10_000, MINUTE), Limit::new(150_000, HOUR)],
            address: vec![Limit::new(20_000, MINUTE), Limit::new(600_000, HOUR)],
        }
    }
}

impl Limits {
    /// No limits.
    #[must_use]
    pub const fn none() -> Self {
        Self { company: Vec::new(), address: Vec::new() }
    }

    /// The same windows and blocks with a part of the calls, one at least.
    #[must_use]
    pub fn divided_by(&self, divisor: u32) -> Self {
        let scale = |limits: &[Limit]| {
            let scaled = |limit: &Limit| Limit { calls: (limit.calls / divisor.max(1)).max(1), ..*limit };
            limits.iter().map(scaled).collect()
        };
        Self { company: scale(&self.company), address: scale(&self.address) }
    }
}

/// What is counted together: an interface, for the company or for one address.
type Counted = (Interface, Option<IpAddr>);

/// Counts calls.
pub(super) struct Meter {
    limits: Limits,
    windows: HashMap<Counted, Vec<Window>>,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, windows: HashMap::new() }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts a call; false where it is one too many or nothing is answered yet. Such a call does not count.
    pub(super) fn admit(&mut self, interface: Interface, peer: IpAddr, now_ms: i64) -> bool {
        let counted: [Counted; 2] = [(interface, None), (interface, Some(peer))];
        let mut open = true;
        for key in counted {
            let windows = self.windows.entry(key).or_insert_with(|| {
                let limits = if key.1.is_none() { &self.limits.company } else { &self.limits.address };
                limits.iter().copied().map(Window::new).collect()
            });
            for window in windows {
                open &= window.is_open(now_ms);
            }
        }
        if open {
            for key in counted {
                for window in self.windows.get_mut(&key).into_iter().flatten() {
                    window.calls_ms.push_back(now_ms);
                }
            }
        }
        open
    }
}

struct Window {
    limit: Limit,
    calls_ms: VecDeque<i64>,
    blocked_until_ms: i64,
}

impl Window {
    fn new(limit: Limit) -> Self {
        Self { limit, calls_ms: VecDeque::new(), blocked_until_ms: i64::MIN }
    }

    fn is_open(&mut self, now_ms: i64) -> bool {
        if now_ms < self.blocked_until_ms {
            return false;
        }
        let before_ms = now_ms.saturating_sub(millis(self.limit.window));
        while self.calls_ms.front().is_some_and(|call_ms| *call_ms <= before_ms) {
            self.calls_ms.pop_front();
        }
        let full = self.calls_ms.len() >= usize::try_from(self.limit.calls).unwrap_or(usize::MAX);
        if full {
            self.calls_ms.clear();
            self.blocked_until_ms = now_ms.saturating_add(millis(self.limit.block));
        }
        !full
    }
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
