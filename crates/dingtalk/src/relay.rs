//! The other role: what we post to an OA that expects DingTalk (reference dingtalk 2.1 to 2.5).

use common::UnixMillis;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{CallbackKeys, Query, callback::SUCCESS, event::plain};

/// A push, ready to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The envelope, to be sent as `application/json`.
    pub body: Vec<u8>,
    /// The query to put after the address: `signature=…&msg_signature=…&timestamp=…&nonce=…`.
    pub query: String,
}

/// Encrypts and signs a text with the receiver's keys, in the name of their first owner. Nonce and random bytes must be fresh; the
/// nonce is letters and digits. Both names of the signature are sent, since receivers look for either.
pub fn seal(keys: &CallbackKeys, text: &str, now: UnixMillis, nonce: &str, random16: [u8; 16]) -> Sealed {
    let encrypt = keys.encrypt(text.as_bytes(), keys.owner(), random16);
    let timestamp = now.0.to_string();
    let signature = keys.sign(&timestamp, nonce, &encrypt);
    Sealed {
        query: format!("signature={signature}&msg_signature={signature}&timestamp={timestamp}&nonce={nonce}"),
        body: json!({ "encrypt": encrypt }).to_string().into_bytes(),
    }
}

/// The push that asks a receiver whether it is there and has the same keys (reference dingtalk 2.5).
pub fn check_url(keys: &CallbackKeys, now: UnixMillis, nonce: &str, random16: [u8; 16]) -> Sealed {
    seal(keys, &json!({ "EventType": "check_url" }).to_string(), now, nonce, random16)
}

/// Whether the body of an answer is the encrypted word `success`, signed with these keys: what DingTalk itself takes for one. Every
/// other answer is a failed push, whatever its status.
pub fn is_success(keys: &CallbackKeys, body: &[u8]) -> bool {
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else { return false };
    let Some(timestamp) = plain(&answer.timestamp) else { return false };
    let signed = Query { signature: answer.msg_signature, timestamp, nonce: answer.nonce };
    keys.verify(&signed, &answer.encrypt) && keys.decrypt(&answer.encrypt).is_ok_and(|push| push.text == SUCCESS)
}

#[derive(Deserialize)]
struct Answer {
    msg_signature: String,
    /// A text; some frameworks write a number.
    #[serde(rename = "timeStamp")]
    timestamp: Value,
    nonce: String,
    encrypt: String,
}

#[cfg(test)]
mod tests {
    use common::Secret;

    use super::*;
    use crate::Envelope;

    const NOW: UnixMillis = UnixMillis(1_790_000_000_789);

    fn keys(owner: &str) -> CallbackKeys {
        let aes_key = Secret::new("Qm9udFRlc3RLZXkwMTIzNDU2Nzg5YWJjZGVmZ2hpamo");
        CallbackKeys::new(&Secret::new("brgTok2026"), &aes_key, &[owner]).unwrap()
    }

    #[test]
    fn what_is_sent_is_what_a_receiver_expects() {
        let keys = keys("ding5");
        let sealed = check_url(&keys, NOW, "Rply0001", [7; 16]);
        let query = Query::parse(&sealed.query).unwrap();
        let envelope = Envelope::parse(&sealed.body).unwrap();
        let push = keys.open(&query, &envelope.encrypt, NOW, 1).unwrap();
        assert_eq!((push.text.as_str(), push.owner.as_str()), (r#"{"EventType":"check_url"}"#, "ding5"));
        let historic = sealed.query.split('&').filter(|pair| !pair.starts_with("msg_")).collect::<Vec<_>>().join("&");
        assert_eq!(Query::parse(&historic), Ok(query));
    }

    #[test]
    fn only_the_encrypted_word_is_a_success() {
        let keys = keys("ding5");
        let good = keys.reply("ding5", NOW, "Rply0001", [7; 16]);
        assert!(is_success(&keys, good.as_bytes()));
        assert!(is_success(&keys, good.replace("\"1790000000789\"", "1790000000789").as_bytes()));
        let other_word = {
            let encrypt = keys.encrypt(b"failure", "ding5", [7; 16]);
            let signature = keys.sign("1790000000789", "1", &encrypt);
            json!({ "msg_signature": signature, "timeStamp": "1790000000789", "nonce": "1", "encrypt": encrypt })
        };
        for bad in [
            "success".to_owned(),
            "{\"errcode\":0}".to_owned(),
            String::new(),
            good.replace("timeStamp", "timestamp"),
            good.replace("msg_signature", "msgSignature"),
            good.replace("Rply0001", "Rply0002"),
            other_word.to_string(),
            self::keys("ding6").reply("ding6", NOW, "Rply0001", [7; 16]),
        ] {
            assert!(!is_success(&keys, bad.as_bytes()), "{bad}");
        }
    }
}
