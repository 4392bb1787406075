//! What an OA answers to a push that is relayed to it.

use common::Secret;
use dingtalk::{CallbackKeys, is_success};
use platform_sim::Keys;
use serde_json::Value;

use super::{AES_KEY, TOKEN, WORDS};
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made::{self, ding},
};

/// The owner of vector D of reference dingtalk 2.8.
const OWNER: &str = "ding5";

#[test]
fn a_reply_is_the_encrypted_success_for_us_as_for_the_platform() {
    let keys = CallbackKeys::new(&Secret::new(TOKEN), &Secret::new(AES_KEY), &[OWNER]).unwrap();
    let platform = Keys::new(TOKEN, AES_KEY, OWNER).unwrap();
    let mut tokens = WORDS.to_vec();
    tokens.extend([
        "\"msg_signature\":",
        "\"timeStamp\":",
        "\"nonce\":",
        "\"encrypt\":",
        "\"6011eda6e2cd9b75601ec30433efea2b2ca7982f\"",
        "\"Rply0001\"",
        "1790000000789",
        "success",
    ]);
    let mut made = made::json("{\"msg_signature\":\"x\",\"timeStamp\":1,\"nonce\":\"n\",");
    made.extend(ding::replies(&platform));
    let parse = |input: &[u8]| {
        if !is_success(&keys, input) {
            return Came::refused("no success");
        }
        assert!(is_success_there(&platform, input), "we take it for a success, and the platform does not");
        Came::taken("success")
    };
    fuzz(&Parser { name: "ding_reply", tokens: &tokens, limits: Limits::NETWORK, made, parse: &parse });
}

/// Whether it is one for another implementation.
fn is_success_there(platform: &Keys, reply: &[u8]) -> bool {
    let reply: Value = serde_json::from_slice(reply).unwrap();
    let text = |name: &str| match &reply[name] {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    let (signature, encrypt) = (text("msg_signature"), text("encrypt"));
    platform.verify(&signature, &text("timeStamp"), &text("nonce"), &encrypt)
        && platform.decrypt(&encrypt).is_ok_and(|word| word == b"success")
}
