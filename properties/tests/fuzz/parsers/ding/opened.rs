//! The answer that says where a Stream connection leads. Whoever gets the ticket gets the events.

use dingtalk::stream::{Opened, connect_url};

use super::WORDS;
use crate::fuzzer::{Came, Limits, Parser, fuzz};

/// Where the API is: without TLS, as for tests, so that endpoints may be without it there as well.
const API_BASE: &str = "http://127.0.0.1:8080";

#[test]
fn an_endpoint_leads_to_the_platform_or_is_refused() {
    let mut tokens = WORDS.to_vec();
    tokens.extend([
        "\"endpoint\":\"",
        "\"ticket\":\"t\",",
        "wss://",
        "ws://",
        "https://",
        "file://",
        "//",
        "\\\\",
        "/",
        "@",
        "a:b@",
        "?",
        "#",
        "&ticket=x",
        ".",
        "。",
        "%2e",
        ":443",
        ":0",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "[::1]",
        "dingtalk.com",
        ".dingtalk.com",
        "wss-open-connection.dingtalk.com",
        "evil.example.com",
        "xn--",
    ]);
    let of = |endpoint: &str| format!("{{\"endpoint\":\"{endpoint}\",\"ticket\":\"t\"}}").into_bytes();
    let made = vec![
        of(&format!("wss://{}dingtalk.com/", "a.".repeat(30_000))),
        of(&format!("wss://x.dingtalk.com/{}", "%2e%2e/".repeat(10_000))),
        of(&format!("wss://{}.dingtalk.com/", "\u{20bb7}".repeat(10_000))),
        of(&format!("wss://x.dingtalk.com/?{}", "a=b&".repeat(10_000))),
    ];
    let parse = |input: &[u8]| parse(&String::from_utf8_lossy(input));
    fuzz(&Parser { name: "ding_opened", tokens: &tokens, limits: Limits::FILE, made, parse: &parse });
}

fn parse(text: &str) -> Came {
    let Some(opened) = Opened::parse(text) else { return Came::refused("no address") };
    match connect_url(&opened, API_BASE) {
        Ok(url) => {
            let host = url.host_str().unwrap_or_default();
            match url.scheme() {
                "wss" => assert!(host == "127.0.0.1" || host.ends_with(".dingtalk.com"), "{url}"),
                "ws" => assert_eq!(host, "127.0.0.1", "{url}"),
                _ => panic!("{url}"),
            }
            assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{url}");
            let ticket = url.query_pairs().filter(|(name, _)| name == "ticket").last();
            assert_eq!(ticket.map(|(_, ticket)| ticket.into_owned()).as_deref(), Some(opened.ticket.expose()));
            Came::taken(format!("{} {}", url.scheme(), url.port().is_some()))
        }
        Err(refused) => Came::refused(refused.to_string()),
    }
}
