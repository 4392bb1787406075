//! The query of a callback request.

use callback_crypto::query::{is_nonce, is_signature, parameters, shaped};

use crate::Refusal;

const TIMESTAMP_DIGITS: usize = 10;

/// What the query of a callback request says, each value as text exactly as signed (reference wecom 1.2 to 1.4).
///
/// The signature covers the values without separators, so their shapes are what keeps a character from being moved from
/// one to the next (reference security 2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// SHA-1, 40 lower-case hexadecimal digits.
    pub msg_signature: String,
    /// Seconds since 1970, 10 digits.
    pub timestamp: String,
    /// 1 to 64 characters out of `A-Z a-z 0-9 _ - . ~`.
    pub nonce: String,
    /// Base64 of the encrypted echo text; only in the request that verifies an address.
    pub echostr: Option<String>,
}

impl Query {
    /// Reads the raw query, the part after `?`. It is percent-decoded only: a `+` stays a `+`, because it is one in
    /// base64, and a space in the echo string can only have been one. Parameters of other names are ignored.
    ///
    /// # Errors
    /// [`Refusal::Unauthorized`] when a parameter is missing, doubled or misshapen.
    pub fn parse(raw_query: &str) -> Result<Self, Refusal> {
        let [signature, timestamp, nonce, echo] =
            parameters(raw_query, ["msg_signature", "timestamp", "nonce", "echostr"])?;
        Ok(Self {
            msg_signature: shaped(signature, is_signature, "misshapen_signature")?,
            timestamp: shaped(timestamp, is_timestamp, "misshapen_timestamp")?,
            nonce: shaped(nonce, is_nonce, "misshapen_nonce")?,
            echostr: match echo {
                Some(echo) => Some(shaped(Some(echo.replace(' ', "+").into()), is_echo, "misshapen_echostr")?),
                None => None,
            },
        })
    }

    /// The timestamp as a number of seconds since 1970, for the check of the clock.
    pub fn timestamp_seconds(&self) -> i64 {
        // Ten digits always fit; a value built by hand without digits is as stale as can be.
        self.timestamp.parse().unwrap_or_default()
    }
}

fn is_timestamp(text: &str) -> bool {
    text.len() == TIMESTAMP_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Only that it is printable; whether it is base64 of anything is for the decryption to say.
fn is_echo(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "0bdc2a4c0219aed584804df5bcc5caea10168a0a";

    fn why(raw: &str) -> &'static str {
        Query::parse(raw).unwrap_err().why()
    }

    #[test]
    fn a_plus_survives_in_every_spelling() {
        for echo in ["a%2Bb%2F%3D", "a+b/=", "a%20b/=", "a b/="] {
            let query = Query::parse(&format!("msg_signature={SIGNATURE}&timestamp=1767225700&nonce=1&echostr={echo}"));
            assert_eq!(query.unwrap().echostr.as_deref(), Some("a+b/="), "{echo}");
        }
    }

    #[test]
    fn other_parameters_and_empty_pairs_are_ignored() {
        let raw = format!("&&x=%FF&x=2&nonce=a_-.~&msg%5Fsignature={SIGNATURE}&y&timestamp=1767225700&");
        let query = Query::parse(&raw).unwrap();
        assert_eq!((query.nonce.as_str(), query.echostr.as_deref()), ("a_-.~", None));
        assert_eq!(query.timestamp_seconds(), 1_767_225_700);
    }

    #[test]
    fn missing_doubled_and_misshapen_parameters_are_refused() {
        let good = format!("msg_signature={SIGNATURE}&timestamp=1767225700&nonce=1");
        assert!(Query::parse(&good).is_ok());
        assert_eq!(why(""), "missing_parameter");
        assert_eq!(why(&good.replace("nonce", "nonse")), "missing_parameter");
        assert_eq!(why(&format!("{good}&nonce=1")), "doubled_parameter");
        assert_eq!(why(&format!("{good}&%6Eonce=1")), "doubled_parameter");
        assert_eq!(why(&format!("{good}&echostr=a&echostr=a")), "doubled_parameter");
        assert_eq!(why(&format!("{good}&echostr=%FF")), "misshapen_parameter");
        for echo in ["", "%00", "%0A", "%E4%B8%AD"] {
            assert_eq!(why(&format!("{good}&echostr={echo}")), "misshapen_echostr", "{echo}");
        }
        let long = "1".repeat(65);
        for nonce in ["", "a b", "a%2Bb", "a%00", "%E4%B8%AD", &long] {
            assert_eq!(why(&good.replace("nonce=1", &format!("nonce={nonce}"))), "misshapen_nonce", "{nonce}");
        }
        for time in ["", "176722570", "17672257000", "-767225700", "176722570a", "1767225700123"] {
            assert_eq!(why(&good.replace("1767225700", time)), "misshapen_timestamp", "{time}");
        }
        let upper = SIGNATURE.to_uppercase();
        for signature in ["", &SIGNATURE[1..], &format!("{SIGNATURE}0"), &upper, &SIGNATURE.replace('0', "g")] {
            assert_eq!(why(&good.replace(SIGNATURE, signature)), "misshapen_signature", "{signature}");
        }
        assert_eq!(why(&format!("{good}&x={}", "a".repeat(1 << 20))), "query_too_long");
    }
}
