//! Against `wechat-crypto`, written by somebody else on other versions of the cryptography crates.

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use wecom::{CallbackKeys, Envelope, Query, echo_request, seal};

use super::keys;

const AES_KEYS: [&str; 4] = [
    "Zq3Lw8Rt5Yh2Nb7Vc0Xm4Kd9Fg6Js1Pa2Qe8Ui5Oz7B",
    "4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIws",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "9999999999999999999999999999999999999999999",
];

fn theirs_reads(aes_key: &str, encrypt: &str) -> (String, String) {
    let key = wechat_crypto::decode_aes_key(aes_key).unwrap();
    let data = STANDARD.decode(encrypt).unwrap();
    wechat_crypto::parse_plain_text(&wechat_crypto::decrypt(&key, &data).unwrap()).unwrap()
}

/// It pads to 16 bytes, and fails where that needs a whole block of padding.
fn theirs_writes(aes_key: &str, message: &str, receive_id: &str) -> Option<String> {
    let key = wechat_crypto::decode_aes_key(aes_key).unwrap();
    let whole_block = (20 + message.len() + receive_id.len()).is_multiple_of(16);
    let sealed = wechat_crypto::encrypt(&key, message, receive_id);
    assert_eq!(sealed.is_err(), whole_block);
    sealed.ok().map(|data| STANDARD.encode(data))
}

fn check(keys: &CallbackKeys, aes_key: &str, message: &str, random16: [u8; 16]) {
    let receive_id = keys.receive_id();
    let ours = keys.encrypt(message.as_bytes(), random16);
    assert_eq!(theirs_reads(aes_key, &ours), (message.to_owned(), receive_id.to_owned()));
    if let Some(theirs) = theirs_writes(aes_key, message, receive_id) {
        assert_eq!(keys.decrypt(&theirs).as_deref(), Ok(message));
    }
    let theirs = wechat_crypto::calc_signature("Tok", "1767225600", "n-1", &ours);
    assert_eq!(keys.sign("1767225600", "n-1", &ours), theirs);
}

#[test]
fn both_read_each_other_for_all_pad_lengths_and_several_keys() {
    let text = "<xml>欧阳春晓·𠮷, plain, 𝄞; 研发一部</xml>";
    for aes_key in AES_KEYS {
        for receive_id in ["", "wwbridge0000demo01", "公司"] {
            let keys = keys("Tok", aes_key, receive_id);
            for extra in 0..=32 {
                check(&keys, aes_key, &format!("{text}{}", "x".repeat(extra)), [extra as u8 ^ 0xa5; 16]);
            }
        }
    }
}

#[test]
fn what_is_sealed_for_a_relay_is_read_by_both() {
    let keys = keys("OaOwnToken01", AES_KEYS[0], "ww1");
    for (agent_id, expected) in [(None, None), (Some(""), Some("")), (Some("1000002"), Some("1000002"))] {
        let sealed = seal(&keys, agent_id, "<xml>中</xml>", 1_767_225_600, "abc-1", [9; 16]);
        let envelope = Envelope::parse(&sealed.body).unwrap();
        let query = Query::parse(&sealed.query).unwrap();
        assert_eq!((envelope.to_user_name.as_str(), envelope.agent_id.as_deref()), ("ww1", expected));
        assert!(keys.verify(&query, &envelope.encrypt));
        let signature = wechat_crypto::calc_signature("OaOwnToken01", "1767225600", "abc-1", &envelope.encrypt);
        assert_eq!(query.msg_signature, signature);
        assert_eq!(keys.decrypt(&envelope.encrypt).as_deref(), Ok("<xml>中</xml>"));
        assert_eq!(theirs_reads(AES_KEYS[0], &envelope.encrypt), ("<xml>中</xml>".into(), "ww1".into()));
    }
}

#[test]
fn the_echo_request_is_answered_by_both() {
    let keys = keys("OaOwnToken01", AES_KEYS[1], "ww1");
    let mut seen_plus = false;
    for roll in 0..=255u8 {
        let (raw, expected) = echo_request(&keys, 1_767_225_700, "1122334455", [roll; 16]);
        assert!(expected.len() == 19 && expected.bytes().all(|byte| byte.is_ascii_digit()));
        assert!(!raw.contains(['+', '/', ' ']));
        let query = Query::parse(&raw).unwrap();
        let echo = query.echostr.clone().unwrap();
        seen_plus |= echo.contains('+');
        assert!(keys.verify(&query, &echo));
        assert_eq!(keys.decrypt(&echo).as_ref(), Ok(&expected));
        let info = wechat_crypto::VerifyInfo {
            signature: query.msg_signature,
            timestamp: 1_767_225_700,
            nonce: 1_122_334_455,
        };
        let key = wechat_crypto::decode_aes_key(AES_KEYS[1]).unwrap();
        assert_eq!(wechat_crypto::verify_url("OaOwnToken01", &info, &echo, &key, "ww1").unwrap(), expected);
    }
    assert!(seen_plus);
}

proptest! {
    #[test]
    fn both_read_each_other_for_any_text_and_key(
        message in "\\PC{0,400}",
        key in prop::array::uniform32(any::<u8>()),
        random16 in prop::array::uniform16(any::<u8>()),
    ) {
        let mut aes_key = STANDARD.encode(key);
        aes_key.pop();
        let keys = keys("Tok", &aes_key, "wwbridge0000demo01");
        check(&keys, &aes_key, &message, random16);
    }
}
