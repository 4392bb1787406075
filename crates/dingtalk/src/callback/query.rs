//! The query of a push.

use callback_crypto::{
    Refusal,
    query::{is_nonce, is_signature, parameters, shaped},
};
use common::UnixMillis;

const DIGITS_OF_SECONDS: usize = 10;
const DIGITS_OF_MILLIS: usize = 13;

/// What the query of a push says, each value as text exactly as signed (reference dingtalk 2.1 and 2.2).
///
/// The signature covers the values without separators, so their shapes are what keeps a character from being moved from one to the
/// next: a timestamp that gains or loses its last three digits to the nonce still means the same second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// SHA-1, 40 lower-case hexadecimal digits: `msg_signature`, or `signature` where there is no other.
    pub signature: String,
    /// Milliseconds since 1970, 13 digits; some samples have seconds, 10 digits.
    pub timestamp: String,
    /// 1 to 64 characters out of `A-Z a-z 0-9 _ - . ~`.
    pub nonce: String,
}

impl Query {
    /// Reads the raw query, the part after `?`. Parameters of other names are ignored.
    ///
    /// # Errors
    /// [`Refusal::Unauthorized`] when a parameter is missing, doubled or misshapen.
    pub fn parse(raw_query: &str) -> Result<Self, Refusal> {
        let [preferred, historic, timestamp, nonce] =
            parameters(raw_query, ["msg_signature", "signature", "timestamp", "nonce"])?;
        Ok(Self {
            signature: shaped(preferred.or(historic), is_signature, "misshapen_signature")?,
            timestamp: shaped(timestamp, is_timestamp, "misshapen_timestamp")?,
            nonce: shaped(nonce, is_nonce, "misshapen_nonce")?,
        })
    }

    /// The timestamp, for the check of the clock.
    pub fn at(&self) -> UnixMillis {
        // So many digits always fit; a value built by hand without digits is as stale as can be.
        let number = self.timestamp.parse().unwrap_or_default();
        if self.timestamp.len() > DIGITS_OF_SECONDS { UnixMillis(number) } else { UnixMillis::from_seconds(number) }
    }

    /// Whether the timestamp is further from `now` than it may be; 0 seconds are for any.
    pub fn is_stale(&self, now: UnixMillis, max_skew_seconds: u32) -> bool {
        max_skew_seconds != 0 && now.seconds().abs_diff(self.at().seconds()) > u64::from(max_skew_seconds)
    }
}

fn is_timestamp(text: &str) -> bool {
    matches!(text.len(), DIGITS_OF_SECONDS | DIGITS_OF_MILLIS) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "da12cd453c008301faab13ce41eacc91415a5ee5";
    const OTHER: &str = "6011eda6e2cd9b75601ec30433efea2b2ca7982f";

    fn why(raw: &str) -> &'static str {
        Query::parse(raw).unwrap_err().why()
    }

    #[test]
    fn either_signature_will_do_and_the_present_one_is_preferred() {
        let rest = "timestamp=1790000000456&nonce=Nnc8Zz01";
        for raw in [
            format!("signature={SIGNATURE}&{rest}"),
            format!("msg_signature={SIGNATURE}&{rest}"),
            format!("signature={OTHER}&{rest}&msg_signature={SIGNATURE}"),
        ] {
            let query = Query::parse(&raw).unwrap();
            assert_eq!((query.signature.as_str(), query.nonce.as_str()), (SIGNATURE, "Nnc8Zz01"), "{raw}");
        }
        assert_eq!(why(&format!("signature={SIGNATURE}&signature={SIGNATURE}&{rest}")), "doubled_parameter");
        assert_eq!(why(&format!("signature={SIGNATURE}&msg_signature=x&{rest}")), "misshapen_signature");
    }

    #[test]
    fn timestamps_are_milliseconds_or_seconds() {
        let at =
            |timestamp: &str| Query { signature: String::new(), timestamp: timestamp.into(), nonce: String::new() };
        assert_eq!(at("1790000000456").at(), UnixMillis(1_790_000_000_456));
        assert_eq!(at("1614767836").at(), UnixMillis(1_614_767_836_000));
        assert_eq!(at("").at(), UnixMillis(0));
        let now = UnixMillis(1_790_000_300_999);
        assert!(!at("1790000000456").is_stale(now, 300));
        assert!(at("1789999999999").is_stale(now, 300));
        assert!(at("1790000601000").is_stale(now, 300) && !at("1790000600000").is_stale(now, 300));
        assert!(!at("0000000000000").is_stale(now, 0));
    }

    #[test]
    fn missing_doubled_and_misshapen_parameters_are_refused() {
        let good = format!("msg_signature={SIGNATURE}&timestamp=1790000000456&nonce=Nnc8Zz01&x=1&x=2");
        assert!(Query::parse(&good).is_ok());
        assert_eq!(why(""), "missing_parameter");
        for name in ["msg_signature", "timestamp", "nonce"] {
            assert_eq!(why(&good.replace(name, "other")), "missing_parameter", "{name}");
        }
        assert_eq!(why(&format!("{good}&%6Eonce=1")), "doubled_parameter");
        for time in ["", "179000000045", "17900000004567", "179000000", "-790000000456", "179000000045x"] {
            assert_eq!(why(&good.replace("1790000000456", time)), "misshapen_timestamp", "{time}");
        }
        let long = "1".repeat(65);
        for nonce in ["", "a b", "a%2Bb", "%E4%B8%AD", &long] {
            assert_eq!(why(&good.replace("Nnc8Zz01", nonce)), "misshapen_nonce", "{nonce}");
        }
        let upper = SIGNATURE.to_uppercase();
        for signature in ["", &SIGNATURE[1..], &format!("{SIGNATURE}0"), &upper] {
            assert_eq!(why(&good.replace(SIGNATURE, signature)), "misshapen_signature", "{signature}");
        }
        assert_eq!(why(&format!("{good}&y={}", "a".repeat(1 << 20))), "query_too_long");
    }
}
