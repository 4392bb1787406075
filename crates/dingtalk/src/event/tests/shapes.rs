//! The same event in three shapes has the same keys.

use super::{
    approvals::{FINISHED, STARTED, TASK_FINISHED},
    *,
};

/// The complete frame and the push of reference dingtalk 1.5 and 3.1.
const FRAME: &str = r#"{"specVersion":"1.0","type":"EVENT","headers":{"appId":"11111111-2222-3333-4444-555555555555","connectionId":"c0ffee00-0000-11f0-8000-000000000001","contentType":"application/json","messageId":"212b9d7c_165f_19bfa1a500a_0001","time":"1790000000456","topic":"*","eventType":"user_add_org","eventId":"0f1e2d3c4b5a69788796a5b4c3d2e1f0","eventCorpId":"ding0000test0000corp","eventBornTime":"1790000000123","eventUnifiedAppId":"11111111-2222-3333-4444-555555555555"},"data":"{\"eventId\":\"0f1e2d3c4b5a69788796a5b4c3d2e1f0\",\"timeStamp\":\"1790000000100\",\"userId\":[\"user0001\"]}"}"#;
const PUSH: &str = r#"{"EventType":"user_add_org","EventTime":1790000000123,"CorpId":"ding0000test0000corp","BizId":"1790000000123","eventId":"0f1e2d3c4b5a69788796a5b4c3d2e1f0","timeStamp":"1790000000100","userId":["user0001"]}"#;
/// The page of reference dingtalk 4.7.
const PAGE: &str = r#"{"errcode":0,"errmsg":"ok","has_more":false,"failed_list":[{"call_back_tag":"user_add_org","event_time":1790000000123,"user_add_org":{"corpid":"ding0000test0000corp","userid":["user0001"]}},{"call_back_tag":"bpms_instance_change","event_time":1790000000123,"bpms_instance_change":{"corpid":"ding0000test0000corp","bpmsCallBackData":{"processInstanceId":"Tst-ProcInst-0001","type":"finish","result":"agree"}}}]}"#;

fn content_of(event: &Event) -> Value {
    let EventBody::Callback(callback) = &event.body else { panic!("no callback") };
    serde_json::from_str(&callback.content).unwrap()
}

#[test]
fn the_samples_of_the_reference_are_one_event() {
    let frame = Frame::parse(FRAME).unwrap();
    let frame = normalise_frame(&tenant(), CORP, &frame, NOW, None, Wanted::ALL).unwrap();
    let page = normalise_failed(&tenant(), CORP, PAGE, NOW, Wanted::ALL);
    assert_eq!(frame, http(PUSH));
    let platform = format!("{CORP}/user_add_org/0f1e2d3c4b5a69788796a5b4c3d2e1f0/member/user0001");
    assert_eq!(frame[0].keys.platform, Some(platform));
    assert_eq!((&page[0].body, &page[0].keys.content), (&frame[0].body, &frame[0].keys.content));
    assert_eq!(page[0].keys.platform, None);
    let finished = stream("bpms_instance_change", FINISHED);
    assert_eq!(contents(&page[1..]), contents(&finished));
    assert_eq!(finished, stream("bpms_instance_change", FINISHED));
}

#[test]
fn keys_coincide_in_all_shapes() {
    let approval = |data: &str| {
        let inner: Value = serde_json::from_str(data).unwrap();
        json!({ "corpid": CORP, "bpmsCallBackData": inner })
    };
    let other = |data: &str| {
        let inner: Value = serde_json::from_str(data).unwrap();
        json!({ "corpid": CORP, "callbackData": inner })
    };
    let punch = r#"{"eventId":"e","dataList":[{"userId":"u1","checkTime":1789952400000,"bizId":"FF01"}]}"#;
    let boss = r#"{"eventId":"e","workDate":"2026-09-21 00:00:00","planId":5001,"userId":"u1"}"#;
    let role = r#"{"eventId":"e","userIdList":["u1"],"action":"add","labelIdList":[7001]}"#;
    let comment = TASK_FINISHED.replace("\"finish\",\"result\":\"agree\"", "\"comment\"");
    for (name, data, body) in [
        (
            "user_leave_org",
            r#"{"eventId":"e","userId":["u1","u2"]}"#,
            json!({ "corpid": CORP, "userid": ["u1", "u2"] }),
        ),
        ("org_dept_modify", r#"{"eventId":"e","deptId":[5]}"#, json!({ "corpid": CORP, "deptid": ["5"] })),
        ("bpms_instance_change", STARTED, approval(STARTED)),
        ("bpms_task_change", TASK_FINISHED, approval(TASK_FINISHED)),
        ("bpms_task_change", &comment, approval(&comment)),
        ("attendance_check_record", punch, other(punch)),
        ("attend_bossCheck_change", boss, other(boss)),
        (
            "label_user_change",
            role,
            json!({ "corpid": CORP, "roleLabelChange": { "useridlist": ["u1"], "labelidlist": ["7001"], "action": "add" } }),
        ),
    ] {
        let (stream, http, failed) = (stream(name, data), http(&push(name, data)), failed(name, &body));
        assert_eq!(contents(&stream), contents(&http), "{name}");
        assert_eq!(contents(&stream), contents(&failed), "{name}");
        let platform = |events: &[Event]| events.iter().map(|event| event.keys.platform.clone()).collect::<Vec<_>>();
        assert_eq!(platform(&stream), platform(&http), "{name}");
        assert!(platform(&failed).iter().all(Option::is_none));
    }
}

#[test]
fn what_is_passed_on_has_the_shape_of_a_push() {
    let from_stream = content_of(stream("bpms_instance_change", FINISHED).last().unwrap());
    let pushed: Value = serde_json::from_str(&push("bpms_instance_change", FINISHED)).unwrap();
    for name in ["EventType", "EventTime", "CorpId", "eventId", "processInstanceId", "result", "finishTime", "title"] {
        assert_eq!(from_stream[name], pushed[name], "{name}");
    }
    assert_eq!(from_stream["BizId"], "3cc1");
    let page = normalise_failed(&tenant(), CORP, PAGE, NOW, Wanted::ALL);
    let from_list = content_of(page.last().unwrap());
    for name in ["EventType", "EventTime", "CorpId", "processInstanceId", "result"] {
        assert_eq!(from_list[name], pushed[name], "{name}");
    }
    assert_eq!(from_list["eventId"], json!(page.last().unwrap().keys.content));
    let text = push("bpms_instance_change", FINISHED);
    let EventBody::Callback(verbatim) = http(&text).pop().unwrap().body else { panic!() };
    assert_eq!(verbatim.content, text, "a push is passed on byte for byte");
}

#[test]
fn a_push_without_an_event_id_goes_by_its_biz_id() {
    let text = r#"{"EventType":"leave_quota_update","EventTime":1790000000123,"CorpId":"ding0000test0000corp","BizId":"77","leaveCode":"lc"}"#;
    let platform = http(text).pop().unwrap().keys.platform;
    assert_eq!(platform, Some(format!("{CORP}/leave_quota_update/77/callback")));
}

#[test]
fn verification_pushes_mean_nothing() {
    for text in [
        r#"{"EventType":"check_url"}"#,
        r#"{"EventType":"check_create_suite_url","Random":"LPIdSnlF","TestSuiteKey":"suite4xxxxxxxxxxxxxxx"}"#,
        r#"{"EventType":"check_update_suite_url","Random":"LPIdSnlF","TestSuiteKey":"suite4xxxxxxxxxxxxxxx"}"#,
    ] {
        assert!(http(text).is_empty(), "{text}");
    }
}

#[test]
fn what_belongs_to_another_organisation_changes_nothing_here() {
    let foreign = PUSH.replace(CORP, "ding9999other9999corp");
    assert_eq!(in_short(&http(&foreign)), ["callback user_add_org"]);
    let unset = normalise_http(&tenant(), "", &foreign, NOW, None, Wanted::ALL).unwrap();
    assert_eq!(in_short(&unset), ["member created? user0001"], "who did not say which organisation gets all");
}
