use super::*;

const AES_KEY: &str = "Zq3Lw8Rt5Yh2Nb7Vc0Xm4Kd9Fg6Js1Pa2Qe8Ui5Oz7B";
const CLIENT: &str = "dingabcd1234efgh5678";
const CORP: &str = "ding0000test0000corp";
/// Two of the same length, one of another, and none at all.
const OWNERS: [&str; 4] = [CLIENT, CORP, "ding5", ""];

fn keys() -> Keys {
    Keys::new(&Secret::new("BridgeTok2026A"), &Secret::new(AES_KEY)).unwrap()
}

/// Encrypts blocks as they are, sound or not.
fn raw(data: &[u8]) -> String {
    let keys = keys();
    let mut data = data.to_vec();
    let mut cipher = cbc::Encryptor::<Aes256Enc>::new((&*keys.aes_key).into(), (&*keys.iv).into());
    cipher.encrypt_blocks(Block::slice_as_chunks_mut(&mut data).0);
    STANDARD.encode(&data)
}

/// A plaintext as the protocol wants it, before encryption, with this many bytes of padding.
fn plain(length: u32, message: &[u8], owner: &str, padding: u8) -> Vec<u8> {
    let mut data = [b'r'; 16].to_vec();
    data.extend_from_slice(&length.to_be_bytes());
    data.extend_from_slice(message);
    data.extend_from_slice(owner.as_bytes());
    data.resize(data.len() + usize::from(padding), padding);
    data
}

fn message(text: &str, owner: usize) -> Result<Message, DecryptError> {
    Ok(Message { text: text.to_owned(), owner })
}

#[test]
fn it_is_found_out_whose_a_message_is() {
    for (place, owner) in OWNERS.into_iter().enumerate() {
        for length in 0..70 {
            let text: String = "中𠮷a\u{0}".chars().cycle().take(length).collect();
            let sealed = keys().encrypt(text.as_bytes(), owner, [0xfe; 16]);
            assert_eq!(STANDARD.decode(&sealed).unwrap().len() % 32, 0);
            assert_eq!(keys().decrypt(&sealed, &OWNERS), message(&text, place));
            assert_eq!(keys().decrypt(&sealed, &[owner]), message(&text, 0));
            for other in OWNERS.into_iter().filter(|other| *other != owner) {
                assert_eq!(keys().decrypt(&sealed, &[other]), Err(DecryptError));
            }
        }
    }
    let none: [&str; 0] = [];
    assert_eq!(keys().decrypt(&keys().encrypt(b"a", CORP, [1; 16]), &none), Err(DecryptError));
}

#[test]
fn a_longer_owner_beside_the_right_one_changes_nothing() {
    let longest = "x".repeat(500);
    let sealed = keys().encrypt(b"a", "ding5", [1; 16]);
    assert_eq!(keys().decrypt(&sealed, &[longest.as_str(), "ding5"]), message("a", 1));
    assert_eq!(keys().decrypt(&sealed, &[longest.as_str()]), Err(DecryptError));
}

#[test]
fn every_pad_from_1_to_32_is_read_and_none_beyond() {
    for padding in 1..=48u8 {
        // As long as it takes for the whole to be blocks of 16.
        let length = (96 - usize::from(padding) - HEAD_BYTES - CORP.len()) % 16 + 16;
        let text = "m".repeat(length);
        let sealed = raw(&plain(length as u32, text.as_bytes(), CORP, padding));
        let expected = if padding <= 32 { message(&text, 0) } else { Err(DecryptError) };
        assert_eq!(keys().decrypt(&sealed, &[CORP]), expected, "{padding}");
    }
}

#[test]
fn all_that_can_be_wrong_fails_alike_whoever_is_asked_for() {
    let text = b"{\"EventType\":\"check\"}".as_slice();
    let length = text.len() as u32;
    let padding = (32 - (HEAD_BYTES + text.len() + CORP.len()) % 32) as u8;
    let good = plain(length, text, CORP, padding);
    let last = good.len() - 1;
    let changed = |at: usize, byte: u8| {
        let mut data = good.clone();
        data[at] = byte;
        raw(&data)
    };
    let sealed = raw(&good);
    assert!(keys().decrypt(&sealed, &OWNERS).is_ok());
    let pad_of = |owner: &str| (32 - (HEAD_BYTES + text.len() + owner.len()) % 32) as u8;
    let other = |owner: &str| raw(&plain(length, text, owner, pad_of(owner)));
    let bad = [
        changed(last, 0),
        changed(last, 33),
        changed(last, 255),
        changed(last, padding + 1),
        changed(last + 1 - usize::from(padding), padding ^ 1),
        raw(&plain(length - 1, text, CORP, padding)),
        raw(&plain(length + 1, text, CORP, padding)),
        raw(&plain(u32::MAX, text, CORP, padding)),
        other("ding0000test0000corq"),
        other("DING0000TEST0000CORP"),
        other(&format!("{CORP}\0")),
        raw(&plain(4, b"\xff\xfe<\0", CORP, 20)),
        raw(&[0x20; 32]),
        raw(&[1; 32]),
        raw(&[0; 64]),
        raw(&[]),
        sealed[..sealed.len() - 1].to_owned(),
        sealed.replace('=', ""),
        format!("{sealed}\n"),
        "中文".to_owned(),
        String::new(),
    ];
    for (nth, encrypt) in bad.iter().enumerate() {
        assert_eq!(keys().decrypt(encrypt, &[CLIENT, CORP]), Err(DecryptError), "case {nth}");
    }
}

#[test]
fn a_signature_is_compared_as_a_whole() {
    let good = keys().sign("1790000000456", "Nnc8Zz01", "QUJD");
    assert!(keys().verify(&good, "1790000000456", "Nnc8Zz01", "QUJD"));
    for bad in ["", &good[1..], &good.to_uppercase(), &format!("{good}0"), "中文"] {
        assert!(!keys().verify(bad, "1790000000456", "Nnc8Zz01", "QUJD"), "{bad}");
    }
    assert!(!keys().verify(&good, "1790000000457", "Nnc8Zz01", "QUJD"));
}

#[test]
fn keys_are_refused_for_what_they_lack_and_printed_without_secrets() {
    let new = |token: &str, key: &str| Keys::new(&Secret::new(token), &Secret::new(key)).map(|_| ());
    assert_eq!(new("", AES_KEY), Err(KeyError::EmptyToken));
    for bad in ["", &AES_KEY[1..], &format!("{AES_KEY}A"), &AES_KEY.replace('Z', "_"), &AES_KEY.replace('B', "=")] {
        assert_eq!(new("t", bad), Err(KeyError::InvalidAesKey), "{bad}");
    }
    assert_eq!(format!("{:?}", keys()), "Keys { .. }");
}
