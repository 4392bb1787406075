//! Query strings as WeCom writes them: percent-encoded, and `+` means a plus.

/// Percent-encodes everything but letters, digits and `-_.~`.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The value of the first parameter of that name, percent-decoded; a plus stays a plus.
#[must_use]
pub fn parameter(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _value)| *key == name)
        .and_then(|(_key, value)| decode(value))
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
        decoded.push(u8::try_from(high? * 16 + low?).ok()?);
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_read_back_and_a_plus_stays_a_plus() {
        let text = "kXOc+bI8/=&中";
        let query = format!("a=1&echostr={}&b=2", encode(text));
        assert_eq!(parameter(&query, "echostr").as_deref(), Some(text));
        assert_eq!(parameter("echostr=a+b", "echostr").as_deref(), Some("a+b"));
        assert_eq!(parameter("echostr=%4", "echostr"), None);
        assert_eq!(parameter("a=1", "b"), None);
    }
}
