//! Ciphertexts, as they stand in an envelope. What is in them of somebody who has the key is tried for both platforms in `frame`.

use dingtalk::CallbackKeys;
use platform_sim::Keys;

use super::{CLIENT, CORP, keys, platform_keys};
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made::ding,
};

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
    let keys = keys();
    let platforms = [CLIENT, CORP].map(|owner| (owner, platform_keys(owner)));
    let mut made = vec![b"A".repeat(1 << 20), b"=".repeat(1 << 20), b"A".repeat((1 << 20) + 1), b"/".repeat(87_384)];
    for (_, platform) in &platforms {
        made.extend(ding::pushes().iter().map(|text| platform.encrypt(text.as_bytes(), [7; 16]).into_bytes()));
    }
    let parse = |input: &[u8]| decrypt(&keys, &platforms, &String::from_utf8_lossy(input));
    fuzz(&Parser { name: "ding_encrypt", tokens: WORDS, limits: Limits::NETWORK, made, parse: &parse });
}

/// What we decrypt is exactly what the platform's own side decrypts, in the name in which it came.
fn decrypt(keys: &CallbackKeys, platforms: &[(&str, Keys)], encrypt: &str) -> Came {
    let theirs = platforms.iter().find_map(|(owner, platform)| Some((*owner, platform.decrypt(encrypt).ok()?)));
    match (keys.decrypt(encrypt), theirs) {
        (Ok(push), Some((owner, theirs))) => {
            assert_eq!((push.text.as_bytes(), push.owner.as_str()), (theirs.as_slice(), owner));
            Came::taken(owner)
        }
        (Ok(push), None) => panic!("we decrypt it in the name of {}, and the platform does not", push.owner),
        (Err(_), Some((_, theirs))) => {
            assert!(std::str::from_utf8(&theirs).is_err(), "the platform decrypts it, and we do not");
            Came::refused("not UTF-8")
        }
        (Err(_), None) => Came::refused("undecryptable"),
    }
}
