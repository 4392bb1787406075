//! Hostile XML, around the ciphertext and in it. What it costs is measured in `crates/wecom`.

use std::collections::BTreeSet;

use super::{
    Chance, MALFORMED, Parts, UNAUTHORISED, bodies::bodies, counted, line::Answer, over_one_line, platform, started,
};
use crate::{bridge::PATH, client::Request};

/// The largest body that is taken.
const BODY_BYTES: usize = 256 * 1024;
/// What fits such a body after it is encrypted.
const PLAINTEXT_BYTES: usize = 180 * 1024;

/// What came of many requests.
#[derive(Default)]
struct Tally {
    refused: usize,
    taken: usize,
    refusals: BTreeSet<String>,
}

impl Tally {
    fn note(&mut self, answer: Answer, class: &str, expected: u16) {
        assert_eq!(answer.status, expected, "{class}");
        if expected == 200 {
            assert_eq!(answer.body, "success", "{class}");
            self.taken += 1;
        } else {
            self.refusals.insert(answer.said);
            self.refused += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_envelopes_are_401_whatever_is_in_them() {
    let bridge = started().await;
    let tally = over_one_line(&bridge, |line| {
        let mut tally = Tally::default();
        let good = Parts::good(&mut Chance::from_seed(3_000));
        for body in bodies(&format!("<Encrypt>{}</Encrypt>", good.encrypt), BODY_BYTES) {
            let answer = line.ask(&Request::post(format!("{PATH}?{}", good.query()), body.bytes));
            tally.note(answer, body.class, if body.reads_outside { 200 } else { 401 });
        }
        tally
    })
    .await;
    assert!(tally.refused >= 500, "{}", tally.refused);
    assert_eq!(tally.refusals.len(), 1, "{:?}", tally.refusals);
    assert_eq!(counted(&bridge, &UNAUTHORISED), tally.refused);
    assert_eq!(bridge.depth().await, tally.taken as u64);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_plaintexts_are_400_under_a_good_signature() {
    const INNER: &str = "<MsgType>event</MsgType><Event>change_contact</Event><ChangeType>update_tag</ChangeType>";
    let bridge = started().await;
    let tally = over_one_line(&bridge, |line| {
        let mut tally = Tally::default();
        let mut chance = Chance::from_seed(4_000);
        for body in bodies(INNER, PLAINTEXT_BYTES) {
            let encrypt = platform().encrypt(&body.bytes, chance.sixteen());
            let answer = line.ask(&Parts::signed(&mut chance, encrypt).request());
            tally.note(answer, body.class, if body.reads_inside { 200 } else { 400 });
        }
        tally
    })
    .await;
    assert!(tally.refused >= 500, "{}", tally.refused);
    assert_eq!(tally.refusals.len(), 1, "{:?}", tally.refusals);
    assert_eq!(counted(&bridge, &MALFORMED), tally.refused);
    assert_eq!(bridge.depth().await, tally.taken as u64);
    bridge.stop().await;
}
