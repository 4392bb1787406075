//! The query of a callback request.

use platform_sim::query::encode;
use wecom::{Query, Refusal};

use crate::fuzzer::{Came, Limits, Parser, fuzz};

/// Longer ones are refused.
const LONGEST_BYTES: usize = 8 * 1024;
const SIGNATURE: &str = "0bdc2a4c0219aed584804df5bcc5caea10168a0a";

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
    "%E4%BC%81",
    "+",
    "#",
    "?",
    ";",
    "msg_signature=",
    "&msg_signature=0bdc2a4c0219aed584804df5bcc5caea10168a0a",
    "&timestamp=",
    "&timestamp=1767225700",
    "&nonce=",
    "&nonce=a_-.~",
    "&echostr=",
    "&%65chostr=AAAA",
    "&encrypt_type=aes",
    "==",
];

#[test]
fn a_query_is_read_or_refused() {
    let of = |echo: &str| format!("msg_signature={SIGNATURE}&timestamp=1767225700&nonce=1&echostr={echo}").into_bytes();
    let made = vec![
        of(&"A".repeat(1 << 20)),
        of(&"%41".repeat(2_000)),
        of(&"%".repeat(8_000)),
        b"&".repeat(8_000),
        b"a=".repeat(4_000),
    ];
    fuzz(&Parser { name: "query", tokens: WORDS, limits: Limits::NETWORK, made, parse: &parse });
}

fn parse(input: &[u8]) -> Came {
    match Query::parse(&String::from_utf8_lossy(input)) {
        Ok(query) => {
            let again = written(&query);
            if again.len() <= LONGEST_BYTES {
                assert_eq!(Query::parse(&again), Ok(query.clone()), "{again}");
            }
            assert_eq!(format!("{:010}", query.timestamp_seconds()), query.timestamp);
            Came::taken(if query.echostr.is_some() { "verification" } else { "callback" })
        }
        Err(refusal) => {
            assert!(matches!(refusal, Refusal::Unauthorized { .. }), "nothing is signed yet: {refusal}");
            Came::refused(refusal.why())
        }
    }
}

/// As WeCom writes it.
fn written(query: &Query) -> String {
    let Query { msg_signature, timestamp, nonce, echostr } = query;
    let echo = echostr.as_ref().map_or_else(String::new, |echo| format!("&echostr={}", encode(echo)));
    format!("msg_signature={msg_signature}&timestamp={timestamp}&nonce={nonce}{echo}")
}
