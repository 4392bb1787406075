use aes::{
    Aes256Enc, Block,
    cipher::{BlockModeEncrypt, KeyIvInit},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::*;

const AES_KEY: &str = "Zq3Lw8Rt5Yh2Nb7Vc0Xm4Kd9Fg6Js1Pa2Qe8Ui5Oz7B";
const CORP: &str = "wwbridge0000demo01";

fn keys(receive_id: &str) -> CallbackKeys {
    CallbackKeys::new(&Secret::new("BridgeTok2026A"), &Secret::new(AES_KEY), receive_id).unwrap()
}

/// Encrypts blocks as they are, sound or not.
fn raw(data: &[u8]) -> String {
    let key = wechat_crypto::decode_aes_key(AES_KEY).unwrap();
    let mut data = data.to_vec();
    let mut cipher = cbc::Encryptor::<Aes256Enc>::new_from_slices(&key[..32], &key[..16]).unwrap();
    cipher.encrypt_blocks(Block::slice_as_chunks_mut(&mut data).0);
    STANDARD.encode(&data)
}

/// A plaintext as the protocol wants it, before encryption.
fn plain(length: u32, message: &[u8], receive_id: &str, padded_to: usize) -> Vec<u8> {
    let mut data = [b'r'; 16].to_vec();
    data.extend_from_slice(&length.to_be_bytes());
    data.extend_from_slice(message);
    data.extend_from_slice(receive_id.as_bytes());
    let padding = padded_to - data.len() % padded_to;
    data.resize(data.len() + padding, padding as u8);
    data
}

#[test]
fn keys_have_exactly_43_characters() {
    let token = Secret::new("t");
    let with_key = |key: &str| CallbackKeys::new(&token, &Secret::new(key), "").map(|_| ());
    assert_eq!(with_key(AES_KEY), Ok(()));
    for bad in ["", &AES_KEY[1..], &format!("{AES_KEY}A"), &AES_KEY.replace('Z', "_"), &AES_KEY.replace('B', "=")] {
        assert_eq!(with_key(bad), Err(KeyError::InvalidAesKey), "{bad}");
    }
    for last in b'A'..=b'Z' {
        assert_eq!(with_key(&format!("{}{}", &AES_KEY[..42], last as char)), Ok(()), "spare bits are ignored");
    }
    let empty = CallbackKeys::new(&Secret::default(), &Secret::new(AES_KEY), "");
    assert_eq!(empty.map(|_| ()), Err(KeyError::EmptyToken));
}

#[test]
fn keys_print_without_their_secrets() {
    let printed = format!("{:?}", keys(CORP));
    assert_eq!(printed, "CallbackKeys { receive_id: \"wwbridge0000demo01\", .. }");
}

#[test]
fn every_pad_length_is_written_and_read() {
    for receive_id in ["", "x", CORP] {
        let keys = keys(receive_id);
        for length in 0..70 {
            let message: String = "中𠮷a\u{0}".chars().cycle().take(length).collect();
            let sealed = keys.encrypt(message.as_bytes(), [0xfe; 16]);
            assert_eq!(STANDARD.decode(&sealed).unwrap().len() % 32, 0);
            assert_eq!(keys.decrypt(&sealed), Ok(message));
        }
    }
}

#[test]
fn padding_to_16_bytes_is_read_too() {
    for length in 0..40u32 {
        let message = "m".repeat(length as usize);
        assert_eq!(keys(CORP).decrypt(&raw(&plain(length, message.as_bytes(), CORP, 16))), Ok(message));
    }
}

#[test]
fn all_that_can_be_wrong_fails_alike() {
    let message = b"<xml/> some message".as_slice();
    let length = message.len() as u32;
    let good = plain(length, message, CORP, 32);
    let last = good.len() - 1;
    let pad = good[last];
    assert!(keys(CORP).decrypt(&raw(&good)).is_ok());
    let changed = |at: usize, byte: u8| {
        let mut data = good.clone();
        data[at] = byte;
        raw(&data)
    };
    let sealed = raw(&good);
    let mut odd = STANDARD.decode(&sealed).unwrap();
    odd.pop();
    let bad = [
        changed(last, 0),
        changed(last, 33),
        changed(last, 255),
        changed(last, pad - 1),
        changed(last, pad + 1),
        changed(last + 1 - usize::from(pad), pad ^ 1),
        raw(&plain(0, message, CORP, 32)),
        raw(&plain(length - 1, message, CORP, 32)),
        raw(&plain(length + 1, message, CORP, 32)),
        raw(&plain(u32::MAX, message, CORP, 32)),
        raw(&plain(1 << 31, message, CORP, 32)),
        raw(&plain(length, message, "wwbridge0000demo02", 32)),
        raw(&plain(length, message, "WWBRIDGE0000DEMO01", 32)),
        raw(&plain(length, message, &CORP[1..], 32)),
        raw(&plain(length, message, "", 32)),
        raw(&plain(length, message, &format!("{CORP}\0"), 32)),
        raw(&plain(4, b"\xff\xfe<\0", CORP, 32)),
        raw(&plain(3, b"abc\xe4", CORP, 32)),
        raw(&plain(4, b"abc\xe4", CORP, 32)),
        raw(&[0x20; 32]),
        raw(&[1; 32]),
        raw(&[0; 64]),
        raw(&[]),
        sealed[..64].to_owned(),
        sealed[..sealed.len() - 1].to_owned(),
        STANDARD.encode(odd),
        sealed.replace('=', ""),
        format!("{sealed}\n"),
        sealed.replacen(&sealed[..1], "*", 1),
        "中文".to_owned(),
        "=".to_owned(),
        String::new(),
    ];
    for (nth, encrypt) in bad.iter().enumerate() {
        assert_eq!(keys(CORP).decrypt(encrypt), Err(DecryptError), "case {nth}");
    }
}
