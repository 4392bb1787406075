//! 5,100 texts that are no messages of ours, in 17 classes, each under a good signature: all 400, all alike, nothing taken over.

use std::collections::BTreeSet;

use aes::{
    Aes256Enc, Block,
    cipher::{BlockModeEncrypt, KeyIvInit},
};
use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD},
};

use super::{Chance, DIGITS, LETTERS, MALFORMED, Parts, counted, over_one_line, started, told};
use crate::bridge::{CORP, KEY, OTHER_KEY};

const EACH: usize = 300;

/// Makes the text of an `Encrypt` element.
type Class = fn(&mut Chance) -> String;

const CLASSES: [(&str, Class); 17] = [
    ("random blocks", random_blocks),
    ("less than a block of padding", too_short),
    ("no whole blocks", no_whole_blocks),
    ("blocks cut off", blocks_cut_off),
    ("no base64", no_base64),
    ("padding of 0", padding_of_nothing),
    ("padding of 33 and more", padding_too_long),
    ("uneven padding", uneven_padding),
    ("for somebody else", for_somebody_else),
    ("length too great", length_too_great),
    ("length beyond 2 GiB", length_negative),
    ("length too small", length_too_small),
    ("under another key", under_another_key),
    ("no UTF-8", no_utf8),
    ("empty", empty),
    ("no XML", no_xml),
    ("a message cut off", message_cut_off),
];

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_bad_ciphertexts_are_refused_alike() {
    let bridge = started().await;
    let answers = over_one_line(&bridge, |line| {
        let mut answers = BTreeSet::new();
        for (seed, (class, make)) in (1_000..).zip(CLASSES) {
            let mut chance = Chance::from_seed(seed);
            for _ in 0..EACH {
                let encrypt = make(&mut chance);
                let parts = Parts::signed(&mut chance, encrypt);
                let answer = line.ask(&parts.request());
                assert_eq!(answer.status, 400, "{class}: {parts:?}");
                answers.insert(answer.said);
            }
        }
        answers
    })
    .await;
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(counted(&bridge, &MALFORMED), CLASSES.len() * EACH);
    // Only what does decrypt is looked into.
    assert!(bridge.counted("undecryptable") >= 14 * EACH as u64);
    assert_eq!((bridge.counted("accepted"), bridge.depth().await), (0, 0));
    bridge.stop().await;
}

/// What the bad ones are made from is good.
#[tokio::test(flavor = "multi_thread")]
async fn every_length_of_padding_is_accepted() {
    let bridge = started().await;
    let lengths = over_one_line(&bridge, |line| {
        let mut lengths = BTreeSet::new();
        for more in 0..32 {
            // The same message each time.
            let mut chance = Chance::from_seed(2_000);
            let plain = Plain::of(&mut chance, |text| text + &" ".repeat(more));
            lengths.insert(plain.padding_needed());
            let parts = Parts::signed(&mut chance, plain.sealed());
            let answer = line.ask(&parts.request());
            assert_eq!((answer.status, answer.body.as_str()), (200, "success"), "{more} more: {parts:?}");
        }
        lengths
    })
    .await;
    assert_eq!(lengths, (1..=32).collect());
    assert_eq!(bridge.depth().await, 32);
    bridge.stop().await;
}

/// What is encrypted, without its padding.
struct Plain {
    random: [u8; 16],
    length: u32,
    message: Vec<u8>,
    receive_id: String,
}

impl Plain {
    fn good(chance: &mut Chance) -> Self {
        Self::of(chance, |text| text)
    }

    /// Sound but for the message, which is made of a good one.
    fn of<T: Into<Vec<u8>>>(chance: &mut Chance, change: impl FnOnce(String) -> T) -> Self {
        let message: Vec<u8> = change(told(chance)).into();
        let length = u32::try_from(message.len()).unwrap();
        Self { random: chance.sixteen(), length, message, receive_id: CORP.to_owned() }
    }

    fn content(&self) -> Vec<u8> {
        let length = self.length.to_be_bytes();
        [self.random.as_slice(), &length, &self.message, self.receive_id.as_bytes()].concat()
    }

    fn padding_needed(&self) -> usize {
        32 - self.content().len() % 32
    }

    fn padding(&self) -> Vec<u8> {
        vec![self.padding_needed() as u8; self.padding_needed()]
    }

    fn sealed(&self) -> String {
        self.padded_with(&self.padding())
    }

    fn padded_with(&self, padding: &[u8]) -> String {
        encrypted(KEY, [self.content().as_slice(), padding].concat())
    }
}

/// Encrypts whole blocks as they are, sound or not.
fn encrypted(aes_key: &str, mut blocks: Vec<u8>) -> String {
    const LENIENT: GeneralPurpose =
        GeneralPurpose::new(&alphabet::STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));
    let key = LENIENT.decode(aes_key).unwrap();
    let mut cipher = cbc::Encryptor::<Aes256Enc>::new_from_slices(&key, &key[..16]).unwrap();
    cipher.encrypt_blocks(Block::slice_as_chunks_mut(&mut blocks).0);
    STANDARD.encode(&blocks)
}

fn random_blocks(chance: &mut Chance) -> String {
    let length = 32 * chance.between(1, 20);
    STANDARD.encode(chance.bytes(length))
}

fn too_short(chance: &mut Chance) -> String {
    let length = chance.between(1, 31);
    STANDARD.encode(chance.bytes(length))
}

fn no_whole_blocks(chance: &mut Chance) -> String {
    let mut data = STANDARD.decode(Plain::good(chance).sealed()).unwrap();
    let by = chance.between(1, 15);
    if chance.below(2) == 0 {
        data.truncate(data.len() - by)
    } else {
        data.extend(chance.bytes(by))
    }
    STANDARD.encode(data)
}

fn blocks_cut_off(chance: &mut Chance) -> String {
    let data = STANDARD.decode(Plain::good(chance).sealed()).unwrap();
    let cut = 16 * chance.between(1, data.len() / 16 - 1);
    STANDARD.encode(if chance.below(2) == 0 { &data[cut..] } else { &data[..data.len() - cut] })
}

fn no_base64(chance: &mut Chance) -> String {
    let text = Plain::good(chance).sealed();
    let (front, back) = text.split_at(chance.between(1, text.len() - 1));
    match chance.below(4) {
        0 => format!("{text}A"),
        1 => format!("{text}===="),
        2 => format!("{front}={back}"),
        _ => format!("{front}{}{back}", chance.text(b"!*-_.:,;()%$~@# \t", 1)),
    }
}

fn padding_of_nothing(chance: &mut Chance) -> String {
    let plain = Plain::good(chance);
    let mut padding = plain.padding();
    match chance.below(2) {
        0 => padding.fill(0),
        _ => padding.extend([0; 32]),
    }
    plain.padded_with(&padding)
}

fn padding_too_long(chance: &mut Chance) -> String {
    let plain = Plain::good(chance);
    let mut padding = plain.padding();
    match chance.below(2) {
        // All alike, and as many as they say.
        0 => padding = vec![padding.len() as u8 + 32; padding.len() + 32],
        _ => *padding.last_mut().unwrap() = chance.between(33, 255) as u8,
    }
    plain.padded_with(&padding)
}

fn uneven_padding(chance: &mut Chance) -> String {
    let mut plain = Plain::good(chance);
    while plain.padding_needed() == 1 {
        plain = Plain::good(chance);
    }
    let mut padding = plain.padding();
    let at = chance.below(padding.len() - 1);
    padding[at] ^= chance.between(1, 255) as u8;
    plain.padded_with(&padding)
}

fn for_somebody_else(chance: &mut Chance) -> String {
    let letter = chance.text(LETTERS, 1);
    let receive_id = match chance.below(8) {
        0 => String::new(),
        1 => CORP[..chance.between(1, CORP.len() - 1)].to_owned(),
        2 => CORP[chance.between(1, CORP.len() - 1)..].to_owned(),
        3 => format!("{CORP}{letter}"),
        4 => format!("{letter}{CORP}"),
        5 => format!("{CORP}\0"),
        6 => CORP.to_uppercase(),
        _ => format!("ww{}", chance.text(DIGITS, CORP.len() - 2)),
    };
    Plain { receive_id, ..Plain::good(chance) }.sealed()
}

fn length_too_great(chance: &mut Chance) -> String {
    let plain = Plain::good(chance);
    let length = plain.length + chance.between(1, 100_000) as u32;
    Plain { length, ..plain }.sealed()
}

fn length_negative(chance: &mut Chance) -> String {
    let length = match chance.below(3) {
        0 => u32::MAX - chance.below(100) as u32,
        1 => 1 << 31,
        _ => u32::MAX - chance.below(1 << 31) as u32,
    };
    Plain { length, ..Plain::good(chance) }.sealed()
}

fn length_too_small(chance: &mut Chance) -> String {
    let plain = Plain::good(chance);
    let length = if chance.below(4) == 0 { 0 } else { chance.below(plain.message.len()) as u32 };
    Plain { length, ..plain }.sealed()
}

fn under_another_key(chance: &mut Chance) -> String {
    let plain = Plain::good(chance);
    let own = chance.text(LETTERS, 43);
    encrypted(chance.pick(&[OTHER_KEY, &own]), [plain.content(), plain.padding()].concat())
}

fn no_utf8(chance: &mut Chance) -> String {
    let broken = chance.pick(&[
        b"\xff".as_slice(),
        b"\x80",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
        b"\xe4\xb8",
        b"\xd6\xd0\xce\xc4",
    ]);
    let place = chance.below(100);
    let insert = |text: String| {
        let (front, back) = text.as_bytes().split_at(text.len() * place / 100);
        [front, broken, back].concat()
    };
    Plain::of(chance, insert).sealed()
}

fn empty(chance: &mut Chance) -> String {
    let nothing = chance.pick(&["", " ", "\n", "\t \r\n", "\u{feff}", "\u{feff} \n", "\0"]);
    Plain::of(chance, |_| nothing).sealed()
}

fn no_xml(chance: &mut Chance) -> String {
    let start = chance.pick(&[
        "", "plain ", "1", "[1", "null ", "\"", "a=1&b=", "- a: ", "<", "<a>", "</a>", "<?", "{", "{\"a\":", "成员",
    ]);
    let length = chance.between(1, 200);
    let rest = chance.text(LETTERS, length);
    Plain::of(chance, |_| format!("{start}{rest}")).sealed()
}

fn message_cut_off(chance: &mut Chance) -> String {
    let place = chance.below(100);
    Plain::of(chance, |text| text.as_bytes()[..text.len() * place / 100].to_vec()).sealed()
}
