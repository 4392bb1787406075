//! What a decrypted callback means.

use common::{Action, Change, Entity, EntityKey, Event, EventBody, Field, Observation, What};
use wecom::{Refusal, normalise, render::contact_change};

use super::{CORP, NOW, tenant};
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made,
};

/// Written in full, an attribute is nine nodes of XML, and our own reader takes 10,000.
const MOST_ATTRIBUTES: usize = 1_000;
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

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
fn a_plaintext_becomes_an_event_or_is_refused() {
    let mut made: Vec<Vec<u8>> = made::callbacks().into_iter().map(String::into_bytes).collect();
    made.extend(made::xml("<MsgType>event</MsgType><Event>change_contact</Event><ChangeType>delete_user</ChangeType>"));
    made.extend(made::json("{\"MsgType\":\"text\",\"CreateTime\":1767225600,"));
    made.extend([made::member_of(10_000, false), made::member_of(10_000, true)]);
    fuzz(&Parser { name: "plaintext", tokens: WORDS, limits: Limits::NETWORK, made, parse: &parse });
}

fn parse(input: &[u8]) -> Came {
    let text = String::from_utf8_lossy(input);
    match normalise(&tenant(), CORP, &text, NOW, Some(TRACE.to_owned())) {
        Ok(events) => {
            let [event] = events.as_slice() else { panic!("{} events of one callback", events.len()) };
            check(event, &text)
        }
        Err(refusal) => {
            assert!(matches!(refusal, Refusal::Malformed { .. }), "it is signed by now: {refusal}");
            Came::refused(refusal.why())
        }
    }
}

fn check(event: &Event, text: &str) -> Came {
    assert_eq!(Event::from_cloud_event(&event.to_cloud_event()).as_ref(), Ok(event));
    assert_eq!((event.id.len(), &event.id), (40, &event.keys.content));
    match &event.body {
        EventBody::Directory(seen) => {
            relay(seen);
            let fields: Vec<Field> =
                seen.what.fields().into_iter().flat_map(|fields| fields.iter()).map(|(field, _)| field).collect();
            Came::taken(format!("{} {} {fields:?}", event.type_name(), seen.hint))
        }
        EventBody::Callback(callback) => {
            assert_eq!(callback.content, text, "a callback is passed on as it came");
            Came::taken(format!("callback, timed: {}", callback.at != NOW))
        }
    }
}

/// An OA that is told of it reads it as something about the same entity.
fn relay(seen: &Observation) {
    let shown = match &seen.what {
        What::Renamed { to, .. } => to,
        _ => &seen.id,
    };
    let action = match seen.what.fields() {
        Some(fields) if fields.map(Field::Attributes).is_some_and(|map| map.len() > MOST_ATTRIBUTES) => return,
        Some(fields) => {
            let entity = Entity { shown_id: shown.clone(), fields: fields.clone(), incomplete: false };
            Action::Upsert { entity, renamed_from: None }
        }
        None => Action::Remove,
    };
    let change = Change {
        tenant: tenant(),
        version: 1,
        entity: EntityKey::new(seen.kind, shown),
        action,
        source_time: seen.at,
        received_at: NOW,
        traceparent: None,
        refers_to: vec![],
        leaves: vec![],
        first: true,
        only_for: None,
    };
    let Some(text) = contact_change(CORP, seen.at.seconds(), &change, None) else {
        assert!(change.entity.is_root(), "nothing is told of {}", change.entity);
        return;
    };
    let events = normalise(&tenant(), CORP, &text, NOW, None);
    let body = events.as_ref().ok().and_then(|events| events.first()).map(|event| &event.body);
    let Some(EventBody::Directory(read)) = body else { panic!("what we tell is not understood: {events:?}: {text}") };
    // XML has one sort of line end.
    let id = shown.replace("\r\n", "\n").replace('\r', "\n");
    assert_eq!((read.key(), read.at), (EntityKey::new(seen.kind, &id), seen.at));
}
