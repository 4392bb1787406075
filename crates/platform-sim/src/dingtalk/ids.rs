//! Ids that look random and follow from a text.

use sha1::{Digest, Sha1};

/// 32 lower-case hexadecimal digits.
pub(super) fn hex(text: &str) -> String {
    let mut digits = hex::encode(Sha1::digest(text.as_bytes()));
    digits.truncate(32);
    digits
}

/// In the shape of a UUID.
pub(super) fn uuid(text: &str) -> String {
    let mut digits = hex(text);
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
    fn ids_follow_from_their_text() {
        assert_eq!(hex("a"), hex("a"));
        assert_ne!(hex("a"), hex("b"));
        let id = uuid("a");
        assert_eq!(id.len(), 36);
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }

    #[test]
    fn a_share_of_all_draws_is_within_it() {
        let within = (0..1_000).filter(|number| is_within(draw(1, &number.to_string()), 0.25)).count();
        assert!((200..300).contains(&within), "{within}");
        assert!(is_within(draw(1, "x"), 1.0) && !is_within(draw(1, "x"), 0.0));
    }
}
