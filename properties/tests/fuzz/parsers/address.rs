//! Addresses of destinations, as tenants write them: of an OA, and of a product's database.

use std::net::IpAddr;

use destinations::sql::Address;
use outbound::{Guard, Url};

use super::SECRET;
use crate::fuzzer::{Came, Limits, Parser, fuzz};

const WORDS: &[&str] = &[
    "http://",
    "https://",
    "postgres://",
    "postgresql://",
    "file://",
    "//",
    "\\",
    "/",
    ":",
    "@",
    "u:hunter2@",
    "?",
    "#",
    "[",
    "]",
    "[::1]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "127.0.0.1",
    "127.1",
    "0x7f000001",
    "0177.0.0.1",
    "2130706433",
    "169.254.169.254",
    "100.100.100.200",
    "localhost",
    "oa.example.com",
    "例子.中国",
    "xn--fsqu00a",
    "xn--",
    ".",
    "。",
    "%31",
    "%00",
    "%2f",
    "%",
    ":65536",
    ":0",
    "host=10.0.0.9",
    "hostaddr=10.0.0.9",
    "sslmode=require",
    "&",
    "\t",
    "\n",
];

#[test]
fn an_address_leads_where_it_may_or_is_refused() {
    let guard = Guard::new(Vec::new());
    let made = vec![
        format!("https://{}/", "a.".repeat(30_000)).into_bytes(),
        format!("https://h/{}", "%2e%2e/".repeat(10_000)).into_bytes(),
        format!("https://{}/", "\u{20bb7}".repeat(10_000)).into_bytes(),
        format!("postgres://u@h/d?{}", "sslmode=a&".repeat(5_000)).into_bytes(),
        format!("http://[{}]/", "0:".repeat(30_000)).into_bytes(),
    ];
    let parse = |input: &[u8]| read(&guard, &String::from_utf8_lossy(input));
    fuzz(&Parser { name: "address", tokens: WORDS, limits: Limits::FILE, made, parse: &parse });
}

fn read(guard: &Guard, text: &str) -> Came {
    match (guard.check(text), Address::new(text, guard.clone())) {
        (Ok(url), _) => {
            check(guard, &url);
            Came::taken(format!("{} {}", url.scheme(), address_of(&url).is_some()))
        }
        (Err(_), Ok(_)) => Came::taken("postgres"),
        (Err(web), Err(database)) => {
            let said = format!("{web}; {database}");
            assert!(!said.contains(SECRET), "a refusal repeats what was in the address: {said}");
            Came::refused(format!("{} {}", word(&format!("{web:?}")), word(&format!("{database:?}"))))
        }
    }
}

/// No operator has listed any network here.
fn check(guard: &Guard, url: &Url) {
    assert!(matches!(url.scheme(), "http" | "https"), "{url}");
    assert!(url.username().is_empty() && url.password().is_none(), "{url}");
    if let Some(address) = address_of(url) {
        assert!(guard.allows(address), "{url} leads to {address}");
    }
    // A message is stored with its address, which is read again before it is sent.
    let again = guard.check(url.as_str());
    assert_eq!(again.as_ref().map(Url::host_str), Ok(url.host_str()), "{url}");
    assert!(url.host_str().is_some(), "{url}");
}

fn address_of(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

/// The variant's name.
fn word(debug: &str) -> &str {
    debug.split([' ', '(']).next().unwrap_or_default()
}
