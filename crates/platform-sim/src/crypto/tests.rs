use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Vector {
    id: String,
    token: String,
    encoding_aes_key: String,
    receive_id: String,
    timestamp: String,
    nonce: String,
    random16_hex: String,
    encrypt: String,
    msg_signature: String,
    plaintext: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors.json")).expect("the vectors are JSON")
}

fn vector(id: &str) -> Vector {
    vectors().into_iter().find(|vector| vector.id == id).expect("a known vector")
}

fn keys(vector: &Vector) -> Keys {
    Keys::new(&vector.token, &vector.encoding_aes_key, &vector.receive_id).expect("good keys")
}

#[test]
fn the_published_vectors_hold_in_both_directions() {
    for vector in vectors() {
        let keys = keys(&vector);
        assert_eq!(keys.sign(&vector.timestamp, &vector.nonce, &vector.encrypt), vector.msg_signature, "{}", vector.id);
        let message = keys.decrypt(&vector.encrypt).expect("decryptable");
        assert_eq!(String::from_utf8(message).expect("UTF-8"), vector.plaintext, "{}", vector.id);
        let random16: [u8; 16] = hex::decode(&vector.random16_hex).expect("hex").try_into().expect("16 bytes");
        assert_eq!(keys.encrypt(vector.plaintext.as_bytes(), random16), vector.encrypt, "{}", vector.id);
    }
}

#[test]
fn every_padding_length_survives() {
    let keys = Keys::new("t", &random_aes_key(3), "wwcorp").expect("good keys");
    let mut random = StdRng::seed_from_u64(1);
    for length in 0..=70 {
        let message = vec![b'x'; length];
        let encrypted = keys.encrypt(&message, random16(&mut random));
        assert_eq!(keys.decrypt(&encrypted).expect("decryptable"), message);
    }
}

#[test]
fn generated_keys_are_accepted_whatever_their_last_character() {
    for seed in 0..200 {
        Keys::new("t", &random_aes_key(seed), "r").expect("43 letters and digits");
    }
}

#[test]
fn wrong_keys_receivers_and_shapes_are_refused() {
    let first = vector("O1");
    let other = vector("O4");
    let stranger = Keys::new(&first.token, &first.encoding_aes_key, "wwbridge0000demo02").expect("good keys");
    assert_eq!(stranger.decrypt(&first.encrypt), Err(CryptoError::ReceiveId));
    assert!(keys(&other).decrypt(&first.encrypt).is_err());
    assert_eq!(keys(&first).decrypt("%%%"), Err(CryptoError::Base64));
    assert_eq!(keys(&first).decrypt(""), Err(CryptoError::Decrypt));
    assert_eq!(Keys::new("t", "short", "r").err(), Some(CryptoError::Key));
    assert!(!keys(&first).verify("00", &first.timestamp, &first.nonce, &first.encrypt));
}

#[test]
fn the_sixteen_random_bytes_are_sometimes_text_and_sometimes_not() {
    let mut random = StdRng::seed_from_u64(9);
    let printable = (0..100).filter(|_index| random16(&mut random).iter().all(u8::is_ascii_alphanumeric)).count();
    assert!((20..80).contains(&printable));
}
