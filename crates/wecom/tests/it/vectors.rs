//! The test vectors of reference wecom 1.9: official samples (P) and computed ones (O).

use common::{EventBody, What};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use wecom::{CallbackKeys, DecryptError, Envelope, KeyError, Query};

use super::{keys, normalise};

#[derive(Deserialize)]
struct Vector {
    id: String,
    note: String,
    token: String,
    encoding_aes_key: String,
    receive_id: String,
    timestamp: String,
    nonce: String,
    random16_hex: String,
    encrypt: String,
    msg_signature: String,
    msg_len: usize,
    sha256_msg: String,
    plaintext: String,
}

impl Vector {
    fn keys(&self) -> CallbackKeys {
        keys(&self.token, &self.encoding_aes_key, &self.receive_id)
    }

    fn query(&self) -> Query {
        let raw = format!("msg_signature={}&timestamp={}&nonce={}", self.msg_signature, self.timestamp, self.nonce);
        Query::parse(&raw).unwrap()
    }
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

fn vector(id: &str) -> Vector {
    vectors().into_iter().find(|vector| vector.id == id).unwrap()
}

#[test]
fn signature_decryption_and_encryption_agree_with_every_vector() {
    let all = vectors();
    let ids: Vec<&str> = all.iter().map(|vector| vector.id.as_str()).collect();
    assert_eq!(ids, ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "O1", "O2", "O3", "O4", "O5"]);
    for vector in &all {
        let (id, keys) = (&vector.id, vector.keys());
        assert_eq!(keys.sign(&vector.timestamp, &vector.nonce, &vector.encrypt), vector.msg_signature, "{id}");
        assert!(keys.verify(&vector.query(), &vector.encrypt), "{id}");
        let plaintext = keys.decrypt(&vector.encrypt).unwrap();
        assert_eq!(plaintext, vector.plaintext, "{id}");
        assert_eq!(plaintext.len(), vector.msg_len, "{id}");
        assert_eq!(hex::encode(Sha256::digest(&plaintext)), vector.sha256_msg, "{id}");
        let random16 = hex::decode(&vector.random16_hex).unwrap().try_into().unwrap();
        assert_eq!(keys.encrypt(plaintext.as_bytes(), random16), vector.encrypt, "{id}");
    }
}

#[test]
fn every_plaintext_that_is_no_echo_becomes_an_event() {
    for vector in vectors() {
        let events = normalise(&vector.plaintext);
        if vector.note.contains("echostr") {
            assert_eq!(events.unwrap_err().why(), "neither_xml_nor_json", "{}", vector.id);
            continue;
        }
        let created =
            |body: &EventBody| matches!(body, EventBody::Directory(seen) if matches!(seen.what, What::Created { .. }));
        let contact = vector.note.contains("create_") || vector.id == "O4";
        assert_eq!(created(&events.unwrap()[0].body), contact, "{}", vector.id);
    }
}

#[test]
fn a_wrong_digit_anywhere_in_the_signature_is_noticed() {
    let vector = vector("P1");
    for at in 0..40 {
        let mut query = vector.query();
        let other = if &query.msg_signature[at..=at] == "0" { "1" } else { "0" };
        query.msg_signature.replace_range(at..=at, other);
        assert!(!vector.keys().verify(&query, &vector.encrypt), "{at}");
    }
    let mut query = vector.query();
    for signature in ["", "477715d1", &vector.msg_signature.to_uppercase(), &format!("{}0", vector.msg_signature)] {
        query.msg_signature = signature.to_owned();
        assert!(!vector.keys().verify(&query, &vector.encrypt), "{signature}");
    }
}

#[test]
fn other_tokens_times_nonces_and_texts_do_not_verify() {
    let (one, other) = (vector("O1"), vector("O4"));
    assert!(!one.keys().verify(&one.query(), &other.encrypt));
    assert!(!other.keys().verify(&one.query(), &one.encrypt));
    let mut swapped = one.query();
    std::mem::swap(&mut swapped.timestamp, &mut swapped.nonce);
    assert!(one.keys().verify(&swapped, &one.encrypt), "values are sorted, so names do not matter to the signature");
    for (timestamp, nonce) in [("1767225602", "1780001234"), ("1767225601", "1780001235")] {
        let query = Query { timestamp: timestamp.into(), nonce: nonce.into(), ..one.query() };
        assert!(!one.keys().verify(&query, &one.encrypt));
    }
}

/// The signature has no separators (reference security 2.3): shapes stop most of it, and the rest is no ciphertext any
/// more.
#[test]
fn characters_moved_between_signed_values_get_nobody_further() {
    let vector = vector("O1");
    let raw = |timestamp: &str, nonce: &str| {
        Query::parse(&format!("msg_signature={}&timestamp={timestamp}&nonce={nonce}", vector.msg_signature))
    };
    assert_eq!(raw("17672256011", "780001234").unwrap_err().why(), "misshapen_timestamp");
    assert_eq!(raw("176722560", "11780001234").unwrap_err().why(), "misshapen_timestamp");
    for moved in 1..9 {
        let (nonce, front) = vector.nonce.split_at(vector.nonce.len() - moved);
        let encrypt = format!("{front}{}", vector.encrypt);
        let verified = vector.keys().verify(&raw("1767225601", nonce).unwrap(), &encrypt);
        assert_eq!(verified, moved <= 3, "as long as the values sort as before");
        assert_eq!(vector.keys().decrypt(&encrypt), Err(DecryptError));
        let (front, encrypt) = vector.encrypt.split_at(moved);
        assert!(raw("1767225601", &format!("{}{front}", vector.nonce)).is_ok());
        assert_eq!(vector.keys().decrypt(encrypt), Err(DecryptError));
    }
}

#[test]
fn a_message_for_somebody_else_or_under_another_key_does_not_decrypt() {
    let (one, other) = (vector("O1"), vector("O4"));
    let elsewhere = keys(&one.token, &one.encoding_aes_key, "wwbridge0000demo02");
    assert!(elsewhere.verify(&one.query(), &one.encrypt));
    assert_eq!(elsewhere.decrypt(&one.encrypt), Err(DecryptError));
    let signature = other.keys().sign("1767225602", "1", &one.encrypt);
    let query = Query::parse(&format!("msg_signature={signature}&timestamp=1767225602&nonce=1")).unwrap();
    assert!(other.keys().verify(&query, &one.encrypt));
    assert_eq!(other.keys().decrypt(&one.encrypt), Err(DecryptError));
}

#[test]
fn an_envelope_without_encrypt_and_keys_of_other_lengths_are_refused() {
    let body = b"<xml><ToUserName><![CDATA[ww1]]></ToUserName><AgentID></AgentID></xml>";
    assert_eq!(Envelope::parse(body).unwrap_err().why(), "missing_encrypt");
    let vector = vector("O1");
    for key in [&vector.encoding_aes_key[..42], &format!("{}A", vector.encoding_aes_key)] {
        let keys = CallbackKeys::new(&common::Secret::new("t"), &common::Secret::new(key), "ww1");
        assert_eq!(keys.map(|_| ()), Err(KeyError::InvalidAesKey));
    }
}

#[test]
fn the_echo_string_is_read_percent_encoded_and_raw() {
    let vector = vector("O3");
    let head = "msg_signature=0bdc2a4c0219aed584804df5bcc5caea10168a0a&timestamp=1767225700&nonce=1122334455&echostr=";
    for echo in [
        "kXOc%2BbI8aOSOPZQMLyJrs8l3fbVtmMchJQrkAvQrRxvOpS1nQ8r6jLSC09%2F1hATE%2FN2YsUDOoIk1%2B3LearVoyg%3D%3D",
        "kXOc+bI8aOSOPZQMLyJrs8l3fbVtmMchJQrkAvQrRxvOpS1nQ8r6jLSC09/1hATE/N2YsUDOoIk1+3LearVoyg==",
        "kXOc%20bI8aOSOPZQMLyJrs8l3fbVtmMchJQrkAvQrRxvOpS1nQ8r6jLSC09/1hATE/N2YsUDOoIk1 3LearVoyg==",
    ] {
        let query = Query::parse(&format!("{head}{echo}")).unwrap();
        let echo = query.echostr.clone().unwrap();
        assert!(vector.keys().verify(&query, &echo));
        assert_eq!(vector.keys().decrypt(&echo).as_deref(), Ok("3894502120257093631"));
    }
}
