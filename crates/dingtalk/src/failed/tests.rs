use common::EventBody;
use serde_json::json;

use super::*;

const CORP: &str = "ding0000test0000corp";
const NOW: UnixMillis = UnixMillis(1_790_000_001_000);

fn normalised(page: &str) -> Vec<Event> {
    normalise_failed(&"acme".parse().unwrap(), CORP, page, NOW, Wanted::ALL)
}

fn callbacks(page: &str) -> Vec<(String, String)> {
    let callback = |event: Event| match event.body {
        EventBody::Callback(callback) => Some((callback.name, callback.content)),
        EventBody::Directory(_) => None,
    };
    normalised(page).into_iter().filter_map(callback).collect()
}

#[test]
fn a_page_says_how_much_it_has_and_whether_there_is_more() {
    for (page, has_more, entries) in [
        (r#"{"errcode":0,"errmsg":"ok","has_more":false,"failed_list":[]}"#, false, 0),
        (r#"{"errcode":0,"has_more":true,"failed_list":[{},[],1,{"x":{}}]}"#, true, 4),
        (r#"{"errcode":0,"has_more":"true","failed_list":null}"#, true, 0),
        (r#"{"errcode":0,"errmsg":"ok"}"#, false, 0),
    ] {
        assert_eq!(failed_entries(page), Ok(FailedPage { has_more, entries }), "{page}");
    }
    for page in ["", "<html>", "null", r#"{"failed_list":{}}"#, r#"{"failed_list":[}"#] {
        assert_eq!(failed_entries(page), Err(BadPage), "{page}");
    }
}

#[test]
fn unreadable_entries_are_kept_to_the_letter_beside_readable_ones() {
    let good = r#"{"call_back_tag":"user_leave_org","event_time":"1790000000123","user_leave_org":{"corpid":"ding0000test0000corp","userid":"u1"}}"#;
    let bad = [
        "{}",
        r#"{"call_back_tag":7,"event_time":1}"#,
        r#"{"call_back_tag":"user_add_org","event_time":1790000000123}"#,
        r#"{"call_back_tag":"user_add_org","user_add_org":[ 1.50 ]}"#,
        r#"{"call_back_tag":"user_add_org","user_add_org":"no json"}"#,
        "[1, 2 ]",
        "null",
    ];
    let page = format!(r#"{{"errcode":0,"has_more":false,"failed_list":[{},{good}]}}"#, bad.join(","));
    let kept = callbacks(&page);
    assert_eq!(kept.iter().map(|(_, content)| content.as_str()).collect::<Vec<_>>(), bad);
    assert!(kept.iter().all(|(name, _)| name == "failed_push"));
    let events = normalised(&page);
    assert_eq!(events.last().unwrap().type_name(), "member.removed");
    let mut keys: Vec<&str> = events.iter().map(|event| event.keys.content.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), bad.len() + 1);
}

#[test]
fn a_page_that_is_none_is_kept_as_a_whole() {
    let page = "<html>busy</html>";
    assert_eq!(callbacks(page), [("failed_pushes".to_owned(), page.to_owned())]);
    assert_eq!(normalised(page), normalised(page));
}

#[test]
fn fields_are_found_wherever_they_are() {
    let fields = json!({ "processInstanceId": "p1", "type": "finish", "result": "agree" });
    let mut beside = fields.clone();
    beside["corpid"] = json!(CORP);
    let bodies = [
        json!({ "corpid": CORP, "bpmsCallBackData": fields }),
        json!({ "corpid": CORP, "bpmscallbackdata": fields.to_string() }),
        json!({ "corpid": CORP, "callbackData": fields }),
        json!(beside.to_string()),
        beside,
    ];
    let of = |body: &serde_json::Value| {
        let entry = json!({ "call_back_tag": "bpms_instance_change", "event_time": 1_790_000_000_123_i64, "bpms_instance_change": body });
        normalised(&json!({ "failed_list": [entry] }).to_string())
    };
    let first = of(&bodies[0]);
    assert_eq!(first[0].type_name(), "approval.updated");
    for body in &bodies {
        let keys = |events: &[Event]| events.iter().map(|event| event.keys.clone()).collect::<Vec<_>>();
        assert_eq!(keys(&of(body)), keys(&first), "{body}");
    }
}

#[test]
fn an_entry_of_another_organisation_changes_nothing_here() {
    let entry = json!({ "call_back_tag": "user_leave_org", "event_time": 1, "user_leave_org": { "corpid": "ding9", "userid": ["u1"] } });
    let kept = callbacks(&json!({ "failed_list": [entry] }).to_string());
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].0, "user_leave_org");
}
