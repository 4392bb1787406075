//! The body of a push.

use dingtalk::{Envelope, Refusal};
use serde_json::json;

use super::WORDS;
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made,
};

#[test]
fn an_envelope_is_read_or_refused() {
    let mut tokens = WORDS.to_vec();
    tokens.extend(["\"encrypt\":", "\"encrypt\":\"QUJDRA==\",", "\u{feff}"]);
    let made = made::json("{\"encrypt\":\"QUJDRA==\",");
    fuzz(&Parser { name: "ding_envelope", tokens: &tokens, limits: Limits::NETWORK, made, parse: &parse });
}

fn parse(input: &[u8]) -> Came {
    match Envelope::parse(input) {
        Ok(envelope) => {
            let again = json!({ "encrypt": envelope.encrypt }).to_string();
            assert_eq!(Envelope::parse(again.as_bytes()), Ok(envelope));
            Came::taken("an envelope")
        }
        Err(refusal) => {
            assert!(matches!(refusal, Refusal::Unauthorized { .. }), "nothing is signed yet: {refusal}");
            Came::refused(refusal.why())
        }
    }
}
