//! Requests from someone who wants to do harm, by the thousand, each class from a seed. What they are made of is signed and sealed
//! by the simulator's cryptography, which is not the gateway's.

#[path = "../../../../crates/wecom/tests/it/bodies.rs"]
mod bodies;
#[path = "../../../../crates/wecom/tests/it/chance.rs"]
mod chance;
mod ciphertexts;
mod documents;
mod line;
mod replays;
mod signatures;

use std::sync::Arc;

use platform_sim::Keys;
use service::config::GatewayConfig;
use tokio::task::spawn_blocking;

use self::{chance::Chance, line::Line};
use crate::{
    bridge::{Bridge, CORP, KEY, NOW, PATH, TOKEN},
    client::Request,
};

const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// As what a request that is answered 401 is counted.
const UNAUTHORISED: [&str; 17] = [
    "bad_signature",
    "doubled_element",
    "doubled_parameter",
    "envelope_not_utf8",
    "misshapen_element",
    "misshapen_nonce",
    "misshapen_parameter",
    "misshapen_signature",
    "misshapen_timestamp",
    "missing_encrypt",
    "missing_parameter",
    "query_too_long",
    "unknown_tenant",
    "xml_document_type",
    "xml_encoding",
    "xml_syntax",
    "xml_too_large",
];
/// The same for one whose signature is good, and whose time is not.
const STALE: [&str; 1] = ["stale_timestamp"];
/// As what a request that is answered 400 is counted.
const MALFORMED: [&str; 7] = [
    "json_syntax",
    "neither_xml_nor_json",
    "undecryptable",
    "xml_document_type",
    "xml_encoding",
    "xml_syntax",
    "xml_too_large",
];

/// A gateway that goes on saying what it thinks of a request, however many there are.
async fn started() -> Bridge {
    let config = GatewayConfig { refused_per_minute: 1_000_000, ..GatewayConfig::default() };
    Bridge::start_with(config, |queue| Arc::new(queue)).await
}

/// Works with one connection to the gateway, which it must keep throughout.
async fn over_one_line<T: Send + 'static>(bridge: &Bridge, work: impl FnOnce(&mut Line) -> T + Send + 'static) -> T {
    let address = bridge.address;
    spawn_blocking(move || work(&mut Line::open(address))).await.unwrap()
}

fn counted(bridge: &Bridge, outcomes: &[&str]) -> usize {
    outcomes.iter().map(|outcome| bridge.counted(outcome) as usize).sum()
}

/// The keys of `acme` as the platform has them.
fn platform() -> Keys {
    Keys::new(TOKEN, KEY, CORP).unwrap()
}

/// Says that somebody joined, each time somebody else.
fn told(chance: &mut Chance) -> String {
    let length = chance.between(12, 44);
    let id = chance.text(LETTERS, length);
    format!(
        "<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
         <CreateTime>{NOW}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_contact]]></Event>\
         <ChangeType>create_user</ChangeType><UserID><![CDATA[{id}]]></UserID><Name><![CDATA[成员{id}]]></Name>\
         <Department>1</Department></xml>"
    )
}

/// The parts of a callback, to be put together in another way than they were meant.
#[derive(Debug, Clone)]
struct Parts {
    signature: String,
    timestamp: String,
    nonce: String,
    encrypt: String,
}

impl Parts {
    /// What the platform would send at some second of the window.
    fn good(chance: &mut Chance) -> Self {
        let encrypt = platform().encrypt(told(chance).as_bytes(), chance.sixteen());
        Self::signed(chance, encrypt)
    }

    /// Any text under a good signature.
    fn signed(chance: &mut Chance, encrypt: String) -> Self {
        let second = NOW - 200 + chance.below(400) as i64;
        Self::signed_with(&platform(), chance, encrypt, second)
    }

    fn signed_with(keys: &Keys, chance: &mut Chance, encrypt: String, second: i64) -> Self {
        let length = chance.between(8, 12);
        let (timestamp, nonce) = (second.to_string(), chance.text(DIGITS, length));
        Self { signature: keys.sign(&timestamp, &nonce, &encrypt), timestamp, nonce, encrypt }
    }

    fn query(&self) -> String {
        format!("msg_signature={}&timestamp={}&nonce={}", self.signature, self.timestamp, self.nonce)
    }

    fn body(&self) -> String {
        let Self { encrypt, .. } = self;
        format!("<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>")
    }

    fn request(&self) -> Request {
        self.asked(&self.query())
    }

    /// The same body with another query.
    fn asked(&self, query: &str) -> Request {
        Request::post(format!("{PATH}?{query}"), self.body()).header("content-type", "text/xml")
    }
}

impl Chance {
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.below(256) as u8).collect()
    }

    fn sixteen(&mut self) -> [u8; 16] {
        std::array::from_fn(|_| self.below(256) as u8)
    }
}
