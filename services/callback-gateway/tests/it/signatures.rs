//! Bad signatures of every class: all 401, all alike, nothing published.

use std::collections::BTreeSet;

use crate::{
    bridge::{Bridge, CORP, CREATE_PARTY, KEY, NOW, OTHER_KEY, PATH, TOKEN, acme_keys, callback, callback_at, keys},
    client::Request,
};

/// The parts of a good callback.
struct Good {
    signature: String,
    timestamp: String,
    nonce: String,
    body: Vec<u8>,
    encrypt: String,
}

impl Good {
    fn new() -> Self {
        let keys = acme_keys();
        let sealed = wecom::seal(&keys, None, CREATE_PARTY, NOW, "1372623149", [7; 16]);
        let encrypt = wecom::Envelope::parse(&sealed.body).unwrap().encrypt;
        let (timestamp, nonce) = (NOW.to_string(), "1372623149".to_owned());
        Self { signature: keys.sign(&timestamp, &nonce, &encrypt), timestamp, nonce, body: sealed.body, encrypt }
    }

    fn query(&self) -> String {
        format!("msg_signature={}&timestamp={}&nonce={}", self.signature, self.timestamp, self.nonce)
    }

    /// The good request with another query.
    fn asked(&self, query: &str) -> Request {
        Request::post(format!("{PATH}?{query}"), self.body.clone())
    }

    /// The good request with another signature.
    fn signed(&self, signature: &str) -> Request {
        self.asked(&self.query().replace(&self.signature, signature))
    }
}

fn shapes(good: &Good) -> Vec<(&'static str, Request)> {
    let signature = good.signature.as_str();
    let flipped = if signature.starts_with('0') { "1" } else { "0" };
    vec![
        ("missing", good.asked(&good.query().replace("msg_signature", "signature"))),
        ("no query at all", Request::post(PATH, good.body.clone())),
        ("empty", good.signed("")),
        ("one digit", good.signed("a")),
        ("a prefix", good.signed(&signature[..39])),
        ("one digit more", good.signed(&format!("{signature}0"))),
        ("twice in a row", good.signed(&signature.repeat(2))),
        ("upper case", good.signed(&format!("A{}", &signature[1..].to_uppercase()))),
        ("one digit changed", good.signed(&format!("{flipped}{}", &signature[1..]))),
        ("reversed", good.signed(&format!("{}f", signature.chars().rev().skip(1).collect::<String>()))),
        ("zeros", good.signed(&"0".repeat(40))),
        ("not hexadecimal", good.signed(&"z".repeat(40))),
        ("not ASCII", good.signed("%E4%B8%AD".repeat(13).as_str())),
        ("NUL", good.signed(&format!("{}%00", &signature[..39]))),
        ("a space", good.signed(&format!("+{}", &signature[1..]))),
        ("not UTF-8", good.signed(&"%ff".repeat(40))),
        ("long", good.signed(&"a".repeat(60_000))),
        ("doubled", good.asked(&format!("{}&msg_signature={signature}", good.query()))),
        ("timestamp doubled", good.asked(&format!("{}&timestamp={}", good.query(), good.timestamp))),
        ("nonce doubled", good.asked(&format!("{}&nonce={}", good.query(), good.nonce))),
        ("timestamp missing", good.asked(&good.query().replace("timestamp", "time"))),
        ("nonce missing", good.asked(&good.query().replace("nonce", "once"))),
        ("another name's case", good.asked(&good.query().replace("msg_signature", "Msg_Signature"))),
        (
            "values swapped",
            good.asked(&format!("msg_signature={signature}&timestamp={}&nonce={}", good.nonce, good.timestamp)),
        ),
    ]
}

fn forgeries(good: &Good) -> Vec<(&'static str, Request)> {
    let other = keys("OtherToken", OTHER_KEY, CORP);
    let with_token_only = keys("OtherToken", KEY, CORP);
    let tampered = String::from_utf8(good.body.clone()).unwrap().replace("[CDATA[", "[CDATA[AAAA");
    let signs = |token: &str, timestamp: &str, nonce: &str| {
        let signature = keys(token, KEY, CORP).sign(timestamp, nonce, &good.encrypt);
        good.asked(&format!("msg_signature={signature}&timestamp={timestamp}&nonce={nonce}"))
    };
    let without_token = keys("x", KEY, CORP).sign(&good.timestamp, &good.nonce, &good.encrypt);
    // The sorted pieces run into each other without a separator, so what stays the same when a digit moves must have another shape.
    let (head, tail) = good.timestamp.split_at(9);
    vec![
        ("another tenant's keys", callback(&other, CREATE_PARTY)),
        ("another tenant's token", callback(&with_token_only, CREATE_PARTY)),
        ("another tenant's request here", {
            let mut request = callback(&acme_keys(), CREATE_PARTY);
            request.target = request.target.replace("acme", "globex");
            request
        }),
        ("a stranger's token", signs("stranger", &good.timestamp, &good.nonce)),
        ("a longer token", signs(&format!("{TOKEN}0"), &good.timestamp, &good.nonce)),
        ("a token in other case", signs(&TOKEN.to_lowercase(), &good.timestamp, &good.nonce)),
        ("a guessed token", good.signed(&without_token)),
        ("another nonce", good.asked(&good.query().replace(&good.nonce, "1372623140"))),
        ("another timestamp", good.asked(&good.query().replace(&good.timestamp, &(NOW + 1).to_string()))),
        (
            "the border between timestamp and nonce moved",
            good.asked(&format!("msg_signature={}&timestamp={head}&nonce={}{tail}", good.signature, good.nonce)),
        ),
        ("another ciphertext", Request::post(format!("{PATH}?{}", good.query()), tampered)),
        ("the signature in the body", Request::post(PATH, format!("{}\n<xml/>", good.query()))),
        ("DingTalk's name for it", good.asked(&good.query().replace("msg_signature", "signature"))),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_class_of_bad_signature_is_refused_alike() {
    let bridge = Bridge::start().await;
    let good = Good::new();
    let classes: Vec<(&str, Request)> = shapes(&good).into_iter().chain(forgeries(&good)).collect();
    assert!(classes.iter().map(|(class, _)| class).collect::<BTreeSet<_>>().len() >= 20);
    let mut answers = BTreeSet::new();
    for (class, request) in &classes {
        bridge.refused_bytes(request.bytes(), 401, (*class).to_owned()).await;
        let raw = String::from_utf8(bridge.send(request).await.raw).unwrap();
        answers.insert(raw.lines().filter(|line| !line.starts_with("date:")).collect::<Vec<_>>().join("\n"));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    // The one that all of these were made from is fine.
    bridge.accepted(&good.asked(&good.query())).await;
    assert_eq!(bridge.depth().await, 1);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timestamp_counts_for_300_seconds_each_way() {
    let bridge = Bridge::start().await;
    for second in [NOW - 301, NOW + 301, NOW - 86_400, 0, 1_000_000_000, 9_999_999_999] {
        bridge.refused(&callback_at(&acme_keys(), CREATE_PARTY, second), 401).await;
    }
    assert!(bridge.counted("stale_timestamp") >= 4);
    for second in [NOW - 300, NOW + 300, NOW - 1] {
        bridge.accepted(&callback_at(&acme_keys(), CREATE_PARTY, second)).await;
    }
    // A repeat within the window is answered well; the resolver recognises it.
    bridge.clock.forward(298);
    bridge.accepted(&callback_at(&acme_keys(), CREATE_PARTY, NOW - 1)).await;
    bridge.clock.forward(2);
    let reply = bridge.send(&callback_at(&acme_keys(), CREATE_PARTY, NOW - 1)).await;
    assert_eq!(reply.status(), Some(200 + 201));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_of_the_clock_can_be_switched_off() {
    let config = service::config::GatewayConfig { max_clock_skew_seconds: 0, ..Default::default() };
    let bridge = Bridge::start_with(config, |queue| std::sync::Arc::new(queue)).await;
    bridge.accepted(&callback_at(&acme_keys(), CREATE_PARTY, 1_000_000_000)).await;
    bridge.stop().await;
}
