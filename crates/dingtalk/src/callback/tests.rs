use proptest::prelude::*;

use super::*;

/// A vector of reference dingtalk 2.8.
struct Vector {
    aes_key: &'static str,
    token: &'static str,
    owner: &'static str,
    timestamp: &'static str,
    nonce: &'static str,
    random16: &'static [u8; 16],
    signature: &'static str,
    encrypt: &'static str,
    message: &'static str,
}

/// Official: a message with 22 bytes of padding.
const A: Vector = Vector {
    aes_key: "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij",
    token: "123456",
    owner: "suite4xxxxxxxxxxxxxxx",
    timestamp: "1445827045067",
    nonce: "nEXhMP4r",
    random16: b"hU3bEfGZZewzhG5a",
    signature: "5a65ceeef9aab2d149439f82dc191dd6c5cbe2c0",
    encrypt: "1a3NBxmCFwkCJvfoQ7WhJHB+iX3qHPsc9JbaDznE1i03peOk1LaOQoRz3+nlyGNhwmwJ3vDMG+OzrHMeiZI7gTRWVdUBmfxjZ8Ej23JVYa9VrYeJ5as7XM/ZpulX8NEQis44w53h1qAgnC3PRzM7Zc/D6Ibr0rgUathB6zRHP8PYrfgnNOS9PhSBdHlegK+AGGanfwjXuQ9+0pZcy0w9lQ==",
    message: r#"{"EventType":"check_create_suite_url","Random":"LPIdSnlF","TestSuiteKey":"suite4xxxxxxxxxxxxxxx"}"#,
};

/// Official: the answer `success`, under a key with trailing bits.
const B: Vector = Vector {
    aes_key: "1234567890123456789012345678901234567890123",
    token: "123456",
    owner: "dingsnotzck6pm5veliw",
    timestamp: "1614767836",
    nonce: "A7Co0cJLMzIDtMMI",
    random16: b"dICkEDLj0eb6yAbc",
    signature: "9a95a004dd16f5c307e849b994173f76aa26e5eb",
    encrypt: "YvkvaGe4hQxd3VxRmEty0dVlnCOAqwf56xwTRHDHoOURqhalbmBJQk5FNcRk42Gl5T0YQXZNwpwWSm1xAFJ5ZA==",
    message: "success",
};

/// A push with Chinese in it.
const C: Vector = Vector {
    aes_key: "Qm9udFRlc3RLZXkwMTIzNDU2Nzg5YWJjZGVmZ2hpamo",
    token: "brgTok2026",
    owner: "dingabcd1234efgh5678",
    timestamp: "1790000000456",
    nonce: "Nnc8Zz01",
    random16: b"0123456789abcdef",
    signature: "da12cd453c008301faab13ce41eacc91415a5ee5",
    encrypt: "3nDATGz4DQ3mPUoIbJktt6ik3YYFRxvotnd8p1wU2UQovhVwe0p0OQfefcdbT2I/YIagqZGhbclLsgow6Xc6dJN5Kx7TiX/cr8fRCrJVMCaLNNuUrXuZXbYoSk/WcV4dVQIG72wtzDVpn7D+baFmqAnwYB2bNcA/BssAzGl4lANJCnXyHEfep6owOKQilo5EoZqSmYGlOAxNsjYFa+eNrxGy5+KmndUU65K0nnHXXyorC1vdgkN4euwSSsAXPPKpj7r/MhS7uUYG/tDY3d3h1xSLNb9GgP+dKP/s3qjecwOmEkJgZp6sORnRwO/7bfvrJZ3LuHn9FPIjDiFp7Ye/sy6jKaHUEHbmjs7hxYM6qoQIJEKl6XGlbaNayMv5Il5dW0AkMx5Ff1L96nuHegnUpntNlvrW5g+0whrH9ZGwb9aduzUzOfWWYK9IYnkNngsNG2QN8qX0+IdpzxWMEedrjEciaoXIzM27Km7rzQ3/nLoB/9u1Hrg0QkR4mO9qrMv2v+w5Lg5dgMS3hYXmA6OgMfzQL05wmSUejsJM9cevgI6YzR0nkQd/tWPaQbuiNSxjr+t8Oz2dXR0PCK9s75XPYXdzwL2awdAF+TkzMir/04nWaYNaTa8zaC125uOafV8Hdkh6zXZbcNHniiwRjh1tjYQ2YMQQhbsSMCPNftQxIM0=",
    message: r#"{"EventType":"bpms_instance_change","EventTime":1790000000123,"CorpId":"ding0000test0000corp","BizId":"1790000000001","eventId":"0f1e2d3c4b5a69788796a5b4c3d2e1f0","processInstanceId":"Tst-ProcInst-0001","processCode":"PROC-TEST-0001","bizCategoryId":"attendance.supply","businessId":"202609210001000000001","type":"finish","result":"agree","title":"张三提交的补卡申请","staffId":"user0001","createTime":1789999000000,"finishTime":1790000000000}"#,
};

/// An answer with 32 bytes of padding.
const D: Vector = Vector {
    aes_key: "Qm9udFRlc3RLZXkwMTIzNDU2Nzg5YWJjZGVmZ2hpamo",
    token: "brgTok2026",
    owner: "ding5",
    timestamp: "1790000000789",
    nonce: "Rply0001",
    random16: b"fedcba9876543210",
    signature: "6011eda6e2cd9b75601ec30433efea2b2ca7982f",
    encrypt: "9RsaO9MjThOJaSG8H/T/cFppRW1ob9BkOw+O9duHt4U0brOMLT3UPpWhHmJ6fTqqnuXe6D6w2od//+k0alAwcg==",
    message: "success",
};

impl Vector {
    fn keys(&self) -> CallbackKeys {
        keys(self.token, self.aes_key, &["dingsomebodyelse0000", self.owner])
    }

    fn query(&self) -> Query {
        let Self { signature, timestamp, nonce, .. } = self;
        Query::parse(&format!("signature={signature}&timestamp={timestamp}&nonce={nonce}")).unwrap()
    }
}

fn keys(token: &str, aes_key: &str, owners: &[&str]) -> CallbackKeys {
    CallbackKeys::new(&Secret::new(token), &Secret::new(aes_key), owners).unwrap()
}

#[test]
fn the_vectors_of_the_reference_are_opened_and_written() {
    for vector in [A, B, C, D] {
        let keys = vector.keys();
        let push = keys.open(&vector.query(), vector.encrypt, vector.query().at(), 300).unwrap();
        assert_eq!((push.text.as_str(), push.owner.as_str()), (vector.message, vector.owner));
        assert_eq!(keys.encrypt(vector.message.as_bytes(), vector.owner, *vector.random16), vector.encrypt);
        assert_eq!(keys.sign(vector.timestamp, vector.nonce, vector.encrypt), vector.signature);
    }
}

#[test]
fn the_reply_of_the_reference_is_written_to_the_letter() {
    let reply = D.keys().reply("ding5", UnixMillis(1_790_000_000_789), D.nonce, *D.random16);
    let expected = format!(
        r#"{{"msg_signature":"{}","timeStamp":"1790000000789","nonce":"Rply0001","encrypt":"{}"}}"#,
        D.signature, D.encrypt
    );
    assert_eq!(reply, expected);
}

#[test]
fn what_is_wrong_is_refused_in_this_order() {
    let (query, now) = (C.query(), C.query().at());
    let forged = Query { signature: C.signature.replace('d', "e"), ..query.clone() };
    let much_later = now.plus_seconds(301);
    assert_eq!(C.keys().open(&forged, C.encrypt, much_later, 300), Err(Refusal::BAD_SIGNATURE));
    assert_eq!(C.keys().open(&query, C.encrypt, much_later, 300), Err(Refusal::STALE));
    assert!(C.keys().open(&query, C.encrypt, much_later, 0).is_ok());
    let stranger = keys(C.token, C.aes_key, &["dingsomebodyelse0000"]);
    assert_eq!(stranger.open(&query, C.encrypt, now, 300).unwrap_err().why(), "undecryptable");
    assert!(matches!(stranger.open(&query, C.encrypt, now, 300), Err(Refusal::Malformed { .. })));
    let nobody = keys(C.token, C.aes_key, &["", ""]);
    assert_eq!(nobody.decrypt(C.encrypt), Err(DecryptError));
    let unowned = C.keys().encrypt(b"{}", "", [1; 16]);
    assert_eq!(nobody.decrypt(&unowned), Err(DecryptError), "nobody's name is no name");
}

#[test]
fn nothing_secret_is_printed() {
    let keys = format!("{:?}", C.keys());
    assert_eq!(keys, r#"CallbackKeys { owners: ["dingsomebodyelse0000", "dingabcd1234efgh5678"], .. }"#);
    let push = C.keys().decrypt(C.encrypt).unwrap();
    assert_eq!(format!("{push:?}"), r#"Push { owner: "dingabcd1234efgh5678", .. }"#);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn whatever_is_sent_comes_back(text in "\\PC{0,200}", owner in "[a-z0-9]{1,40}", random16: [u8; 16]) {
        let keys = keys(C.token, C.aes_key, &["dingabcd1234efgh5678", &owner]);
        let push = keys.decrypt(&keys.encrypt(text.as_bytes(), &owner, random16)).unwrap();
        prop_assert_eq!((push.text, push.owner), (text, owner));
    }

    #[test]
    fn nothing_that_is_sent_makes_a_panic(text in "\\PC*", base64 in "[A-Za-z0-9+/]{0,200}={0,2}") {
        for encrypt in [&text, &base64] {
            prop_assert!(C.keys().decrypt(encrypt).is_err());
        }
        drop((Envelope::parse(text.as_bytes()), Query::parse(&text)));
    }
}
