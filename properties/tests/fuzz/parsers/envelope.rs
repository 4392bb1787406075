//! The body of a callback request.

use wecom::{Envelope, Refusal};

use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made,
};

const WORDS: &[&str] = &[
    "<xml>",
    "</xml>",
    "<xml/>",
    "<Encrypt>",
    "</Encrypt>",
    "<Encrypt>QUJDRA==</Encrypt>",
    "<ToUserName/>",
    "<AgentID>1</AgentID>",
    "<![CDATA[",
    "]]>",
    "]]]]><![CDATA[>",
    "<!--",
    "-->",
    "<?xml version=\"1.0\" encoding=\"GBK\"?>",
    "<?xml version='1.0' encoding='utf-8'?>",
    "<?a ",
    "?>",
    "<!DOCTYPE xml [<!ENTITY a \"b\">]>",
    "<!DOCTYPE xml SYSTEM \"http://127.0.0.1:9/\">",
    "<!ENTITY % p SYSTEM \"file:///etc/passwd\">",
    "<!",
    "&a;",
    "&amp;",
    "&#13;",
    "&#x4e2d;",
    "&#xd800;",
    "&#0;",
    "&#99999999999;",
    "&",
    "<a b='c' d=\">\">",
    "<n:a xmlns:n='u'/>",
    " xmlns='u'",
    "</a>",
    "<MsgType>event</MsgType>",
    "<Event>change_contact</Event>",
    "<ChangeType>create_user</ChangeType>",
    "<ChangeType>update_user</ChangeType>",
    "<ChangeType>delete_user</ChangeType>",
    "<ChangeType>create_party</ChangeType>",
    "<ChangeType>update_party</ChangeType>",
    "<ChangeType>delete_party</ChangeType>",
    "<ChangeType>update_tag</ChangeType>",
    "<CreateTime>1767225600</CreateTime>",
    "<UserID>u</UserID>",
    "<NewUserID>v</NewUserID>",
    "<Id>42</Id>",
    "<Name>N</Name>",
    "<ParentId>17</ParentId>",
    "<Order>4294967295</Order>",
    "<Department>1,02,3</Department>",
    "<IsLeaderInDept>1,0,1</IsLeaderInDept>",
    "<MainDepartment>17</MainDepartment>",
    "<DirectLeader>a, b,,c</DirectLeader>",
    "<Gender>2</Gender>",
    "<Status>4</Status>",
    "<ExtAttr>",
    "</ExtAttr>",
    "<Item><Name>a</Name><Type>1</Type><Web><Title>t</Title><Url>https://u</Url></Web></Item>",
    "<Item><Name>b</Name><Text><Value>v</Value></Text></Item>",
    "{",
    "}",
    "[",
    "]",
    "\"MsgType\":\"event\"",
    "\\ud800",
    ",",
    ":",
    "null",
];

#[test]
fn an_envelope_is_read_or_refused() {
    let made = made::xml("<ToUserName>ww1</ToUserName><Encrypt>QUJDRA==</Encrypt>");
    fuzz(&Parser { name: "envelope", tokens: WORDS, limits: Limits::NETWORK, made, parse: &parse });
}

fn parse(input: &[u8]) -> Came {
    match Envelope::parse(input) {
        Ok(envelope) => {
            // XML has one sort of line end, in whatever way another one was smuggled in.
            let plain = |text: &str| text.replace('\r', "\n");
            let expected = Envelope {
                to_user_name: plain(&envelope.to_user_name),
                agent_id: envelope.agent_id.as_deref().map(plain),
                encrypt: plain(&envelope.encrypt),
            };
            assert_eq!(Envelope::parse(written(&expected).as_bytes()), Ok(expected));
            Came::taken(format!("agent: {}", envelope.agent_id.is_some()))
        }
        Err(refusal) => {
            assert!(matches!(refusal, Refusal::Unauthorized { .. }), "nothing is signed yet: {refusal}");
            Came::refused(refusal.why())
        }
    }
}

/// In another spelling than most: the elements in another order, and no CDATA.
fn written(envelope: &Envelope) -> String {
    let Envelope { to_user_name, agent_id, encrypt } = envelope;
    let agent = agent_id.as_ref().map_or_else(String::new, |id| format!("<AgentID>{}</AgentID>", escaped(id)));
    let (encrypt, to) = (escaped(encrypt), escaped(to_user_name));
    format!("<xml>{agent}<Encrypt>{encrypt}</Encrypt><ToUserName>{to}</ToUserName></xml>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
