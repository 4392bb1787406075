//! Too many refused requests from one place.
//!
//! A bucket of tokens per address; each refusal takes one. Only refusals look here, so a flood costs the platform nothing.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Addresses that are remembered at most. An attacker with more of them than that is limited together with the others of
/// such a crowd.
const ADDRESSES: usize = 16 * 1024;
const CROWD: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
/// How often a full memory is looked through for addresses that can be forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

pub(crate) struct Throttle {
    per_minute: f64,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    buckets: HashMap<IpAddr, Bucket>,
    swept_at: Option<Instant>,
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Throttle {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.into(), memory: Mutex::default() }
    }

    /// Counts a refusal; the time to wait when there were too many.
    pub(crate) fn refused(&self, peer: IpAddr, now: Instant) -> Option<Duration> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.place_of(&mut memory, peer, now);
        let bucket = memory.buckets.entry(place).or_insert(Bucket { tokens: self.per_minute, at: now });
        let tokens = self.tokens_at(bucket, now);
        let enough = tokens >= 1.0;
        *bucket = Bucket { tokens: if enough { tokens - 1.0 } else { tokens }, at: now };
        (!enough).then(|| Duration::from_secs_f64((1.0 - tokens).max(0.0) * 60.0 / self.per_minute))
    }

    /// Where an address is counted: by itself, or with the crowd when there is no more room.
    fn place_of(&self, memory: &mut Memory, peer: IpAddr, now: Instant) -> IpAddr {
        let place = network_of(peer);
        if memory.buckets.len() < ADDRESSES || memory.buckets.contains_key(&place) {
            return place;
        }
        let rested = memory.swept_at.is_none_or(|at| now.saturating_duration_since(at) >= SWEEP_EVERY);
        if rested {
            memory.swept_at = Some(now);
            memory.buckets.retain(|_, bucket| self.tokens_at(bucket, now) < self.per_minute);
        }
        if memory.buckets.len() < ADDRESSES { place } else { CROWD }
    }

    fn tokens_at(&self, bucket: &Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.tokens + passed * self.per_minute / 60.0).min(self.per_minute)
    }
}

/// One customer has a whole /64 of IPv6.
fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & (u128::MAX << 64))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_limited_and_forgotten_after_a_while() {
        let throttle = Throttle::new(60);
        let (start, peer) = (Instant::now(), IpAddr::from([192, 0, 2, 1]));
        let limited = (0..100).filter(|_| throttle.refused(peer, start).is_some()).count();
        assert_eq!(limited, 40);
        assert_eq!(throttle.refused(IpAddr::from([192, 0, 2, 2]), start), None);
        assert_eq!(throttle.refused(peer, start + Duration::from_secs(2)), None);
        assert_eq!(throttle.refused(peer, start + Duration::from_secs(2)), None, "two seconds are two tokens");
        assert!(throttle.refused(peer, start + Duration::from_secs(2)).is_some());
    }

    #[test]
    fn a_crowd_cannot_fill_the_memory() {
        let throttle = Throttle::new(10);
        let now = Instant::now();
        for number in 0..40_000_u32 {
            throttle.refused(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(throttle.memory.lock().unwrap().buckets.len() <= ADDRESSES + 1);
        let later = now + Duration::from_secs(120);
        assert_eq!(throttle.refused(IpAddr::from([1, 2, 3, 4]), later), None);
        assert_eq!(throttle.memory.lock().unwrap().buckets.len(), 1, "who is quiet is forgotten");
    }

    #[test]
    fn addresses_of_one_customer_count_together() {
        let address = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(address("2001:db8:1:2:3::4"), address("2001:db8:1:2:ffff::"));
        assert_ne!(address("2001:db8:1:2::"), address("2001:db8:1:3::"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    }
}
