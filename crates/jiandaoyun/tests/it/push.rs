//! Pushes, against the vectors of reference jiandaoyun 11.

use common::{Secret, UnixMillis};
use jiandaoyun::{
    Refusal,
    push::{Headers, Push, sign, verify},
};
use proptest::{prelude::*, test_runner::RngSeed};

/// Secret, nonce, timestamp, body, signature.
type Vector = (&'static str, &'static str, &'static str, &'static str, &'static str);

const VECTORS: [Vector; 2] = [
    (
        "test-secret",
        "0f5ade",
        "1498586609",
        r#"{"op":"data_create","data":{}}"#,
        "1457e6b79d7c7fed8c46aecf197d7436b8943ebc",
    ),
    (
        "jdy-secret",
        "a1b2c3",
        "1778575510",
        r#"{"op":"data_update","opTime":1778575509018,"data":{"_id":"69d8ab62d78c62093e724f25","name":"张三","flowState":1}}"#,
        "083e2cccd1f55c1bfda6d885b708d118419da61a",
    ),
];

const NOW: UnixMillis = UnixMillis::from_seconds(1_778_575_520);

fn open(query: &str, body: &[u8], signature: Option<&str>) -> Result<Push, Refusal> {
    let headers = Headers { signature, deliver_id: Some("72d3162e-cc78-11e3-81ab-4c9367dc0958") };
    verify(&Secret::new("jdy-secret"), query, body, headers, NOW, 300)
}

/// Opens a body that is signed well.
fn opened(body: &str) -> Push {
    let signature = sign(&Secret::new("jdy-secret"), "1778575510", "a1b2c3", body.as_bytes());
    open("timestamp=1778575510&nonce=a1b2c3", body.as_bytes(), Some(&signature)).unwrap()
}

#[test]
fn the_vectors_of_the_reference_are_verified() {
    for (secret, nonce, timestamp, body, signature) in VECTORS {
        let secret = Secret::new(secret);
        assert_eq!(sign(&secret, timestamp, nonce, body.as_bytes()), signature);
        let query = format!("timestamp={timestamp}&nonce={nonce}");
        let now = UnixMillis::from_seconds(timestamp.parse().unwrap());
        for header in [signature.to_owned(), format!("sha1={signature}"), format!(" {signature} ")] {
            let headers = Headers { signature: Some(&header), deliver_id: None };
            assert!(verify(&secret, &query, body.as_bytes(), headers, now, 300).is_ok(), "{header}");
        }
    }
}

#[test]
fn a_push_names_the_record_to_look_at() {
    let data = r#""data":{"_id":"69d8ab62d78c62093e724f25","appId":"64a0c0ffee000000000000aa","entryId":"64a0c0ffee000000000000bb"}"#;
    for (op, is_there) in [
        ("data_create", true),
        ("data_update", true),
        ("data_recover", true),
        ("data_remove", false),
        ("something_new", false),
    ] {
        let push = opened(&format!(r#"{{"op":"{op}","opTime":1,{data}}}"#));
        let form = push.form.clone().unwrap();
        assert_eq!((push.op.as_str(), form.entry_id.as_str()), (op, "64a0c0ffee000000000000bb"));
        assert_eq!(push.deliver_id.as_deref(), Some("72d3162e-cc78-11e3-81ab-4c9367dc0958"));
        assert_eq!(push.record(), is_there.then_some((&form, "69d8ab62d78c62093e724f25")), "{op}");
    }
}

#[test]
fn whatever_is_well_signed_is_a_push() {
    for body in [
        "",
        "test",
        "null",
        "[]",
        "{}",
        r#"{"op":7,"data":"x"}"#,
        r#"{"op":"data_update","data":{"_id":"../x","appId":"a","entryId":"b"}}"#,
        r#"{"op":"form_update","data":{"name":"入职","widgets":[]}}"#,
        r#"{"op":"a b\n","data":null}"#,
        &"[".repeat(100_000),
    ] {
        let push = opened(body);
        assert_eq!((push.form.clone(), push.record_id.clone(), push.record()), (None, None, None), "{body}");
        assert!(push.op.is_empty() || push.op.starts_with("data_") || push.op == "form_update");
    }
}

#[test]
fn what_is_missing_misshapen_wrong_or_old_is_refused() {
    let (_, _, _, body, signature) = VECTORS[1];
    let query = "timestamp=1778575510&nonce=a1b2c3&x=1";
    let why =
        |query: &str, body: &str, signature: Option<&str>| open(query, body.as_bytes(), signature).unwrap_err().why();
    assert!(open(query, body.as_bytes(), Some(signature)).is_ok());
    assert_eq!(why(query, body, None), "missing_signature");
    for odd in ["", "x", &signature[1..], &format!("{signature}0"), "sha1=sha1="] {
        assert_eq!(why(query, body, Some(odd)), "misshapen_signature", "{odd}");
    }
    assert_eq!(why("nonce=a1b2c3", body, Some(signature)), "missing_parameter");
    assert_eq!(why("timestamp=1778575510", body, Some(signature)), "missing_parameter");
    assert_eq!(why(&format!("{query}&nonce=a1b2c3"), body, Some(signature)), "doubled_parameter");
    for timestamp in ["", "177857551", "1778575510000", "177857551x"] {
        let query = format!("timestamp={timestamp}&nonce=a1b2c3");
        assert_eq!(why(&query, body, Some(signature)), "misshapen_timestamp", "{timestamp}");
    }
    assert_eq!(why("timestamp=1778575510&nonce=a%3Ab", body, Some(signature)), "misshapen_nonce");
    let stale = Headers { signature: Some(signature), deliver_id: None };
    let later = NOW.plus_seconds(300);
    let secret = Secret::new("jdy-secret");
    assert_eq!(verify(&secret, query, body.as_bytes(), stale, later, 300), Err(Refusal::STALE));
    assert!(verify(&secret, query, body.as_bytes(), stale, later, 0).is_ok());
    for wrong in [Secret::new("jdy-Secret"), Secret::default()] {
        assert_eq!(verify(&wrong, query, body.as_bytes(), stale, NOW, 300), Err(Refusal::BAD_SIGNATURE));
    }
}

#[test]
fn without_a_secret_nobody_can_sign() {
    let none = Secret::default();
    let signature = sign(&none, "1778575510", "a1b2c3", b"{}");
    let headers = Headers { signature: Some(&signature), deliver_id: None };
    let result = verify(&none, "timestamp=1778575510&nonce=a1b2c3", b"{}", headers, NOW, 0);
    assert_eq!(result, Err(Refusal::BAD_SIGNATURE));
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(7), ..ProptestConfig::with_cases(300) })]

    #[test]
    fn one_other_byte_is_noticed(place in any::<prop::sample::Index>(), change in 1_u8..=255) {
        let (_, _, _, body, signature) = VECTORS[1];
        let mut body = body.as_bytes().to_vec();
        let place = place.index(body.len());
        body[place] ^= change;
        let result = open("timestamp=1778575510&nonce=a1b2c3", &body, Some(signature));
        prop_assert_eq!(result, Err(Refusal::BAD_SIGNATURE));
    }

    #[test]
    fn nothing_panics_on_what_comes_in(query in ".{0,80}", body in prop::collection::vec(any::<u8>(), 0..80), signature in ".{0,50}", id in ".{0,80}") {
        let headers = Headers { signature: Some(&signature), deliver_id: Some(&id) };
        prop_assert!(verify(&Secret::new("jdy-secret"), &query, &body, headers, NOW, 300).is_err());
        let signature = sign(&Secret::new("jdy-secret"), "1778575510", "a1b2c3", &body);
        let headers = Headers { signature: Some(&signature), deliver_id: Some(&id) };
        let push = verify(&Secret::new("jdy-secret"), "timestamp=1778575510&nonce=a1b2c3", &body, headers, NOW, 300);
        prop_assert!(push.is_ok());
    }
}
