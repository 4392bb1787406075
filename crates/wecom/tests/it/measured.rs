//! Measurements to be run by hand, in an optimised build: `cargo test --release -p wecom -- --ignored --nocapture`.

use std::{hint::black_box, time::Instant};

use aes::{
    Aes256Enc, Block,
    cipher::{BlockModeEncrypt, KeyIvInit},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use wecom::{CallbackKeys, Envelope, Query, seal};

use super::{keys, normalise};

const AES_KEY: &str = "Zq3Lw8Rt5Yh2Nb7Vc0Xm4Kd9Fg6Js1Pa2Qe8Ui5Oz7B";
const PLAINTEXT: &str = "<xml><ToUserName><![CDATA[wwbridge0000demo01]]></ToUserName><FromUserName><![CDATA[sys]]>\
    </FromUserName>\
    <CreateTime>1767225600</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_contact]]></Event>\
    <ChangeType>create_user</ChangeType><UserID><![CDATA[ouyang.chunxiao]]></UserID><Name><![CDATA[欧阳春晓·𠮷]]></Name>\
    <Department><![CDATA[3,17]]></Department><MainDepartment>17</MainDepartment><IsLeaderInDept><![CDATA[0,1]]>\
    </IsLeaderInDept>\
    <Position><![CDATA[高级工程师]]></Position></xml>";

fn bridge() -> CallbackKeys {
    keys("BridgeTok2026A", AES_KEY, "wwbridge0000demo01")
}

#[test]
#[ignore = "a measurement"]
fn microseconds_per_callback() {
    let keys = bridge();
    let sealed = seal(&keys, None, PLAINTEXT, 1_767_225_601, "1780001234", [7; 16]);
    let rounds = 20_000;
    let mut marks = [0.0; 5];
    let mut step = |at: usize, work: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..rounds).for_each(|_| work());
        marks[at] = start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
    };
    let query = Query::parse(&sealed.query).unwrap();
    let envelope = Envelope::parse(&sealed.body).unwrap();
    step(0, &mut || drop(black_box(Query::parse(black_box(&sealed.query)))));
    step(1, &mut || drop(black_box(Envelope::parse(black_box(&sealed.body)))));
    step(2, &mut || assert!(keys.verify(black_box(&query), black_box(&envelope.encrypt))));
    step(3, &mut || drop(black_box(keys.decrypt(black_box(&envelope.encrypt)))));
    step(4, &mut || drop(black_box(normalise(black_box(PLAINTEXT)))));
    let names = ["query", "envelope", "verify", "decrypt", "normalise"];
    for (name, micros) in names.iter().zip(marks) {
        println!("{name:10} {micros:7.2} µs");
    }
    println!("{:10} {:7.2} µs", "total", marks.iter().sum::<f64>());
}

/// Welch's t over the times of two kinds of failure, in turn, as dudect does it. Bar S2 of reference security: below
/// 4.5.
#[test]
#[ignore = "a measurement"]
fn kinds_of_failure_take_the_same_time() {
    let keys = bridge();
    let good = plain(PLAINTEXT.len() as u32, PLAINTEXT.as_bytes(), b"wwbridge0000demo01");
    let last = good.len() - 1;
    let changed = |at: usize, byte: u8| {
        let mut data = good.clone();
        data[at] = byte;
        raw(&data)
    };
    let kinds = [
        ("pad 0", changed(last, 0)),
        ("pad 33", changed(last, 33)),
        ("pad uneven", changed(last - 1, 0)),
        ("length 4 GiB", raw(&plain(u32::MAX, PLAINTEXT.as_bytes(), b"wwbridge0000demo01"))),
        ("length 0", raw(&plain(0, PLAINTEXT.as_bytes(), b"wwbridge0000demo01"))),
        ("receive id", raw(&plain(PLAINTEXT.len() as u32, PLAINTEXT.as_bytes(), b"wwbridge0000demo02"))),
        ("not UTF-8 early", changed(20, 0xff)),
        ("not UTF-8 late", changed(20 + PLAINTEXT.len() - 1, 0xff)),
    ];
    for (name, other) in &kinds[1..] {
        println!("{name:16} t = {:6.2}", welch(&keys, &kinds[0].1, other));
    }
}

fn welch(keys: &CallbackKeys, one: &str, other: &str) -> f64 {
    let mut times = [Vec::new(), Vec::new()];
    let mut coin = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..200_000 {
        coin ^= coin << 13;
        coin ^= coin >> 7;
        coin ^= coin << 17;
        let side = (coin >> 40) as usize & 1;
        let encrypt = black_box([one, other][side]);
        let start = Instant::now();
        assert!(black_box(keys.decrypt(encrypt)).is_err());
        times[side].push(start.elapsed().as_nanos() as f64);
    }
    // The slowest tenth is the machine's doing.
    let mut all: Vec<f64> = times.concat();
    all.sort_by(f64::total_cmp);
    let limit = all[all.len() * 9 / 10];
    let moments = times.map(|times| {
        let kept: Vec<f64> = times.into_iter().filter(|time| *time <= limit).collect();
        let (count, mean) = (kept.len() as f64, kept.iter().sum::<f64>() / kept.len() as f64);
        let spread = kept.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, spread / count)
    });
    (moments[0].0 - moments[1].0) / (moments[0].1 + moments[1].1).sqrt()
}

fn plain(length: u32, message: &[u8], receive_id: &[u8]) -> Vec<u8> {
    let mut data = [b'r'; 16].to_vec();
    data.extend_from_slice(&length.to_be_bytes());
    data.extend_from_slice(message);
    data.extend_from_slice(receive_id);
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
