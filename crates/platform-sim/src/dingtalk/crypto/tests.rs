use super::*;

const MOMENT: Moment<'_> = Moment { timestamp: "1790000000789", nonce: "Rply0001", random16: *b"fedcba9876543210" };

fn keys() -> Keys {
    Keys::new("brgTok2026", "Qm9udFRlc3RLZXkwMTIzNDU2Nzg5YWJjZGVmZ2hpamo", "ding5").expect("good keys")
}

#[test]
fn the_official_vector_of_a_push_is_opened() {
    let keys =
        Keys::new("123456", "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij", "suite4xxxxxxxxxxxxxxx").expect("keys");
    let encrypt = "1a3NBxmCFwkCJvfoQ7WhJHB+iX3qHPsc9JbaDznE1i03peOk1LaOQoRz3+nlyGNhwmwJ3vDMG+OzrHMeiZI7gTRWVdUBmfxjZ8Ej23\
                   JVYa9VrYeJ5as7XM/ZpulX8NEQis44w53h1qAgnC3PRzM7Zc/D6Ibr0rgUathB6zRHP8PYrfgnNOS9PhSBdHlegK+AGGanfwjXuQ9+0p\
                   Zcy0w9lQ==";
    let query = "signature=5a65ceeef9aab2d149439f82dc191dd6c5cbe2c0&timestamp=1445827045067&nonce=nEXhMP4r";
    let body = json!({"encrypt": encrypt}).to_string();
    let text = open_callback(&keys, query, body.as_bytes()).expect("it opens");
    assert_eq!(
        text,
        r#"{"EventType":"check_create_suite_url","Random":"LPIdSnlF","TestSuiteKey":"suite4xxxxxxxxxxxxxxx"}"#
    );
    assert_eq!(open_callback(&keys, &query.replace("5a65", "5a66"), body.as_bytes()), None);
}

#[test]
fn the_vector_of_a_reply_is_made_and_accepted() {
    let reply = success(&keys(), &MOMENT);
    let told: Value = serde_json::from_str(&reply).expect("JSON");
    let encrypt = "9RsaO9MjThOJaSG8H/T/cFppRW1ob9BkOw+O9duHt4U0brOMLT3UPpWhHmJ6fTqqnuXe6D6w2od//+k0alAwcg==";
    assert_eq!((&told["encrypt"], &told["timeStamp"]), (&json!(encrypt), &json!("1790000000789")));
    assert_eq!(told["msg_signature"], json!("6011eda6e2cd9b75601ec30433efea2b2ca7982f"));
    assert_eq!(check_reply(&keys(), reply.as_bytes()), Ok(()));
}

#[test]
fn a_reply_with_other_names_another_word_or_another_owner_is_refused() {
    let reply = success(&keys(), &MOMENT);
    let renamed = reply.replace("timeStamp", "timestamp");
    assert_eq!(check_reply(&keys(), renamed.as_bytes()), Err(BadReply::Shape));
    assert_eq!(check_reply(&keys(), b"success"), Err(BadReply::Shape));
    let other = Keys::new("brgTok2026", "Qm9udFRlc3RLZXkwMTIzNDU2Nzg5YWJjZGVmZ2hpamo", "ding6").expect("good keys");
    assert_eq!(check_reply(&other, reply.as_bytes()), Err(BadReply::Sealed(CryptoError::ReceiveId)));
    let encrypt = keys().encrypt(b"fail", MOMENT.random16);
    let signature = keys().sign(MOMENT.timestamp, MOMENT.nonce, &encrypt);
    let word =
        json!({"msg_signature": signature, "timeStamp": MOMENT.timestamp, "nonce": MOMENT.nonce, "encrypt": encrypt});
    assert_eq!(check_reply(&keys(), word.to_string().as_bytes()), Err(BadReply::Word));
    let forged = reply.replace("6011eda6", "6011eda7");
    assert_eq!(check_reply(&keys(), forged.as_bytes()), Err(BadReply::Signature));
}

#[test]
fn a_push_carries_both_names_of_the_signature_and_is_read_by_its_receiver() {
    let sealed = seal(&keys(), "你好", &MOMENT);
    let of = |name| query::parameter(&sealed.query, name).expect("a parameter");
    assert_eq!(of("signature"), of("msg_signature"));
    assert_eq!(open_callback(&keys(), &sealed.query, sealed.body.as_bytes()).as_deref(), Some("你好"));
}
