//! Measurements to be run by hand, in an optimised build: `cargo test --release -p wecom -- --ignored --nocapture`.

use std::{hint::black_box, time::Instant};

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
