//! How an encrypted message is wrong does not show in how long it takes to say so (bar S2 of reference security).

use std::{hint::black_box, time::Instant};

use aes::{
    Aes256Enc, Block,
    cipher::{BlockModeEncrypt, KeyIvInit},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use wecom::CallbackKeys;

use super::keys;

const AES_KEY: &str = "Zq3Lw8Rt5Yh2Nb7Vc0Xm4Kd9Fg6Js1Pa2Qe8Ui5Oz7B";
const RECEIVE_ID: &str = "wwbridge0000demo01";
const SAMPLES: usize = 100_000;
/// Somebody who hears two answers, and says by their times which one was of which kind, may be right this much more often than by
/// guessing.
const MOST_ABOVE_GUESSING: f64 = 0.06;
/// A busy machine makes a difference up now and then, but not each time.
const TRIALS: usize = 5;

#[test]
fn kinds_of_failure_are_not_told_apart_by_time() {
    let keys = keys("BridgeTok2026A", AES_KEY, RECEIVE_ID);
    let message = message();
    let length = u32::try_from(message.len()).unwrap();
    let good = plain(length, &message, RECEIVE_ID);
    let changed = |at: usize, byte: u8| {
        let mut data = good.clone();
        data[at] = byte;
        raw(&data)
    };
    let last = good.len() - 1;
    let kinds = [
        ("padding of 0", changed(last, 0)),
        ("padding of 33", changed(last, 33)),
        ("uneven padding", changed(last - 1, 0)),
        ("length of 4 GiB", raw(&plain(u32::MAX, &message, RECEIVE_ID))),
        ("length of 0", raw(&plain(0, &message, RECEIVE_ID))),
        ("somebody else's", raw(&plain(length, &message, "wwbridge0000demo02"))),
        ("no text from its beginning", changed(20, 0xff)),
        ("no text at its end", changed(20 + message.len() - 1, 0xff)),
    ];
    let ciphertexts: Vec<&str> = kinds.iter().map(|(_, ciphertext)| ciphertext.as_str()).collect();
    let mut told_apart = Vec::new();
    for _ in 0..TRIALS {
        let times = times(&keys, &ciphertexts);
        let others = kinds.iter().zip(&times).skip(1);
        told_apart = others.map(|((name, _), of_kind)| (*name, above_guessing(&times[0], of_kind))).collect();
        if told_apart.iter().all(|(_, above)| *above <= MOST_ABOVE_GUESSING) {
            return;
        }
    }
    panic!("told apart from {}: {told_apart:?}", kinds[0].0);
}

/// The measure can tell: a message that is right is copied, which takes longer.
#[test]
fn a_difference_would_be_noticed() {
    let keys = keys("BridgeTok2026A", AES_KEY, RECEIVE_ID);
    let message = message();
    let good = plain(u32::try_from(message.len()).unwrap(), &message, RECEIVE_ID);
    let mut bad = good.clone();
    *bad.last_mut().unwrap() = 0;
    let (bad, good) = (raw(&bad), raw(&good));
    let seen = (0..TRIALS).map(|_| {
        let times = times(&keys, &[&bad, &good]);
        above_guessing(&times[0], &times[1])
    });
    let most = seen.fold(0.0, f64::max);
    assert!(most > 2.0 * MOST_ABOVE_GUESSING, "{most}");
}

/// How long each takes, in nanoseconds, in an order that the processor cannot learn.
fn times(keys: &CallbackKeys, ciphertexts: &[&str]) -> Vec<Vec<u32>> {
    let mut times = vec![Vec::with_capacity(SAMPLES / ciphertexts.len() * 2); ciphertexts.len()];
    let mut coin = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..SAMPLES {
        coin ^= coin << 13;
        coin ^= coin >> 7;
        coin ^= coin << 17;
        let kind = (coin >> 32) as usize % ciphertexts.len();
        let ciphertext = black_box(ciphertexts[kind]);
        let start = Instant::now();
        drop(black_box(keys.decrypt(ciphertext)));
        times[kind].push(u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX));
    }
    times
}

/// How far from half it is that a time of one kind is longer than one of the other: from the ranks (Mann-Whitney), so that what
/// the machine does now and then counts for little.
fn above_guessing(one: &[u32], other: &[u32]) -> f64 {
    let mut sorted = one.to_vec();
    sorted.sort_unstable();
    let wins = |time: &u32| {
        let shorter = sorted.partition_point(|seen| seen < time);
        let not_longer = sorted.partition_point(|seen| seen <= time);
        (shorter + not_longer) as f64 / 2.0
    };
    let share = other.iter().map(wins).sum::<f64>() / (one.len() * other.len()) as f64;
    (share - 0.5).abs()
}

/// As long as a usual callback.
fn message() -> Vec<u8> {
    "<xml><Name><![CDATA[欧阳春晓]]></Name></xml>".repeat(24).into_bytes()
}

fn plain(length: u32, message: &[u8], receive_id: &str) -> Vec<u8> {
    let mut data = [b'r'; 16].to_vec();
    data.extend_from_slice(&length.to_be_bytes());
    data.extend_from_slice(message);
    data.extend_from_slice(receive_id.as_bytes());
    let padding = 32 - data.len() % 32;
    data.resize(data.len() + padding, padding as u8);
    data
}

fn raw(data: &[u8]) -> String {
    let mut key = wechat_crypto::decode_aes_key(AES_KEY).unwrap();
    key.truncate(32);
    let mut data = data.to_vec();
    let mut cipher = cbc::Encryptor::<Aes256Enc>::new_from_slices(&key, &key[..16]).unwrap();
    cipher.encrypt_blocks(Block::slice_as_chunks_mut(&mut data).0);
    STANDARD.encode(&data)
}
