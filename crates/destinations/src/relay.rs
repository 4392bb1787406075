//! What the relays of both platforms have in common.

pub(crate) mod answer;

use outbound::Url;

/// Fresh random values of one message.
pub(crate) struct Fresh {
    pub(crate) random16: [u8; 16],
    /// Decimal, as the platforms' own mostly are.
    pub(crate) nonce: String,
}

impl Fresh {
    pub(crate) fn new() -> Self {
        Self { random16: rand::random(), nonce: rand::random::<u64>().to_string() }
    }
}

/// The address with everything before the signed query, `?` or `&` included. A fragment never leaves a client.
pub(crate) fn address(mut url: Url) -> String {
    url.set_fragment(None);
    match url.query() {
        None => format!("{url}?"),
        Some("") => url.into(),
        Some(_) => format!("{url}&"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_query_goes_after_the_address_and_its_own_query() {
        for (url, expected) in [
            ("https://oa.example.com", "https://oa.example.com/?"),
            ("https://oa.example.com/cb#top", "https://oa.example.com/cb?"),
            ("https://oa.example.com/cb?", "https://oa.example.com/cb?"),
            ("https://oa.example.com/cb?t=1", "https://oa.example.com/cb?t=1&"),
        ] {
            assert_eq!(address(Url::parse(url).unwrap()), expected);
        }
    }
}
