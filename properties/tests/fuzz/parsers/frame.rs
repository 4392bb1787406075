//! What is in a ciphertext of somebody who has our key, and means harm: random bytes, length, message, receive id, padding.

use aes::{
    Aes256Enc, Block,
    cipher::{BlockModeEncrypt, KeyIvInit},
};
use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD},
};

use super::{AES_KEY, CORP, encrypt::decrypt, keys, platform_keys};
use crate::fuzzer::{Limits, Parser, fuzz};

/// 43 characters carry two bits more than the key has.
const KEY_BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// Lengths, receive ids, paddings, and texts that are longer in bytes than in characters.
const WORDS: &[&str] = &[
    "\0\0\0\0",
    "\0\0\0\u{1}",
    "\0\0\u{1}\0",
    "\u{7f}\u{7f}\u{7f}\u{7f}",
    "wwbridge0000demo01",
    "wwbridge0000demo02",
    "\u{1}",
    "\u{2}\u{2}",
    "                                ",
    "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
    "0123456789abcdef",
    "企业",
    "\u{20bb7}",
];

#[test]
fn a_frame_is_opened_as_others_do_or_refused() {
    let (keys, platform) = (keys(), platform_keys());
    let key = KEY_BASE64.decode(AES_KEY).unwrap();
    let made = (1..=32).map(padded).collect();
    let parse = |input: &[u8]| decrypt(&keys, &platform, &sealed(&key, input));
    fuzz(&Parser { name: "frame", tokens: WORDS, limits: Limits::NETWORK, made, parse: &parse });
}

/// A good one with this padding.
fn padded(padding: u8) -> Vec<u8> {
    let padding = vec![padding; padding.into()];
    let length = 96 - 16 - 4 - CORP.len() - padding.len();
    let mut frame = b"0123456789abcdef".to_vec();
    frame.extend(u32::try_from(length).unwrap().to_be_bytes());
    frame.extend(b"m".repeat(length));
    frame.extend(CORP.as_bytes());
    frame.extend(padding);
    frame
}

/// Encrypted as it is, but for what is not a whole block.
fn sealed(key: &[u8], frame: &[u8]) -> String {
    let mut data = frame.to_vec();
    data.truncate(data.len() / 16 * 16);
    let mut cipher = cbc::Encryptor::<Aes256Enc>::new_from_slices(key, &key[..16]).unwrap();
    cipher.encrypt_blocks(Block::slice_as_chunks_mut(&mut data).0);
    STANDARD.encode(&data)
}
