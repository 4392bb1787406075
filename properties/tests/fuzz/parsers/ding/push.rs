//! What a decrypted push means, in either dialect.

use common::EventBody;
use dingtalk::{Refusal, Wanted, normalise_http};

use super::{CORP, NOW, WORDS, of_one_push, tenant};
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made::{self, ding},
};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_push_becomes_events_or_is_refused() {
    let mut made: Vec<Vec<u8>> = ding::pushes().into_iter().map(String::into_bytes).collect();
    made.extend(made::json("{\"EventType\":\"attend_group_change\",\"EventTime\":1790000000123,"));
    made.extend(ding::crowds());
    fuzz(&Parser { name: "ding_push", tokens: WORDS, limits: Limits::NETWORK, made, parse: &parse });
}

fn parse(input: &[u8]) -> Came {
    let text = String::from_utf8_lossy(input);
    match normalise_http(&tenant(), CORP, &text, NOW, Some(TRACE.to_owned()), Wanted::ALL) {
        Ok(events) => {
            for event in &events {
                let EventBody::Callback(callback) = &event.body else { continue };
                assert_eq!(callback.content, text, "a push is passed on as it came");
            }
            Came::taken(of_one_push(&events))
        }
        Err(refusal) => {
            assert!(matches!(refusal, Refusal::Malformed { .. }), "it is signed by now: {refusal}");
            Came::refused(refusal.why())
        }
    }
}
