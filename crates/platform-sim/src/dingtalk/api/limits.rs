//! How many calls are too many (reference dingtalk 5.2).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::Interface;

/// One call, in the unit in which buckets are filled.
const CALL: i64 = 1000;
const HOUR_MS: i64 = 3_600_000;

/// The limits. The default is what is documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls per second of one app to one interface, as a bucket of that size; `None` for no limit.
    pub per_second: Option<u32>,
    /// Other figures for single interfaces.
    pub of: BTreeMap<Interface, u32>,
    /// Calls from one address, whatever they ask for; `None` for no limit.
    pub address: Option<AddressLimit>,
    /// For so long after each full hour every call is refused because all apps together are too many (90002).
    pub full_hour: Duration,
}

/// More calls than that within that time, and the address is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressLimit {
    /// Calls that are allowed.
    pub calls: usize,
    /// Within how long.
    pub window: Duration,
    /// How long all calls are refused then.
    pub ban: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let address = AddressLimit { calls: 10_000, window: Duration::from_secs(20), ban: Duration::from_secs(300) };
        Self {
            per_second: Some(20),
            // Only reported as tight; callers that stay at 5 a second are well.
            of: BTreeMap::from([(Interface::Approval, 10)]),
            address: Some(address),
            full_hour: Duration::ZERO,
        }
    }
}

impl Limits {
    /// No limits.
    #[must_use]
    pub fn none() -> Self {
        Self { per_second: None, of: BTreeMap::new(), address: None, full_hour: Duration::ZERO }
    }

    fn rate(&self, interface: Interface) -> Option<u32> {
        self.of.get(&interface).copied().or(self.per_second)
    }
}

/// While all apps together are too many for an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crowd {
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
}

/// Counts calls.
#[derive(Default)]
pub(super) struct Gauge {
    buckets: HashMap<(String, Interface), Bucket>,
    crowds: HashMap<Interface, Crowd>,
    addresses: HashMap<IpAddr, Address>,
}

struct Bucket {
    level: i64,
    at_ms: i64,
}

#[derive(Default)]
struct Address {
    calls_ms: VecDeque<i64>,
    banned_until_ms: Option<i64>,
}

impl Gauge {
    /// Counts a call from an address; whether the address is banned, perhaps by this very call.
    pub(super) fn is_banned(&mut self, limits: &Limits, peer: IpAddr, now_ms: i64) -> bool {
        let address = self.addresses.entry(peer).or_default();
        if address.banned_until_ms.is_some_and(|until_ms| now_ms < until_ms) {
            return true;
        }
        address.banned_until_ms = None;
        let Some(limit) = limits.address else { return false };
        let before_ms = now_ms.saturating_sub(millis(limit.window));
        while address.calls_ms.front().is_some_and(|call_ms| *call_ms <= before_ms) {
            address.calls_ms.pop_front();
        }
        address.calls_ms.push_back(now_ms);
        let banned = address.calls_ms.len() > limit.calls;
        if banned {
            address.calls_ms.clear();
            address.banned_until_ms = Some(now_ms.saturating_add(millis(limit.ban)));
        }
        banned
    }

    /// Bans an address from now on.
    pub(super) fn ban(&mut self, peer: IpAddr, until_ms: i64) {
        self.addresses.entry(peer).or_default().banned_until_ms = Some(until_ms);
    }

    /// From now on all apps together are too many for an interface.
    pub(super) fn crowd(&mut self, interface: Interface, crowd: Crowd) {
        self.crowds.insert(interface, crowd);
    }

    /// Whether all apps together are too many for an interface now.
    pub(super) fn crowd_of(&self, limits: &Limits, interface: Interface, now_ms: i64) -> Option<Crowd> {
        let hour_ms = now_ms - now_ms.rem_euclid(HOUR_MS);
        let of_hour = Crowd { from_ms: hour_ms, until_ms: hour_ms.saturating_add(millis(limits.full_hour)) };
        let scripted = self.crowds.get(&interface).copied();
        [Some(of_hour), scripted].into_iter().flatten().find(|crowd| now_ms < crowd.until_ms)
    }

    /// Takes a call out of the bucket of an app for an interface; false where there is none left.
    pub(super) fn admit(&mut self, limits: &Limits, client_id: &str, interface: Interface, now_ms: i64) -> bool {
        let Some(rate) = limits.rate(interface) else { return true };
        let (rate, full) = (i64::from(rate), i64::from(rate) * CALL);
        let bucket =
            self.buckets.entry((client_id.to_owned(), interface)).or_insert(Bucket { level: full, at_ms: now_ms });
        // A rate of calls per second is as many thousandths of a call per millisecond.
        let gained = now_ms.saturating_sub(bucket.at_ms).max(0).saturating_mul(rate);
        bucket.level = bucket.level.saturating_add(gained).min(full);
        bucket.at_ms = bucket.at_ms.max(now_ms);
        let open = bucket.level >= CALL;
        if open {
            bucket.level -= CALL;
        }
        open
    }
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
