//! 2,700 bad signatures in 27 classes: all 401, all alike, nothing taken over.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use platform_sim::Keys;

use super::{Chance, DIGITS, HEX, LETTERS, Parts, STALE, UNAUTHORISED, counted, over_one_line, started, told};
use crate::{
    bridge::{CORP, KEY, NOW, OTHER_KEY, PATH, TOKEN},
    client::Request,
};

const EACH: usize = 100;

/// Makes a bad request of the parts of a good one.
type Class = fn(&mut Chance, &Parts) -> Request;

const CLASSES: [(&str, Class); 27] = [
    ("a stranger's token", strange_token),
    ("nearly our token", nearly_our_token),
    ("another tenant's token", other_token),
    ("another tenant's request", of_another_tenant),
    ("sent to another tenant", to_another_tenant),
    ("cut short", cut_short),
    ("longer", longer),
    ("in upper case", upper_case),
    ("one letter in upper case", one_letter_in_upper_case),
    ("one digit changed", one_digit_changed),
    ("two digits exchanged", two_digits_exchanged),
    ("in another encoding", otherwise_encoded),
    ("random digits", random_digits),
    ("not hexadecimal", not_hexadecimal),
    ("blank", blank),
    ("not ASCII", not_ascii),
    ("NUL", with_nul),
    ("not UTF-8", not_utf8),
    ("very long", very_long),
    ("a parameter twice", a_parameter_twice),
    ("a parameter missing", a_parameter_missing),
    ("values exchanged", values_exchanged),
    ("another timestamp", another_timestamp),
    ("another nonce", another_nonce),
    ("another text", another_text),
    ("borders moved", borders_moved),
    ("elsewhere", elsewhere),
];

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_bad_signatures_are_refused_alike() {
    let bridge = started().await;
    let (answers, good) = over_one_line(&bridge, |line| {
        let (mut answers, mut good) = (BTreeSet::new(), Vec::new());
        for (seed, (class, spoilt)) in (1..).zip(CLASSES) {
            let mut chance = Chance::from_seed(seed);
            let mut last = None;
            for _ in 0..EACH {
                let parts = Parts::good(&mut chance);
                let request = spoilt(&mut chance, &parts);
                let answer = line.ask(&request);
                assert_eq!(answer.status, 401, "{class}: {:.300} of {parts:?}", request.target);
                answers.insert(answer.said);
                last = Some(parts);
            }
            good.extend(last);
        }
        (answers, good)
    })
    .await;
    assert_eq!(answers.len(), 1, "{answers:?}");
    let known = [UNAUTHORISED.as_slice(), &STALE].concat();
    assert_eq!(counted(&bridge, &known), CLASSES.len() * EACH);
    assert_eq!((counted(&bridge, &["undecryptable", "accepted"]), bridge.depth().await), (0, 0));
    // What these were made from was good.
    let count = good.len() as u64;
    over_one_line(&bridge, move |line| {
        for parts in good {
            let answer = line.ask(&parts.request());
            assert_eq!((answer.status, answer.body.as_str()), (200, "success"));
        }
    })
    .await;
    assert_eq!(bridge.depth().await, count);
    bridge.stop().await;
}

fn claiming(parts: &Parts, signature: &str) -> Request {
    Parts { signature: signature.to_owned(), ..parts.clone() }.request()
}

fn signed_under(token: &str, parts: &Parts) -> Request {
    let keys = Keys::new(token, KEY, CORP).unwrap();
    claiming(parts, &keys.sign(&parts.timestamp, &parts.nonce, &parts.encrypt))
}

fn strange_token(chance: &mut Chance, parts: &Parts) -> Request {
    let length = chance.between(1, 32);
    signed_under(&chance.text(LETTERS, length), parts)
}

fn nearly_our_token(chance: &mut Chance, parts: &Parts) -> Request {
    let extra = chance.text(LETTERS, 1);
    let token = match chance.below(7) {
        0 => format!("{TOKEN}{extra}"),
        1 => format!("{extra}{TOKEN}"),
        2 => TOKEN[..chance.below(TOKEN.len())].to_owned(),
        3 => TOKEN.to_lowercase(),
        4 => TOKEN.to_uppercase(),
        5 => TOKEN.repeat(2),
        _ => TOKEN.chars().rev().collect(),
    };
    signed_under(&token, parts)
}

fn other_token(_: &mut Chance, parts: &Parts) -> Request {
    signed_under("OtherToken", parts)
}

fn of_another_tenant(chance: &mut Chance, _: &Parts) -> Request {
    let theirs = Keys::new("OtherToken", OTHER_KEY, CORP).unwrap();
    let encrypt = theirs.encrypt(told(chance).as_bytes(), chance.sixteen());
    Parts::signed_with(&theirs, chance, encrypt, NOW).request()
}

fn to_another_tenant(chance: &mut Chance, parts: &Parts) -> Request {
    let other = chance.pick(&["globex", "quiet", "nobody", "ACME", "acme%20", "acme/"]);
    let request = parts.request();
    Request { target: request.target.replace("/acme?", &format!("/{other}?")), ..request }
}

fn cut_short(chance: &mut Chance, parts: &Parts) -> Request {
    claiming(parts, &parts.signature[..chance.between(1, 39)])
}

fn longer(chance: &mut Chance, parts: &Parts) -> Request {
    let length = chance.between(1, 40);
    claiming(parts, &format!("{}{}", parts.signature, chance.text(HEX, length)))
}

fn upper_case(_: &mut Chance, parts: &Parts) -> Request {
    claiming(parts, &parts.signature.to_uppercase())
}

fn one_letter_in_upper_case(chance: &mut Chance, parts: &Parts) -> Request {
    let letters: Vec<usize> = parts.signature.match_indices(char::is_alphabetic).map(|(at, _)| at).collect();
    let at = chance.pick(&letters);
    let letter = parts.signature[at..=at].to_uppercase();
    claiming(parts, &with_character(&parts.signature, at, &letter))
}

fn one_digit_changed(chance: &mut Chance, parts: &Parts) -> Request {
    let at = chance.below(40);
    let others: Vec<u8> = HEX.iter().copied().filter(|digit| *digit != parts.signature.as_bytes()[at]).collect();
    claiming(parts, &with_character(&parts.signature, at, &chance.text(&others, 1)))
}

fn two_digits_exchanged(chance: &mut Chance, parts: &Parts) -> Request {
    let mut digits: Vec<char> = parts.signature.chars().collect();
    let one = chance.below(40);
    let others: Vec<usize> = (0..40).filter(|at| digits[*at] != digits[one]).collect();
    digits.swap(one, chance.pick(&others));
    claiming(parts, &digits.into_iter().collect::<String>())
}

fn otherwise_encoded(chance: &mut Chance, parts: &Parts) -> Request {
    let signature = &parts.signature;
    let pairs: Vec<&str> = (0..20).map(|at| &signature[2 * at..2 * at + 2]).collect();
    let digest: Vec<u8> = pairs.iter().map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    let encoded = match chance.below(7) {
        0 => STANDARD.encode(&digest),
        1 => STANDARD.encode(signature),
        2 => format!("0x{signature}"),
        3 => pairs.join(":"),
        4 => digest.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        // What is percent-encoded twice comes out percent-encoded.
        5 => signature.bytes().map(|byte| format!("%25{byte:02x}")).collect(),
        _ => digest.iter().map(|byte| format!("%{byte:02x}")).collect(),
    };
    claiming(parts, &encoded)
}

fn random_digits(chance: &mut Chance, parts: &Parts) -> Request {
    claiming(parts, &chance.text(HEX, 40))
}

fn not_hexadecimal(chance: &mut Chance, parts: &Parts) -> Request {
    let (at, character) = (chance.below(40), chance.text(b"ghijklmnopqrstuvwxyz-_.~!*'()", 1));
    claiming(parts, &with_character(&parts.signature, at, &character))
}

fn blank(chance: &mut Chance, parts: &Parts) -> Request {
    let piece = chance.pick(&["", "%20", "+", "%09", "%0d%0a", "-", "0", "null", "undefined", "%3f"]);
    let count = chance.pick(&[1, 2, 10, 40]);
    claiming(parts, &piece.repeat(if piece == "0" { 39 } else { count }))
}

fn not_ascii(chance: &mut Chance, parts: &Parts) -> Request {
    let at = chance.below(40);
    let text: String = match chance.below(5) {
        // The same digits in full width.
        0 => parts.signature.chars().filter_map(|digit| char::from_u32(u32::from(digit) + 0xfee0)).collect(),
        1 => with_character(&parts.signature, at, "\u{430}"),
        2 => with_character(&parts.signature, at, "中"),
        3 => format!("{}\u{200b}{}", &parts.signature[..at], &parts.signature[at..]),
        // 40 bytes.
        _ => format!("{}a", "中".repeat(13)),
    };
    claiming(parts, &text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>())
}

fn with_nul(chance: &mut Chance, parts: &Parts) -> Request {
    let at = chance.below(40);
    let (front, back) = parts.signature.split_at(at);
    let signature = match chance.below(3) {
        0 => with_character(&parts.signature, at, "%00"),
        1 => format!("{front}%00{back}"),
        _ => format!("{}{}", parts.signature, "%00".repeat(at + 1)),
    };
    claiming(parts, &signature)
}

fn not_utf8(chance: &mut Chance, parts: &Parts) -> Request {
    let bytes = chance.pick(&["%ff", "%fe%ff", "%c0%b0", "%ed%a0%80", "%80", "%f5%80%80%80", "%e4%b8"]);
    let at = chance.below(40);
    let signature = with_character(&parts.signature, at, bytes);
    match chance.below(3) {
        0 => parts.asked(&parts.query().replace("nonce=", &format!("nonce={bytes}"))),
        1 => parts.asked(&parts.query().replace("timestamp=", &format!("timestamp={bytes}"))),
        _ => claiming(parts, &signature),
    }
}

fn very_long(chance: &mut Chance, parts: &Parts) -> Request {
    let count = chance.between(25, 1_500);
    claiming(parts, &parts.signature.repeat(count))
}

fn a_parameter_twice(chance: &mut Chance, parts: &Parts) -> Request {
    let (name, value) = chance.pick(&pairs(parts));
    let value = if chance.below(2) == 0 { value.to_owned() } else { chance.text(HEX, value.len()) };
    let first = name.as_bytes()[0];
    let name = if chance.below(2) == 0 { name.to_owned() } else { format!("%{first:02x}{}", &name[1..]) };
    let query = parts.query();
    let query =
        if chance.below(2) == 0 { format!("{name}={value}&{query}") } else { format!("{query}&{name}={value}") };
    parts.asked(&query)
}

fn a_parameter_missing(chance: &mut Chance, parts: &Parts) -> Request {
    let (name, value) = chance.pick(&pairs(parts));
    let instead = match chance.below(5) {
        0 => String::new(),
        1 => format!("{}={value}", name.to_uppercase()),
        2 => format!("x-{name}={value}"),
        3 => format!("{name}%5B%5D={value}"),
        _ => format!("{name}%00={value}"),
    };
    parts.asked(&parts.query().replace(&format!("{name}={value}"), &instead))
}

fn values_exchanged(chance: &mut Chance, parts: &Parts) -> Request {
    let values = [&parts.signature, &parts.timestamp, &parts.nonce];
    let [signature, timestamp, nonce] =
        chance.pick(&[[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]).map(|at| values[at].clone());
    Parts { signature, timestamp, nonce, ..parts.clone() }.request()
}

fn another_timestamp(chance: &mut Chance, parts: &Parts) -> Request {
    let second: i64 = parts.timestamp.parse().unwrap();
    let by = chance.between(1, 80) as i64;
    let second = if chance.below(2) == 0 { second + by } else { second - by };
    Parts { timestamp: second.to_string(), ..parts.clone() }.request()
}

fn another_nonce(chance: &mut Chance, parts: &Parts) -> Request {
    let extra = chance.text(DIGITS, 1);
    let nonce = match chance.below(5) {
        0 => format!("{}{extra}", parts.nonce),
        1 => format!("{extra}{}", parts.nonce),
        2 => parts.nonce[1..].to_owned(),
        3 => format!("{}.", parts.nonce),
        _ => chance.text(LETTERS, 16),
    };
    Parts { nonce, ..parts.clone() }.request()
}

fn another_text(chance: &mut Chance, parts: &Parts) -> Request {
    let encrypt = &parts.encrypt;
    let encrypt = match chance.below(5) {
        0 => {
            let at = chance.below(encrypt.len() - 4);
            let others: Vec<u8> = LETTERS.iter().copied().filter(|it| *it != encrypt.as_bytes()[at]).collect();
            with_character(encrypt, at, &chance.text(&others, 1))
        }
        1 => Parts::good(chance).encrypt,
        2 => format!("{encrypt}AAAA"),
        3 => encrypt[4 * chance.between(1, 20)..].to_owned(),
        _ => String::new(),
    };
    Parts { encrypt, ..parts.clone() }.request()
}

/// The signed values run into each other without a separator: the same characters may be cut elsewhere.
fn borders_moved(chance: &mut Chance, parts: &Parts) -> Request {
    let Parts { timestamp, nonce, .. } = parts;
    let (timestamp, nonce) = match chance.below(3) {
        0 => {
            let (front, back) = nonce.split_at(nonce.len() - chance.between(1, 4));
            (format!("{back}{timestamp}"), front.to_owned())
        }
        1 => {
            let (front, back) = timestamp.split_at(chance.between(1, 9));
            (back.to_owned(), format!("{nonce}{front}"))
        }
        _ => {
            let joined = format!("{nonce}{timestamp}");
            let (front, back) = joined.split_at(10);
            (front.to_owned(), back.to_owned())
        }
    };
    Parts { timestamp, nonce, ..parts.clone() }.request()
}

fn elsewhere(chance: &mut Chance, parts: &Parts) -> Request {
    let query = parts.query();
    let to = |target: String| Request { target, ..parts.request() };
    match chance.below(5) {
        0 => pairs(parts).into_iter().fold(to(PATH.to_owned()), |request, (name, value)| request.header(name, value)),
        1 => to(PATH.to_owned()).header("cookie", &query.replace('&', "; ")),
        2 => Request::post(PATH, format!("{query}\n{}", parts.body())),
        3 => to(format!("{PATH}/{query}")),
        _ => to(format!("{PATH};{query}")),
    }
}

fn pairs(parts: &Parts) -> [(&'static str, &str); 3] {
    [("msg_signature", &parts.signature), ("timestamp", &parts.timestamp), ("nonce", &parts.nonce)]
}

/// The text with another character at a place; all of it is ASCII.
fn with_character(text: &str, at: usize, character: &str) -> String {
    format!("{}{character}{}", &text[..at], &text[at + 1..])
}
