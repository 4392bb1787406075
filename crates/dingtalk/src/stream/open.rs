//! Asking for a connection, and where it leads (reference dingtalk 1.2 and 1.4).

use common::Secret;
use serde::Deserialize;
use serde_json::json;
use url::Url;

/// Where DingTalk's Stream endpoints are: `wss-open-connection.dingtalk.com` and its siblings.
const DINGTALK: &str = ".dingtalk.com";

/// The body of `POST /v1.0/gateway/connections/open`, as JSON. It asks for all events; which types there are is chosen in the
/// developer console. `ua` looks like `name-sdk-lang/version`.
pub fn open_body(client_id: &str, client_secret: &Secret, ua: &str) -> String {
    json!({
        "clientId": client_id,
        "clientSecret": client_secret.expose(),
        "subscriptions": [{ "type": "EVENT", "topic": "*" }],
        "ua": ua,
    })
    .to_string()
}

/// The answer: an address, and a ticket that opens one connection within 90 s. Neither is to be kept.
#[derive(Debug, Clone, Deserialize)]
pub struct Opened {
    /// Where to connect to: `wss://wss-open-connection.dingtalk.com:443/connect`.
    pub endpoint: String,
    /// What opens the connection. A UUID in practice.
    pub ticket: Secret,
}

impl Opened {
    /// Reads the answer's JSON; `None` when it is none, or has no endpoint or no ticket.
    pub fn parse(answer: &str) -> Option<Self> {
        let opened: Self = serde_json::from_str(answer).ok()?;
        (!opened.endpoint.is_empty() && !opened.ticket.is_empty()).then_some(opened)
    }
}

/// An endpoint that is not connected to: the ticket would go to a stranger, or could be read on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointRefused {
    /// It is no address.
    #[error("the Stream endpoint is no URL")]
    NoUrl,
    /// Neither `wss`, nor `ws` where the API is without TLS too.
    #[error("the Stream endpoint must be wss (or ws at the host of an api_base that is http)")]
    Scheme,
    /// Neither a host of DingTalk's nor that of `api_base`.
    #[error("the Stream endpoint is neither at dingtalk.com nor at the host of api_base")]
    Host,
    /// It has a user, a password or a fragment.
    #[error("the Stream endpoint has a user, a password or a fragment")]
    Misshapen,
}

/// The address to connect to, with the ticket in its query: whoever sees it can take the connection, so it is not for logs.
///
/// # Errors
/// When the endpoint is none that this may go to: it must be DingTalk's host or that of `api_base`, and have TLS unless
/// `api_base` is `http` and it is the same host.
pub fn connect_url(opened: &Opened, api_base: &str) -> Result<Url, EndpointRefused> {
    let mut endpoint = Url::parse(&opened.endpoint).ok().ok_or(EndpointRefused::NoUrl)?;
    let is_bare = endpoint.username().is_empty() && endpoint.password().is_none() && endpoint.fragment().is_none();
    if !is_bare {
        return Err(EndpointRefused::Misshapen);
    }
    let base = Url::parse(api_base).ok();
    let at_base = base.as_ref().is_some_and(|base| base.host().is_some() && base.host() == endpoint.host());
    let base_is_plain = base.as_ref().is_some_and(|base| base.scheme() == "http");
    let at_dingtalk = endpoint.domain().is_some_and(|host| host.ends_with(DINGTALK));
    match endpoint.scheme() {
        "wss" if at_dingtalk || at_base => {}
        "ws" if at_base && base_is_plain => {}
        "wss" => return Err(EndpointRefused::Host),
        _ => return Err(EndpointRefused::Scheme),
    }
    endpoint.query_pairs_mut().append_pair("ticket", opened.ticket.expose());
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = "https://api.dingtalk.com";

    fn opened(endpoint: &str) -> Opened {
        Opened { endpoint: endpoint.into(), ticket: Secret::new("0d9b7a52-6a4e") }
    }

    fn connect(endpoint: &str, api_base: &str) -> Result<String, EndpointRefused> {
        connect_url(&opened(endpoint), api_base).map(String::from)
    }

    #[test]
    fn a_connection_is_asked_for_as_the_official_clients_do() {
        let body: serde_json::Value = serde_json::from_str(&open_body("dingid", &Secret::new("s\"1"), "ob/1")).unwrap();
        let expected = json!({
            "clientId": "dingid", "clientSecret": "s\"1", "ua": "ob/1",
            "subscriptions": [{ "type": "EVENT", "topic": "*" }],
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn the_answer_of_the_reference_is_read_and_its_ticket_is_not_printed() {
        let answer =
            r#"{"endpoint":"wss://wss-open-connection.dingtalk.com:443/connect","ticket":"0d9b7a52-6a4e-4a0e"}"#;
        let opened = Opened::parse(answer).unwrap();
        let url = connect_url(&opened, API).unwrap();
        assert_eq!(url.as_str(), "wss://wss-open-connection.dingtalk.com/connect?ticket=0d9b7a52-6a4e-4a0e");
        assert!(!format!("{opened:?}").contains("0d9b"));
        for bad in ["", "[]", "{}", r#"{"endpoint":"wss://a"}"#, r#"{"endpoint":"","ticket":"t"}"#, "<html>"] {
            assert!(Opened::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn host_port_path_and_query_of_the_endpoint_are_kept() {
        let url = connect("wss://WSS-union.dingtalk.com:8443/a/b?zone=1", API).unwrap();
        assert_eq!(url, "wss://wss-union.dingtalk.com:8443/a/b?zone=1&ticket=0d9b7a52-6a4e");
        let spaced = Opened { ticket: Secret::new("a b&c=d#"), ..opened("wss://x.dingtalk.com/connect") };
        assert!(connect_url(&spaced, API).unwrap().as_str().ends_with("/connect?ticket=a+b%26c%3Dd%23"));
    }

    #[test]
    fn only_dingtalk_and_the_host_of_the_api_get_a_ticket() {
        let own = "https://ding.example.com/x";
        assert!(connect("wss://ding.example.com:9/connect", own).is_ok());
        assert!(connect("wss://pre-wss.dingtalk.com/connect", own).is_ok());
        for bad in [
            "wss://evil.example.com/connect",
            "wss://dingtalk.com.example.com/connect",
            "wss://evildingtalk.com/connect",
            "wss://dingtalk.com/connect",
            "wss://x.dingtalk.com./connect",
            "wss://sub.ding.example.com/connect",
            "wss://10.0.0.1/connect",
        ] {
            assert_eq!(connect(bad, own), Err(EndpointRefused::Host), "{bad}");
        }
        for bad in ["wss://a@x.dingtalk.com/", "wss://:b@x.dingtalk.com/", "wss://x.dingtalk.com/#f"] {
            assert_eq!(connect(bad, own), Err(EndpointRefused::Misshapen), "{bad}");
        }
        for bad in ["", "x.dingtalk.com/connect", "wss://"] {
            assert_eq!(connect(bad, own), Err(EndpointRefused::NoUrl), "{bad}");
        }
    }

    #[test]
    fn without_tls_only_where_the_api_is_without_it_too() {
        let local = "http://127.0.0.1:8080";
        assert!(connect("ws://127.0.0.1:9090/connect", local).is_ok());
        assert!(connect("wss://127.0.0.1:9090/connect", local).is_ok());
        assert!(connect("wss://x.dingtalk.com/connect", local).is_ok());
        for (endpoint, api_base) in [
            ("ws://127.0.0.1:9090/connect", "https://127.0.0.1:8080"),
            ("ws://x.dingtalk.com/connect", local),
            ("ws://x.dingtalk.com/connect", API),
            ("ws://127.0.0.2/connect", local),
            ("http://127.0.0.1/connect", local),
            ("https://x.dingtalk.com/connect", API),
            ("wss://x.dingtalk.com/connect", "no url"),
        ] {
            let refused = connect(endpoint, api_base);
            let expected = if endpoint.starts_with("wss") { None } else { Some(EndpointRefused::Scheme) };
            assert_eq!(refused.err(), expected, "{endpoint} {api_base}");
        }
    }
}
