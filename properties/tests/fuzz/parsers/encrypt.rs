//! Ciphertexts, as they stand in an envelope.

use platform_sim::Keys;
use wecom::CallbackKeys;

use super::{keys, platform_keys};
use crate::fuzzer::{Came, Limits, Parser, fuzz};

const WORDS: &[&str] = &[
    "=",
    "==",
    "A",
    "AA",
    "AAA",
    "AAAA",
    "AAAAAAAAAAAAAAAAAAAAAA==",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "/",
    "+",
    "-",
    "_",
    " ",
    "\n",
    "\r\n",
    "!",
    "%3D",
    "\u{ff0b}",
];

#[test]
fn a_ciphertext_is_decrypted_as_others_do_or_refused() {
    let (keys, platform) = (keys(), platform_keys());
    let made = vec![b"A".repeat(1 << 20), b"=".repeat(1 << 20), b"A".repeat((1 << 20) + 1), b"/".repeat(87_384)];
    let parse = |input: &[u8]| decrypt(&keys, &platform, &String::from_utf8_lossy(input));
    fuzz(&Parser { name: "encrypt", tokens: WORDS, limits: Limits::NETWORK, made, parse: &parse });
}

/// What we decrypt is exactly what the platform's own side decrypts, as far as it is text.
pub(super) fn decrypt(keys: &CallbackKeys, platform: &Keys, encrypt: &str) -> Came {
    match (keys.decrypt(encrypt), platform.decrypt(encrypt)) {
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(ours.as_bytes(), theirs);
            Came::taken("text")
        }
        (Ok(_), Err(error)) => panic!("we decrypt it, and for the platform it is {error}"),
        (Err(_), Ok(theirs)) => {
            assert!(std::str::from_utf8(&theirs).is_err(), "the platform decrypts it, and we do not");
            Came::refused("not UTF-8")
        }
        (Err(_), Err(error)) => Came::refused(format!("{error:?}")),
    }
}
