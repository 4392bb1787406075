//! The platform's addresses (reference wecom 5.2).

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;

use super::{Answer, ApiError, Client, Rows, answer::RawRows, call::Call, client::Identity};

impl Client {
    /// Where callbacks come from (`getcallbackip`). To be asked for once a day. While the platform moves, old and new
    /// addresses are in it.
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Incomplete`] when the list is empty: nothing would be let in any more.
    pub async fn callback_addresses(&self) -> Result<Answer<Rows<IpNet>>, ApiError> {
        self.addresses("getcallbackip").await
    }

    /// Where the interfaces are (`get_api_domain_ip`), as for [`Client::callback_addresses`].
    ///
    /// # Errors
    /// See [`ApiError`]. [`ApiError::Incomplete`] when the list is empty.
    pub async fn api_addresses(&self) -> Result<Answer<Rows<IpNet>>, ApiError> {
        self.addresses("get_api_domain_ip").await
    }

    async fn addresses(&self, api: &'static str) -> Result<Answer<Rows<IpNet>>, ApiError> {
        let received = self.read(Identity::Contact, Call::one(api)).await?;
        let answer = received.content::<List>()?.map(|told| Rows::read(told.ip_list, |text: String| network(&text)));
        if answer.value.rows.is_empty() {
            return Err(received.incomplete());
        }
        Ok(answer)
    }
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    ip_list: RawRows,
}

/// An address, a network, or an address whose last numbers are `*`. The whole Internet is none of the platform's.
fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().ok().map(|network| network.trunc()).or_else(|| wildcard(text))?,
    };
    (network.prefix_len() > 0).then_some(network)
}

fn wildcard(text: &str) -> Option<IpNet> {
    let numbers: Vec<&str> = text.split('.').collect();
    let known = numbers.iter().take_while(|number| **number != "*").count();
    if numbers.len() != 4 || numbers.iter().skip(known).any(|number| *number != "*") {
        return None;
    }
    let address: Ipv4Addr = text.replace('*', "0").parse().ok()?;
    let prefix = u8::try_from(known * 8).ok()?;
    Ipv4Net::new(address, prefix).ok().map(IpNet::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_form() {
        let cases = [
            ("101.226.103.59", "101.226.103.59/32"),
            (" 2001:db8::7 ", "2001:db8::7/128"),
            ("101.226.103.*", "101.226.103.0/24"),
            ("101.226.*.*", "101.226.0.0/16"),
            ("101.226.103.64/26", "101.226.103.64/26"),
            ("101.226.103.70/26", "101.226.103.64/26"),
        ];
        for (text, expected) in cases {
            assert_eq!(network(text), Some(expected.parse().unwrap()), "{text}");
        }
        for bad in ["", "*", "*.*.*.*", "0.0.0.0/0", "::/0", "101.*.103.1", "101.226.103", "101.226.103.*.1", "x.*.*.*"]
        {
            assert_eq!(network(bad), None, "{bad}");
        }
    }
}
