//! The JSON around a push.

use callback_crypto::Refusal;
use serde::Deserialize;

/// The body of a push (reference dingtalk 2.1).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Envelope {
    /// Base64 of the ciphertext, as signed.
    #[serde(default)]
    pub encrypt: String,
}

impl Envelope {
    /// Reads a body. Members of other names, white space and a byte order mark make no difference.
    ///
    /// # Errors
    /// [`Refusal::Unauthorized`] when it is not UTF-8, no JSON object within limits, or has not exactly one `encrypt`: nothing in
    /// it is signed yet.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(body).ok().ok_or(Refusal::unauthorized("envelope_not_utf8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // An array of one text would be read as well.
        if !text.trim_start().starts_with('{') {
            return Err(Refusal::unauthorized("envelope_not_json"));
        }
        let envelope: Self = serde_json::from_str(text).ok().ok_or(Refusal::unauthorized("envelope_not_json"))?;
        if envelope.encrypt.is_empty() { Err(Refusal::unauthorized("missing_encrypt")) } else { Ok(envelope) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(body: &str) -> &'static str {
        Envelope::parse(body.as_bytes()).unwrap_err().why()
    }

    #[test]
    fn every_way_to_write_it_is_read_alike() {
        for body in [
            r#"{"encrypt":"QUJD+/=="}"#,
            "\u{feff}\r\n{ \"x\": [1, {\"encrypt\": 2}], \"encrypt\" : \"QUJD\\u002b\\/==\" }\n",
        ] {
            assert_eq!(Envelope::parse(body.as_bytes()).unwrap().encrypt, "QUJD+/==", "{body}");
        }
    }

    #[test]
    fn what_is_missing_or_doubled_is_refused() {
        for body in ["{}", r#"{"encrypt":""}"#, r#"{"Encrypt":"QQ=="}"#, r#"{"a":{"encrypt":"QQ=="}}"#] {
            assert_eq!(why(body), "missing_encrypt", "{body}");
        }
        for body in [
            "",
            "null",
            "[\"QQ==\"]",
            "<xml><Encrypt>QQ==</Encrypt></xml>",
            r#"{"encrypt":"QQ==""#,
            r#"{"encrypt":1}"#,
            r#"{"encrypt":null}"#,
            r#"{"encrypt":"QQ==","encrypt":"QQ=="}"#,
            r#"{"encrypt":"QQ=="} x"#,
        ] {
            assert_eq!(why(body), "envelope_not_json", "{body}");
        }
        assert_eq!(Envelope::parse(b"{\"encrypt\":\"\xff\"}").unwrap_err().why(), "envelope_not_utf8");
    }

    #[test]
    fn what_nobody_reads_may_be_deep() {
        let deep = format!("{{\"a\":{}1{},\"encrypt\":\"QQ==\"}}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(Envelope::parse(deep.as_bytes()).unwrap().encrypt, "QQ==");
    }
}
