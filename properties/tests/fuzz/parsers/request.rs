//! A whole callback request, taken apart as the gateway does it: the query up to the first line end, then the body.

use std::collections::BTreeSet;

use platform_sim::{AgentId, crypto::Moment};
use wecom::{CallbackKeys, Envelope, Query, Refusal, normalise};

use super::{CORP, NOW, keys, platform_keys, tenant};
use crate::{
    fuzzer::{Came, Corpus, Limits, Parser, fuzz},
    made,
};

const NAME: &str = "request";
const WORDS: &[&str] = &[
    "&timestamp=1767225601",
    "&nonce=1780001234",
    "&msg_signature=6a3f8c6ea30662e39df99b04340eb3df21d9e65a",
    "\n",
    "<Encrypt>",
    "</Encrypt>",
    "<Encrypt><![CDATA[",
    "]]></Encrypt>",
    "<!-- ",
    " -->",
    "<a>",
    "</a>",
    "%2B",
    "%3D",
    "+",
    "=",
    "94WcslqR0OQAxZwY35RCfIfKC90fwMIt70hA65BZaQPX",
];

#[test]
fn a_request_says_what_was_signed_or_is_refused() {
    let (keys, made) = (keys(), made());
    let files = Corpus::of(NAME).files();
    let kept = files.iter().filter(|file| !file.failed_once()).map(|file| &file.bytes);
    // Nobody here can sign anything else: mutations do not know the token.
    let signed: BTreeSet<String> = kept.chain(&made).filter_map(|request| open(&keys, request).ok()).collect();
    let parse = |input: &[u8]| match open(&keys, input) {
        Ok(text) => {
            assert!(signed.contains(&text), "this was never signed: {text}");
            match normalise(&tenant(), CORP, &text, NOW, None) {
                Ok(events) => Came::taken(events.first().map(|event| event.type_name()).unwrap_or_default()),
                Err(refusal) => Came::refused(refusal.why()),
            }
        }
        Err(refusal) => Came::refused(refusal.why()),
    };
    fuzz(&Parser { name: NAME, tokens: WORDS, limits: Limits::NETWORK, made, parse: &parse });
}

fn open(keys: &CallbackKeys, request: &[u8]) -> Result<String, Refusal> {
    let end = request.iter().position(|byte| *byte == b'\n').unwrap_or(request.len());
    let (query, body) = (&request[..end], request.get(end + 1..).unwrap_or_default());
    let query = Query::parse(&String::from_utf8_lossy(query))?;
    let envelope = Envelope::parse(body)?;
    if !keys.verify(&query, &envelope.encrypt) {
        return Err(Refusal::BAD_SIGNATURE);
    }
    Ok(keys.decrypt(&envelope.encrypt)?)
}

/// What the platform would push.
fn made() -> Vec<Vec<u8>> {
    let platform = platform_keys();
    let agents = [AgentId::Absent, AgentId::Empty, AgentId::Value("1000002".to_owned())];
    let seal = |(nth, text): (usize, String)| {
        let nonce = format!("178000{nth}");
        let moment = Moment { timestamp: "1767225700", nonce: &nonce, random16: [nth as u8; 16] };
        let sealed = platform.seal(&text, &agents[nth % agents.len()], &moment, nth as u64);
        format!("{}\n{}", sealed.query, sealed.body).into_bytes()
    };
    made::callbacks().into_iter().enumerate().map(seal).collect()
}
