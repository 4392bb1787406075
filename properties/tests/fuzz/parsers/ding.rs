//! What comes from DingTalk, or from an OA that speaks its protocol.

mod answer;
mod encrypt;
mod envelope;
mod failed;
mod frame;
mod opened;
mod push;
mod query;
mod reply;

use std::collections::BTreeSet;

use common::{EntityKind, Event, EventBody, Platform, Secret, TenantId, UnixMillis, attendance::split_day};
use dingtalk::CallbackKeys;

/// The callback address of vector C of reference dingtalk 2.8.
const TOKEN: &str = "brgTok2026";
const AES_KEY: &str = "Qm9udFRlc3RLZXkwMTIzNDU2Nzg5YWJjZGVmZ2hpamo";
const CLIENT: &str = "dingabcd1234efgh5678";
pub(crate) const CORP: &str = "ding0000test0000corp";
const NOW: UnixMillis = UnixMillis(1_790_000_001_000);
/// So many of the events of one input are looked at, at most.
const LOOKED_AT: usize = 100;

/// JSON, and what of it means something.
const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\\"",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "1e999",
    "\"1790000000123\"",
    "1790000000123",
    "\"2026-09-21\"",
    "\"2026-09-21 08:57:10\"",
    "\"userId\":[\"user0001\"],",
    "\"UserId\":\"user0002\",",
    "\"userid\":7,",
    "\"deptId\":[5,-7,\"1\"],",
    "\"timeStamp\":\"1790000000100\",",
    "\"EventType\":\"user_leave_org\",",
    "\"EventType\":\"org_change\",",
    "\"EventTime\":1790000000123,",
    "\"CorpId\":\"ding0000test0000corp\",",
    "\"eventId\":\"e1\",",
    "\"BizId\":\"b1\",",
    "\"dataList\":[{\"userId\":\"u\",\"checkTime\":1790000400000,\"bizId\":\"FF\"}],",
    "\"workDate\":1789920000000,",
    "\"planId\":5001,",
    "\"processInstanceId\":\"p1\",",
    "\"type\":\"finish\",",
    "\"result\":\"agree\",",
    "\"taskId\":811165001,",
    "\"remark\":\"同意\",",
    "\"status\":\"terminate\",",
];

/// The keys under which a company's pushes come, in either name.
fn keys() -> CallbackKeys {
    CallbackKeys::new(&Secret::new(TOKEN), &Secret::new(AES_KEY), &[CLIENT, CORP]).unwrap()
}

/// The same keys as the platform has them, in one name: another implementation.
fn platform_keys(owner: &str) -> platform_sim::Keys {
    platform_sim::Keys::new(TOKEN, AES_KEY, owner).unwrap()
}

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

/// Looks at what an input became; says which sorts of events it is.
fn looked_at(events: &[Event]) -> String {
    for event in events.iter().take(LOOKED_AT) {
        assert_eq!(Event::from_cloud_event(&event.to_cloud_event()).as_ref(), Ok(event));
        assert_eq!((event.platform, event.id.len(), &event.id), (Platform::Dingtalk, 40, &event.keys.content));
        match &event.body {
            EventBody::Directory(seen) => {
                assert!(!seen.id.is_empty() && !seen.answer, "{seen:?}");
                assert!(seen.kind != EntityKind::AttendanceDay || split_day(&seen.id).is_some(), "{seen:?}");
            }
            EventBody::Callback(callback) => assert_eq!(callback.platform, Platform::Dingtalk),
        }
    }
    let sorts: BTreeSet<&str> = events.iter().take(LOOKED_AT).map(|event| event.type_name()).collect();
    sorts.into_iter().collect::<Vec<_>>().join(" ")
}

/// The same of a single push, whose events are different facts.
fn of_one_push(events: &[Event]) -> String {
    let keys: BTreeSet<&String> = events.iter().map(|event| &event.keys.content).collect();
    assert_eq!(keys.len(), events.len(), "two events of one push would be taken for one");
    looked_at(events)
}
