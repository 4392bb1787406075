//! The query of a push.

use dingtalk::{Query, Refusal};

use crate::fuzzer::{Came, Limits, Parser, fuzz};

const SIGNATURE: &str = "da12cd453c008301faab13ce41eacc91415a5ee5";

const WORDS: &[&str] = &[
    "&",
    "=",
    "%",
    "%2",
    "%2B",
    "%00",
    "%0A",
    "%FF",
    "%C0%AF",
    "%ED%A0%80",
    "+",
    "#",
    "?",
    ";",
    "msg_signature=",
    "&signature=da12cd453c008301faab13ce41eacc91415a5ee5",
    "&msg_signature=da12cd453c008301faab13ce41eacc91415a5ee5",
    "&timestamp=",
    "&timestamp=1790000000456",
    "&timestamp=1614767836",
    "&nonce=",
    "&%6Eonce=a_-.~",
];

#[test]
fn a_query_is_read_or_refused() {
    let of = |nonce: &str| format!("signature={SIGNATURE}&timestamp=1790000000456&nonce={nonce}").into_bytes();
    let made = vec![
        of(&"A".repeat(1 << 20)),
        of(&"%41".repeat(2_000)),
        of(&"%".repeat(8_000)),
        b"&".repeat(8_000),
        b"a=".repeat(4_000),
    ];
    fuzz(&Parser { name: "ding_query", tokens: WORDS, limits: Limits::NETWORK, made, parse: &parse });
}

fn parse(input: &[u8]) -> Came {
    match Query::parse(&String::from_utf8_lossy(input)) {
        Ok(query) => {
            let Query { signature, timestamp, nonce } = &query;
            let again = format!("msg_signature={signature}&timestamp={timestamp}&nonce={nonce}");
            assert_eq!(Query::parse(&again), Ok(query.clone()), "{again}");
            let millis = query.at().0.to_string();
            assert!(timestamp.len() == 10 || format!("{millis:0>13}") == *timestamp, "{timestamp} is {millis}");
            Came::taken(format!("{} digits", timestamp.len()))
        }
        Err(refusal) => {
            assert!(matches!(refusal, Refusal::Unauthorized { .. }), "nothing is signed yet: {refusal}");
            Came::refused(refusal.why())
        }
    }
}
