//! A data push. The first line of an input is the raw query, the second the signature, the third the id of the delivery, where an
//! empty line is none at all; the rest is the body.

use common::{Secret, UnixMillis};
use jiandaoyun::{
    Form, Refusal,
    push::{Headers, Push, sign, verify},
};
use platform_sim::jiandaoyun as jdy;

use super::WORDS;
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made,
};

/// Those of the second vector of reference jiandaoyun 11, for which the corpus is signed.
const SECRET: &str = "jdy-secret";
const TIMESTAMP: &str = "1778575510";
const NONCE: &str = "a1b2c3";

const NOW: UnixMillis = UnixMillis::from_seconds(1_778_575_520);
const MAX_SKEW_SECONDS: u32 = 300;

/// It is no word, so that nothing of a push can be it by chance.
const UNWORDLY_SECRET: &str = "canary 4711!";

const OPS: [&str; 5] = ["data_create", "data_update", "data_recover", "data_remove", "form_update"];

#[test]
fn a_push_says_what_it_is_about_or_is_refused() {
    let mut tokens = WORDS.to_vec();
    tokens.extend([
        "\n",
        "&",
        "=",
        "%",
        "%2",
        "%3A",
        "%FF",
        "timestamp=1778575510",
        "&nonce=a1b2c3",
        "&%6Eonce=a_-.~",
        "sha1=",
        "083e2cccd1f55c1bfda6d885b708d118419da61a",
        "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "\"op\":\"data_create\",",
        "\"op\":\"data_remove\",",
        "\"op\":\"form_update\",",
        "\"opTime\":1778575509018,",
        "\"data\":{",
    ]);
    let mut made = made::jiandaoyun::pushes(SECRET, TIMESTAMP, NONCE);
    for large in made::json("{\"op\":\"data_update\",\"data\":{\"_id\":\"69d8ab62d78c62093e724f25\",") {
        made.push(made::jiandaoyun::signed(&large, SECRET, TIMESTAMP, NONCE));
    }
    fuzz(&Parser { name: "jdy_push", tokens: &tokens, limits: Limits::NETWORK, made, parse: &parse });
}

fn parse(input: &[u8]) -> Came {
    let parts: Vec<&[u8]> = input.splitn(4, |byte| *byte == b'\n').collect();
    let part = |place: usize| parts.get(place).copied().unwrap_or_default();
    let [query, signature, deliver_id] = [0, 1, 2].map(|place| String::from_utf8_lossy(part(place)));
    let headers = Headers { signature: line(&signature), deliver_id: line(&deliver_id) };
    // Whoever has the secret gets any body in.
    let told = well_signed(part(3), headers.deliver_id);
    let way = looked_at(&told);
    match verify(&Secret::new(SECRET), &query, part(3), headers, NOW, MAX_SKEW_SECONDS) {
        Ok(push) => {
            assert_eq!(push, told);
            is_signed_there(&query, &signature, part(3));
            Came::taken(way)
        }
        Err(refusal) => {
            assert!(matches!(refusal, Refusal::Unauthorized { .. }), "a push is signed or not, and no more: {refusal}");
            Came::refused(format!("{} {way}", refusal.why()))
        }
    }
}

fn line(line: &str) -> Option<&str> {
    (!line.is_empty()).then_some(line)
}

/// What a push with this body says that is signed well. With anything else under the same signature it is nobody's.
fn well_signed(body: &[u8], deliver_id: Option<&str>) -> Push {
    let (secret, query) = (Secret::new(UNWORDLY_SECRET), format!("timestamp={TIMESTAMP}&nonce={NONCE}"));
    let signature = sign(&secret, TIMESTAMP, NONCE, body);
    assert_eq!(signature, jdy::signature(NONCE, body, UNWORDLY_SECRET, TIMESTAMP));
    let headers = Headers { signature: Some(&signature), deliver_id };
    let open = |query: &str, body: &[u8], now| verify(&secret, query, body, headers, now, MAX_SKEW_SECONDS);
    let push = open(&query, body, NOW).unwrap_or_else(|refusal| panic!("what is well signed is refused: {refusal}"));

    let forged = Err(Refusal::BAD_SIGNATURE);
    let mut other = body.to_vec();
    match other.get_mut(body.len() / 2) {
        Some(byte) => *byte ^= 1,
        None => other.push(b' '),
    }
    assert_eq!(open(&query, &other, NOW), forged);
    assert_eq!(open(&format!("timestamp=1778575511&nonce={NONCE}"), body, NOW), forged);
    assert_eq!(open(&format!("timestamp={TIMESTAMP}&nonce=A1b2c3"), body, NOW), forged);
    assert_eq!(open(&query, body, NOW.plus_seconds(600)), Err(Refusal::STALE));

    let printed = format!("{push:?} {headers:?}");
    assert!(!printed.contains(UNWORDLY_SECRET) && !printed.contains(&signature), "{printed}");
    push
}

/// Looks at a push: words and ids are in it, and nothing else that somebody wrote. Says which sort it is.
fn looked_at(push: &Push) -> String {
    let Push { op, form, record_id, deliver_id } = push;
    assert!(op.is_empty() || is_word(op), "{push:?}");
    assert!(deliver_id.as_deref().is_none_or(is_word), "{push:?}");
    assert!(record_id.as_deref().is_none_or(is_id), "{push:?}");
    assert!(form.as_ref().is_none_or(|form| is_id(&form.app_id) && is_id(&form.entry_id)), "{push:?}");
    if let Some((form, id)) = push.record() {
        assert!(op != "data_remove" && op != "form_update", "there is nothing to look at: {push:?}");
        assert_eq!(Form::of_entity(&form.entity_id(id)), Some((form.clone(), id.to_owned())));
    }
    let other = if op.is_empty() { "none" } else { "other" };
    let sort = OPS.into_iter().find(|known| known == op).unwrap_or(other);
    format!("{sort} {} {} {}", form.is_some(), record_id.is_some(), deliver_id.is_some())
}

fn is_word(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

fn is_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Another implementation signs it the same, where the query is written plainly.
fn is_signed_there(query: &str, signature: &str, body: &[u8]) {
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let (Some(timestamp), Some(nonce)) = (value("timestamp"), value("nonce")) else {
        assert!(query.contains('%'), "nothing was signed: {query}");
        return;
    };
    let theirs = jdy::signature(nonce, body, SECRET, timestamp);
    assert!(query.contains('%') || signature.trim().ends_with(&theirs), "the platform would not sign it: {query}");
}
