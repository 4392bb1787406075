//! Ids of records, and numbers that look random and follow from a text.

use sha1::{Digest, Sha1};

/// Makes ids of records: 24 hexadecimal digits, the first eight of them the second of their creation.
#[derive(Debug)]
pub(super) struct ObjectIds {
    machine: String,
    count: u32,
}

impl ObjectIds {
    pub(super) fn new(seed: u64) -> Self {
        let mut machine = hex(&format!("machine {seed}"));
        machine.truncate(10);
        Self { machine, count: 0 }
    }

    /// The next one. Those of one second grow.
    pub(super) fn next(&mut self, at_ms: i64) -> String {
        self.count += 1;
        let second = at_ms.div_euclid(1000).rem_euclid(1 << 32);
        format!("{second:08x}{}{:06x}", self.machine, self.count & 0x00ff_ffff)
    }
}

/// Whether that could be the id of a record.
pub(super) fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// 40 lower-case hexadecimal digits.
pub(super) fn hex(text: &str) -> String {
    hex::encode(Sha1::digest(text.as_bytes()))
}

/// In the shape of a UUID.
pub(super) fn uuid(text: &str) -> String {
    let mut digits = hex(text);
    digits.truncate(32);
    for place in [20, 16, 12, 8] {
        digits.insert(place, '-');
    }
    digits
}

/// A number that looks random, from a seed and a text.
pub(super) fn draw(seed: u64, text: &str) -> u64 {
    let digest = Sha1::digest(format!("{seed}/{text}").as_bytes());
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// Whether a number that looks random is among that share (0 to 1) of all.
pub(super) fn is_within(number: u64, share: f64) -> bool {
    ((number >> 11) as f64) < share * (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_records_grow_and_tell_their_second() {
        let mut ids = ObjectIds::new(1);
        let made: Vec<String> = [1_000, 1_000, 1_999, 2_000].map(|at_ms| ids.next(at_ms)).into();
        assert!(made.is_sorted() && made.iter().all(|id| is_object_id(id)), "{made:?}");
        assert_eq!((&made[2][..8], &made[3][..8]), ("00000001", "00000002"));
        assert!(!is_object_id("59e9a2fe283ffa7c11b1ddb") && !is_object_id("59e9a2fe283ffa7c11b1ddbx"));
    }

    #[test]
    fn a_share_of_all_draws_is_within_it() {
        let within = (0..1_000).filter(|number| is_within(draw(1, &number.to_string()), 0.25)).count();
        assert!((200..300).contains(&within), "{within}");
        assert_eq!(uuid("a").split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }
}
