//! What a stranger with the right key, or a platform that changed its mind, may send.

use proptest::prelude::*;

use super::*;

fn tried(text: &str) -> Result<Vec<Event>, Refusal> {
    normalise_http(&tenant(), CORP, text, NOW, None, Wanted::ALL)
}

#[test]
fn what_is_no_object_is_refused_and_nothing_else_is() {
    let deep = format!("{{\"EventType\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    for (text, why) in [
        ("", "json_syntax"),
        ("<xml/>", "json_syntax"),
        ("{\"EventType\":\"user_add_org\"", "json_syntax"),
        ("{} {}", "json_syntax"),
        (deep.as_str(), "json_syntax"),
        ("[]", "not_an_object"),
        ("null", "not_an_object"),
        ("\"check_url\"", "not_an_object"),
    ] {
        assert_eq!(tried(text), Err(Refusal::malformed(why)), "{text}");
    }
    for text in ["{}", "\u{feff}{}", r#"{"EventType":null}"#, r#"{"EventType":{"a":1}}"#, r#"{"EventType":"a\nb"}"#] {
        let events = tried(text).unwrap();
        assert_eq!(in_short(&events), ["callback unknown"]);
        let EventBody::Callback(callback) = &events[0].body else { panic!() };
        assert_eq!((callback.content.as_str(), callback.at), (text, NOW));
    }
}

#[test]
fn a_frame_that_says_nothing_is_refused_and_one_with_odd_data_is_kept() {
    let ping = Frame::parse(r#"{"type":"SYSTEM","headers":{"topic":"ping"},"data":"{}"}"#).unwrap();
    let refused = normalise_frame(&tenant(), CORP, &ping, NOW, None, Wanted::ALL).unwrap_err();
    assert_eq!(refused.why(), "frame_without_event");
    for data in ["", "null", "[1,2]", "no json", "\"text\""] {
        let events = stream("user_add_org", data);
        assert_eq!(in_short(&events), ["callback user_add_org"]);
        let EventBody::Callback(callback) = &events[0].body else { panic!() };
        let read: Value = serde_json::from_str(&callback.content).unwrap();
        assert_eq!(read["data"], data, "nothing of it is lost");
    }
    let key = |data: &str| stream("label_conf_add", data)[0].keys.content.clone();
    assert_ne!(key("no json"), key("no JSON"), "two of one moment are two");
}

#[test]
fn ids_that_cannot_be_are_passed_over() {
    let long = "x".repeat(129);
    for id in ["", " ", "a b", "a\u{0}b", "a\nb", long.as_str()] {
        let data = json!({ "eventId": "e", "userId": [id, "user0001"] }).to_string();
        let expected = ["member created? user0001", "callback user_add_org"];
        assert_eq!(in_short(&stream("user_add_org", &data)), expected, "{id:?}");
        let approval = json!({ "eventId": "e", "processInstanceId": id }).to_string();
        assert_eq!(in_short(&stream("bpms_task_change", &approval)), ["callback bpms_task_change"], "{id:?}");
    }
    for id in ["99999999999999999999", "1.5", "0", "-0", "+1x", "１"] {
        let data = json!({ "deptId": id }).to_string();
        assert_eq!(in_short(&stream("org_dept_remove", &data)), ["callback org_dept_remove"], "{id}");
    }
}

#[test]
fn an_event_id_that_is_none_is_no_key() {
    let long = "e".repeat(129);
    for id in ["", "a b", "中", long.as_str()] {
        let text = json!({ "EventType": "org_change", "eventId": id }).to_string();
        assert_eq!(tried(&text).unwrap()[0].keys.platform, None, "{id}");
    }
}

#[test]
fn times_beyond_reason_are_none() {
    for time in ["99999999999999", "-1", "0", "1e300", "2026-09-21"] {
        let text = json!({ "EventType": "org_change", "EventTime": time }).to_string();
        assert_eq!(seen(&tried(&text).unwrap()[0]).unwrap().at, NOW, "{time}");
    }
    let punch =
        json!({ "dataList": [{ "userId": "u1", "checkTime": 9_999_999_999_999_i64, "bizId": "b" }] }).to_string();
    let expected = ["attendance_day updated? u1/2286-11-20", "attendance_day updated? u1/2286-11-21"];
    assert_eq!(in_short(&stream("attendance_check_record", &punch))[..2], expected);
}

#[test]
fn a_crowd_is_an_event_each() {
    let crowd: Vec<String> = (0..5_000).map(|nth| format!("user{nth}")).collect();
    let data = json!({ "eventId": "e", "userId": crowd }).to_string();
    let events = stream("user_modify_org", &data);
    assert_eq!(events.len(), 5_000);
    let mut keys = contents(&events);
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 5_000);
}

/// Any JSON, with names that mean something now and then.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("userId".to_owned()),
        Just("UserId".to_owned()),
        Just("deptId".to_owned()),
        Just("dataList".to_owned()),
        Just("checkTime".to_owned()),
        Just("workDate".to_owned()),
        Just("processInstanceId".to_owned()),
        Just("type".to_owned()),
        Just("eventId".to_owned()),
        Just("EventTime".to_owned()),
        "\\PC{0,8}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("1790000000123")),
        Just(json!("2026-09-21")),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "user_add_org",
        "user_leave_org",
        "org_dept_remove",
        "attendance_check_record",
        "attendance_overtime_duration",
        "attend_bossCheck_change",
        "attendance_approve_status_change",
        "bpms_instance_change",
        "bpms_task_change",
        "label_conf_add",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_it_says_nothing_panics_and_something_is_kept(name in any_name(), data in any_json()) {
        let text = data.to_string();
        let events = stream(name, &text);
        prop_assert!(!events.is_empty());
        for event in &events {
            prop_assert_eq!(&Event::from_cloud_event(&event.to_cloud_event()).unwrap(), event);
            if let EventBody::Callback(callback) = &event.body {
                prop_assert!(serde_json::from_str::<Map<String, Value>>(&callback.content).is_ok());
            }
        }
        prop_assert_eq!(&stream(name, &text), &events);
        let listed = failed(name, &json!({ "corpid": CORP, "callbackData": data }));
        prop_assert!(!listed.is_empty());
    }

    #[test]
    fn any_text_is_refused_or_kept(text in "\\PC*") {
        drop(tried(&text));
        prop_assert!(Frame::parse(&text).is_err() || text.contains("type"));
        let may_hold_entries = text.contains(['{', '[']);
        prop_assert!(may_hold_entries || !normalise_failed(&tenant(), CORP, &text, NOW, Wanted::ALL).is_empty());
    }
}
