//! XML and JSON from someone who wants to do harm: refused or read, without panic, and quickly.

use std::time::{Duration, Instant};

use wecom::{Envelope, Refusal};

use super::normalise;

/// Bar S3 of reference security, which is about an optimised build; an unoptimised one and a busy machine get more.
const LONGEST: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let took = start.elapsed();
    assert!(took < LONGEST, "{what} took {took:?}");
    result
}

/// As an envelope before, and as a plaintext after the signature.
fn refused(what: &str, text: &str) {
    let outside = timed(what, || Envelope::parse(text.as_bytes()));
    assert!(matches!(outside, Err(Refusal::Unauthorized { .. })), "{what}: {outside:?}");
    let inside = timed(what, || normalise(text));
    assert!(matches!(inside, Err(Refusal::Malformed { .. })), "{what}: {inside:?}");
}

const ENCRYPT: &str = "<Encrypt>QUJDRA==</Encrypt>";

#[test]
fn document_types_and_entities_are_refused() {
    let laughs: String =
        (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    for (what, head, content) in [
        ("empty document type", "<!DOCTYPE xml>", ""),
        ("lower case", "<!doctype xml>", ""),
        ("external document type", "<!DOCTYPE xml SYSTEM \"http://127.0.0.1:9/x.dtd\">", ""),
        ("public document type", "<!DOCTYPE xml PUBLIC \"-//W3C//DTD\" \"http://127.0.0.1:9/x.dtd\">", ""),
        ("external entity", "<!DOCTYPE xml [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>", "<a>&e;</a>"),
        ("parameter entity", "<!DOCTYPE xml [<!ENTITY % p SYSTEM \"http://127.0.0.1:9/\"> %p;]>", ""),
        ("billion laughs", &format!("<!DOCTYPE xml [<!ENTITY l0 \"lol\">{laughs}]>"), "<a>&l9;</a>"),
        (
            "quadratic growth",
            &format!("<!DOCTYPE xml [<!ENTITY q \"{}\">]>", "q".repeat(100_000)),
            &"&q;".repeat(10_000),
        ),
        ("unknown entity", "", "<a>&lol;</a>"),
        ("unended entity", "", &"&".repeat(100_000)),
        ("document type inside", "", "<!DOCTYPE xml>"),
        ("element declaration", "", "<!ELEMENT a ANY>"),
    ] {
        refused(what, &format!("{head}<xml>{content}{ENCRYPT}</xml>"));
        refused(what, &format!("<?xml version=\"1.0\"?><!-- c -->\n{head}<xml>{content}{ENCRYPT}</xml>"));
    }
}

#[test]
fn deep_and_wide_documents_are_refused() {
    let many = |count: usize, each: fn(usize) -> String| (0..count).map(each).collect::<String>();
    let attributes = many(100_000, |n| format!(" a{n}=''"));
    let namespaces = many(100_000, |n| format!(" xmlns:n{n}='u{n}'"));
    let nested_namespaces = many(10_000, |n| format!("<a xmlns:n{n}='u{n}'>")) + &"</a>".repeat(10_000);
    let per_element = many(9_000, |n| format!("<a b{n}='' c{n}=''/>"));
    for (what, content) in [
        ("depth", "<a>".repeat(10_000) + &"</a>".repeat(10_000)),
        ("depth, never closed", "<a>".repeat(100_000)),
        ("attributes", format!("<a{attributes}/>")),
        ("attributes, never ended", format!("<a{attributes}")),
        ("namespaces", format!("<a{namespaces}/>")),
        ("nested namespaces", nested_namespaces),
        ("attributes of many elements", per_element),
        ("elements", "<a/>".repeat(100_000)),
        ("comments", "<!---->".repeat(100_000)),
        ("instructions", "<?a?>".repeat(100_000)),
        ("brackets", "<".repeat(250_000)),
        ("closing tags", "</a>".repeat(60_000)),
        ("unended section", format!("<![CDATA[{}", "]]".repeat(100_000))),
        ("unended comment", format!("<!--{}", "-".repeat(200_000))),
        ("long name", format!("<{}", "a".repeat(250_000))),
    ] {
        refused(what, &format!("<xml>{content}{ENCRYPT}</xml>"));
    }
}

#[test]
fn large_documents_within_limits_are_read_quickly() {
    let sections = "<![CDATA[x]]>".repeat(19_000);
    let declared: String = (0..64).map(|n| format!(" xmlns:n{n}='u{n}'")).collect();
    let prefixed = "<n0:a/>".repeat(9_000);
    for (what, text) in [
        ("split sections", format!("<xml><Content>{sections}</Content>{ENCRYPT}</xml>")),
        ("references", format!("<xml><Content>{}</Content>{ENCRYPT}</xml>", "&#20013;".repeat(30_000))),
        ("equals signs", format!("<xml><Content>{}</Content>{ENCRYPT}</xml>", "=".repeat(250_000))),
        ("carriage returns", format!("<xml><Content><![CDATA[{}]]></Content>{ENCRYPT}</xml>", "\r".repeat(250_000))),
        ("prefixes", format!("<xml{declared}>{prefixed}{ENCRYPT}</xml>")),
    ] {
        let envelope = timed(what, || Envelope::parse(text.as_bytes())).unwrap();
        assert_eq!(envelope.encrypt, "QUJDRA==", "{what}");
        assert_eq!(timed(what, || normalise(&text)).unwrap().len(), 1, "{what}");
    }
}

#[test]
fn other_encodings_are_refused() {
    for encoding in ["UTF-16", "utf-7", "GBK", "GB18030", "ISO-8859-1", "UCS-4", ""] {
        refused(encoding, &format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?><xml>{ENCRYPT}</xml>"));
    }
    refused("UTF-7", "+ADw-xml+AD4-+ADw-Encrypt+AD4-QQ+AD0APQA8-/Encrypt+AD4APA-/xml+AD4-");
    let text = format!("<xml>{ENCRYPT}</xml>");
    for mark in [false, true] {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        let little: Vec<u8> = units.clone().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units.flat_map(u16::to_be_bytes).collect();
        assert!(Envelope::parse(&little).is_err());
        assert!(Envelope::parse(&big).is_err());
    }
    let gbk = b"<xml><ToUserName>\xd6\xd0\xce\xc4</ToUserName><Encrypt>QUJDRA==</Encrypt></xml>";
    assert_eq!(Envelope::parse(gbk).unwrap_err().why(), "envelope_not_utf8");
    for broken in [b"<xml>\xff</xml>".as_slice(), b"\xef\xbb", b"\xed\xa0\x80", b"<xml>\0</xml>", b"\xc0\xbcxml/>"] {
        assert!(Envelope::parse(broken).is_err());
    }
}

#[test]
fn broken_documents_are_refused() {
    for text in [
        "",
        " ",
        "\u{feff}",
        "<",
        "<xml",
        "<xml>",
        "</xml>",
        "<xml></xmk>",
        "<xml/><xml/>",
        "<xml/>tail",
        "head<xml/>",
        "<xml>]]></xml>",
        "<xml a></xml>",
        "<xml a=1/>",
        "<xml a='1' a='2'/>",
        "<n:xml/>",
        "<xml>\u{1}</xml>",
        "<xml>&#0;</xml>",
        "<?xml version='1.0'?>",
        "<?xml",
        "<?xml encoding='utf-8'?><xml/>",
        "<xml><?xml version='1.0'?></xml>",
        "<![CDATA[x]]>",
    ] {
        refused(text, text);
    }
}

#[test]
fn hostile_json_is_refused() {
    for (what, text) in [
        ("depth", "{\"a\":".repeat(50_000)),
        ("lists", format!("{{\"a\":{}", "[".repeat(200_000))),
        ("twin keys", "{\"MsgType\":\"a\",\"MsgType\":\"b\"}".to_owned()),
        ("huge number", format!("{{\"a\":{}}}", "9".repeat(200_000))),
        ("huge exponent", "{\"a\":1e999999999}".to_owned()),
        ("lone surrogate", "{\"a\":\"\\ud800\"}".to_owned()),
        ("raw newline", "{\"a\":\"\n\"}".to_owned()),
        ("unended", format!("{{\"a\":\"{}", "a".repeat(200_000))),
        ("not JSON", "{a:1}".to_owned()),
        ("two", "{}{}".to_owned()),
    ] {
        refused(what, &text);
    }
    let many: String = (0..20_000).map(|n| format!("\"{n}\":{n},")).collect();
    assert!(timed("many keys", || normalise(&format!("{{{many}\"x\":1}}"))).is_ok());
}
