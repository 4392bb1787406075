//! Chance that follows from a seed and from what is asked, not from who happens to be first.

use std::collections::HashMap;

use super::{About, Interface};

/// A number that looks random, from one that does not (the finalizer of SplitMix64).
pub(super) const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A number that looks random, from a seed and a text (FNV-1a).
pub(super) fn hash(seed: u64, text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    mix(text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ mix(seed), step))
}

/// Whether a number that looks random is among that share of all.
pub(super) fn is_within(number: u64, share: f64) -> bool {
    ((number >> 11) as f64) < share * (1_u64 << 53) as f64
}

/// How often each thing was asked.
#[derive(Default)]
pub(super) struct Chance(HashMap<(Interface, Option<About>), u64>);

impl Chance {
    /// A number that depends on what is asked and on how often it was asked before.
    pub(super) fn draw(&mut self, seed: u64, interface: Interface, about: Option<&About>) -> u64 {
        let asked = self.0.entry((interface, about.cloned())).or_default();
        *asked += 1;
        let about = about.map(About::id).unwrap_or_default();
        mix(hash(seed, interface.path()) ^ hash(seed.wrapping_add(1), &about) ^ mix(*asked))
    }
}
