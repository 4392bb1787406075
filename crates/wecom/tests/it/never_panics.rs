//! No input makes anything panic.

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use wecom::{Envelope, Query};

use super::{keys, normalise};

const AES_KEY: &str = "Zq3Lw8Rt5Yh2Nb7Vc0Xm4Kd9Fg6Js1Pa2Qe8Ui5Oz7B";

/// Pieces that a parser has a branch for.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "<xml>",
        "</xml>",
        "<Encrypt>",
        "</Encrypt>",
        "<Encrypt/>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?xml ",
        "?>",
        "<!",
        "&amp;",
        "&#x4e2d;",
        "&",
        ";",
        "=",
        "\"",
        "'",
        "/",
        "<a b='",
        "'>",
        "</a>",
        "encoding",
        "'utf-8'",
        "xmlns:a='b'",
        "\u{feff}",
        "\0",
        "\r\n",
        "中",
        "𠮷",
        "<MsgType>event</MsgType>",
        "<Event>change_contact</Event>",
        "<CreateTime>1767225600</CreateTime>",
        "<ChangeType>update_user</ChangeType>",
        "<ChangeType>create_party</ChangeType>",
        "<UserID>u</UserID>",
        "<Id>4</Id>",
        "<Department>1,2</Department>",
        "<IsLeaderInDept>1,</IsLeaderInDept>",
        "<ExtAttr>",
        "</ExtAttr>",
        "<Item>",
        "</Item>",
        "<Name>",
        "</Name>",
        "<Text><Value>",
        "</Value></Text>",
        "{",
        "}",
        "[",
        "]",
        "\"MsgType\"",
        ":",
        ",",
        "1e9",
        "msg_signature=",
        "&timestamp=1767225600",
        "&nonce=",
        "&echostr=",
        "%2B",
        "%",
        "%FF",
        "+",
        "0bdc2a4c0219aed584804df5bcc5caea10168a0a",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn anything_made_of_pieces(pieces in prop::collection::vec(piece(), 0..24)) {
        let text = pieces.concat();
        drop(Query::parse(&text));
        drop(Envelope::parse(text.as_bytes()));
        drop(normalise(&text));
        drop(normalise(&format!("<xml>{text}</xml>")));
        drop(keys("t", AES_KEY, "ww1").decrypt(&text));
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(Envelope::parse(&bytes));
        drop(keys("t", AES_KEY, "ww1").decrypt(&STANDARD.encode(&bytes)));
        let text = String::from_utf8_lossy(&bytes);
        drop(Query::parse(&text));
        drop(normalise(&text));
    }

    #[test]
    fn any_blocks_and_receive_id(blocks in 0usize..12, byte in any::<u8>(), receive_id in "\\PC{0,80}") {
        drop(keys("t", AES_KEY, &receive_id).decrypt(&STANDARD.encode(vec![byte; blocks * 16])));
    }
}
