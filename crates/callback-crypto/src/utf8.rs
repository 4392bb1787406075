//! Whether bytes are UTF-8, in a time that depends on their number only.
//!
//! The standard library stops at the first wrong byte, which would tell how far the first one is.

use subtle::{Choice, ConstantTimeEq};

// States of the automaton. Each is the place, in bits, of its successor within a row of the table.
const TEXT: u64 = 0;
const WRONG: u64 = 6;
const ONE_MORE: u64 = 12;
const TWO_MORE: u64 = 18;
const THREE_MORE: u64 = 24;
const AFTER_E0: u64 = 30;
const AFTER_ED: u64 = 36;
const AFTER_F0: u64 = 42;
const AFTER_F4: u64 = 48;
const STATES: [u64; 9] = [TEXT, WRONG, ONE_MORE, TWO_MORE, THREE_MORE, AFTER_E0, AFTER_ED, AFTER_F0, AFTER_F4];

/// For each byte, the successors of all states: `row >> state` has the next one in its lowest six bits.
static ROWS: [u64; 256] = rows();

/// Whether the first `length` of the bytes are UTF-8. All bytes are looked at, whatever `length` is.
///
/// That `length` is at least `least` may be known to everybody: so far nothing needs to be remembered, which is quick.
pub(super) fn prefix_is_text(bytes: &[u8], length: usize, least: usize) -> Choice {
    let (surely, perhaps) = bytes.split_at_checked(least).unwrap_or((&[], bytes));
    let mut state = surely.iter().fold(TEXT, |state, byte| after(state, *byte));
    let mut found = length.ct_eq(&surely.len()) & (state & 63).ct_eq(&TEXT);
    for (seen, byte) in (surely.len() + 1..).zip(perhaps) {
        state = after(state, *byte);
        found |= seen.ct_eq(&length) & (state & 63).ct_eq(&TEXT);
    }
    found
}

/// The next state, in the lowest six bits.
fn after(state: u64, byte: u8) -> u64 {
    ROWS.get(usize::from(byte)).copied().unwrap_or_default() >> (state & 63)
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, with bounds in sight")]
const fn rows() -> [u64; 256] {
    let mut rows = [0; 256];
    let mut byte = 0;
    while byte < rows.len() {
        let mut state = 0;
        while state < STATES.len() {
            rows[byte] |= next(STATES[state], byte) << STATES[state];
            state += 1;
        }
        byte += 1;
    }
    rows
}

/// RFC 3629, section 4.
const fn next(state: u64, byte: usize) -> u64 {
    match (state, byte) {
        (TEXT, 0x00..=0x7f) | (ONE_MORE, 0x80..=0xbf) => TEXT,
        (TEXT, 0xc2..=0xdf) | (TWO_MORE, 0x80..=0xbf) | (AFTER_E0, 0xa0..=0xbf) | (AFTER_ED, 0x80..=0x9f) => ONE_MORE,
        (TEXT, 0xe1..=0xec | 0xee..=0xef)
        | (THREE_MORE, 0x80..=0xbf)
        | (AFTER_F0, 0x90..=0xbf)
        | (AFTER_F4, 0x80..=0x8f) => TWO_MORE,
        (TEXT, 0xf1..=0xf3) => THREE_MORE,
        (TEXT, 0xe0) => AFTER_E0,
        (TEXT, 0xed) => AFTER_ED,
        (TEXT, 0xf0) => AFTER_F0,
        (TEXT, 0xf4) => AFTER_F4,
        _ => WRONG,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8]) {
        let ours = bool::from(prefix_is_text(bytes, bytes.len(), bytes.len() / 2));
        assert_eq!(ours, std::str::from_utf8(bytes).is_ok(), "{bytes:x?}");
    }

    #[test]
    fn it_agrees_with_the_standard_library_on_all_short_sequences() {
        let edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xff];
        check(&[]);
        for a in 0..=255 {
            check(&[a]);
            for b in 0..=255 {
                check(&[a, b]);
                for c in edges {
                    check(&[a, b, c]);
                    for d in edges {
                        check(&[a, b, c, d]);
                    }
                }
            }
        }
    }

    #[test]
    fn only_the_prefix_counts() {
        let bytes = "中文\u{20bb7}".as_bytes();
        for least in 0..=bytes.len() + 1 {
            let good = |length: &usize| bool::from(prefix_is_text(bytes, *length, least));
            let least = if least > bytes.len() { 0 } else { least };
            let expected: Vec<usize> = [0, 3, 6, 10].into_iter().filter(|length| *length >= least).collect();
            assert_eq!((0..=bytes.len() + 1).filter(good).collect::<Vec<_>>(), expected);
        }
        assert!(bool::from(prefix_is_text(b"ok\xff", 2, 1)));
        assert!(!bool::from(prefix_is_text(b"\xffok", 3, 1)));
    }
}
