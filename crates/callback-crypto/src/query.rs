//! The queries of callback requests, whatever the platform calls their parameters.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::Refusal;

/// The longest query that is looked at. An echo string has some 100 to 200 characters.
const LONGEST_QUERY_BYTES: usize = 8 * 1024;
const LONGEST_NONCE_BYTES: usize = 64;
const SIGNATURE_DIGITS: usize = 40;

/// Reads a raw query, the part after `?`: the values of the parameters with these names. They are percent-decoded only: a `+` stays
/// a `+`, because it is one in base64. Parameters of other names are ignored.
///
/// # Errors
/// [`Refusal::Unauthorized`] when the query is too long, or one of the parameters doubled or no text.
pub fn parameters<'q, const N: usize>(
    raw_query: &'q str,
    names: [&str; N],
) -> Result<[Option<Cow<'q, str>>; N], Refusal> {
    if raw_query.len() > LONGEST_QUERY_BYTES {
        return Err(Refusal::unauthorized("query_too_long"));
    }
    let mut values: [Option<Cow<'q, str>>; N] = std::array::from_fn(|_| None);
    for pair in raw_query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = percent_decode_str(name).decode_utf8_lossy();
        let slot = names.iter().zip(&mut values).find(|(known, _)| **known == name).map(|(_, slot)| slot);
        let Some(slot) = slot else { continue };
        if slot.is_some() {
            return Err(Refusal::unauthorized("doubled_parameter"));
        }
        let decoded = percent_decode_str(value).decode_utf8().ok();
        *slot = Some(decoded.ok_or(Refusal::unauthorized("misshapen_parameter"))?);
    }
    Ok(values)
}

/// A parameter that must be there and have the shape.
///
/// # Errors
/// [`Refusal::Unauthorized`]: `missing_parameter`, or `why` when it does not have the shape.
pub fn shaped(value: Option<Cow<'_, str>>, fits: fn(&str) -> bool, why: &'static str) -> Result<String, Refusal> {
    let value = value.ok_or(Refusal::unauthorized("missing_parameter"))?;
    if fits(&value) { Ok(value.into_owned()) } else { Err(Refusal::unauthorized(why)) }
}

/// SHA-1 as 40 lower-case hexadecimal digits.
pub fn is_signature(text: &str) -> bool {
    text.len() == SIGNATURE_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// 1 to 64 characters out of `A-Z a-z 0-9 _ - . ~`.
pub fn is_nonce(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~');
    (1..=LONGEST_NONCE_BYTES).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(raw: &str) -> &'static str {
        parameters(raw, ["a", "b"]).unwrap_err().why()
    }

    #[test]
    fn the_named_parameters_are_decoded_and_the_others_ignored() {
        let [a, b, c] = parameters("&&x=%FF&x=2&%61=1%2B2+3&c&a2=4", ["a", "b", "c"]).unwrap();
        assert_eq!((a.as_deref(), b.as_deref(), c.as_deref()), (Some("1+2+3"), None, Some("")));
    }

    #[test]
    fn what_is_doubled_unreadable_or_endless_is_refused() {
        assert_eq!(why("a=1&b=2&a=1"), "doubled_parameter");
        assert_eq!(why("a=1&%61=1"), "doubled_parameter");
        assert_eq!(why("a=%FF"), "misshapen_parameter");
        assert_eq!(why(&"x".repeat(LONGEST_QUERY_BYTES + 1)), "query_too_long");
        assert!(parameters(&"x".repeat(LONGEST_QUERY_BYTES), ["a"]).is_ok());
    }

    #[test]
    fn what_has_a_shape_must_have_it() {
        assert_eq!(shaped(None, is_nonce, "x").unwrap_err(), Refusal::unauthorized("missing_parameter"));
        assert_eq!(shaped(Some("".into()), is_nonce, "x").unwrap_err(), Refusal::unauthorized("x"));
        assert_eq!(shaped(Some("aZ09_-.~".into()), is_nonce, "x").as_deref(), Ok("aZ09_-.~"));
        assert!(is_signature(&"0f".repeat(20)) && !is_signature(&"0F".repeat(20)) && !is_signature(&"0f".repeat(21)));
        assert!(is_nonce(&"n".repeat(64)) && !is_nonce(&"n".repeat(65)) && !is_nonce("a+b"));
    }
}
