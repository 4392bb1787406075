use common::Fields;

use super::*;

const MODIFIED: &str = r#"{"timeStamp":"1790000000100","eventId":"1aa0","userId":["user0001"],"diffInfo":[{"prev":{"name":"张三","jobNumber":"A001","telephone":"8001"},"curr":{"name":"张三丰","jobNumber":"A001"},"userid":"user0001"}]}"#;

#[test]
fn members_are_hints_but_for_those_who_leave() {
    for (name, expected) in [
        ("user_add_org", "member created? user0001"),
        ("user_modify_org", "member updated? user0001"),
        ("user_active_org", "member updated? user0001"),
        ("org_admin_add", "member updated? user0001"),
        ("org_admin_remove", "member updated? user0001"),
        ("user_leave_org", "member removed user0001"),
    ] {
        let events = stream(name, MODIFIED);
        assert_eq!(in_short(&events), [expected]);
        let seen = seen(&events[0]).unwrap();
        assert_eq!((seen.at, seen.answer), (BORN, false));
        assert!(seen.what.fields().is_none_or(Fields::is_empty), "what a push tells besides ids is not believed");
    }
}

#[test]
fn each_of_several_members_is_an_event() {
    let events =
        stream("user_leave_org", r#"{"timeStamp":"1790000000200","eventId":"1aa1","userId":["user0002","user0003"]}"#);
    assert_eq!(in_short(&events), ["member removed user0002", "member removed user0003"]);
    let platform: Vec<_> = events.iter().map(|event| event.keys.platform.as_deref().unwrap()).collect();
    let expected = ["member/user0002", "member/user0003"].map(|part| format!("{CORP}/user_leave_org/1aa1/{part}"));
    assert_eq!(platform, expected);
    assert_ne!(events[0].keys.content, events[1].keys.content);
    assert_eq!((&events[0].id, events[0].platform), (&events[0].keys.content, Platform::Dingtalk));
    assert_eq!((events[0].received_at, events[0].traceparent.as_deref()), (NOW, Some("00-ab")));
    let turned = stream("user_leave_org", r#"{"eventId":"1aa1","userId":["USER0003","user0002","user0003"]}"#);
    assert_eq!(in_short(&turned), ["member removed USER0003", "member removed user0002"]);
    let keys = |event: &Event| event.keys.clone();
    assert_eq!(turned.iter().map(keys).collect::<Vec<_>>(), events.iter().rev().map(keys).collect::<Vec<_>>());
}

#[test]
fn departments_have_numbers_and_external_ones_are_not_ours() {
    for (name, expected) in [
        ("org_dept_create", "department created? 900000001"),
        ("org_dept_modify", "department updated? 900000001"),
        ("org_dept_remove", "department removed 900000001"),
    ] {
        assert_eq!(in_short(&stream(name, r#"{"eventId":"1aa2","deptId":[900000001]}"#)), [expected]);
        let callback = format!("callback {name}");
        let events = stream(name, r#"{"eventId":"1aa2","deptId":["0900000001",-7]}"#);
        assert_eq!(in_short(&events), [expected, callback.as_str()]);
        for nobody in [r#"{"deptId":[]}"#, "{}", r#"{"deptId":[-7]}"#, r#"{"deptId":"x"}"#] {
            assert_eq!(in_short(&stream(name, nobody)), [callback.as_str()], "{nobody}");
        }
    }
    assert_eq!(in_short(&stream("org_change", "{}")), ["department updated? 1"]);
}

#[test]
fn roles_and_the_end_of_an_organisation_are_passed_on() {
    for (name, data) in [
        ("label_user_change", r#"{"eventId":"1aa3","userIdList":["user0001"],"action":"add","labelIdList":[7001]}"#),
        ("label_conf_add", r#"{"eventId":"1aa4","scope":"1","labelIdList":[7001]}"#),
        (
            "label_conf_modify",
            r#"{"eventId":"1aa5","scope":"1","labelIdList":[7001],"preLabelList":["{\"hidden\":false,\"name\":\"仓管\",\"id\":7001,\"extraInfo\":{}}"],"postLabelList":["{\"deleted\":false,\"hidden\":false,\"level\":1,\"scope\":1,\"name\":\"仓库管理员\",\"id\":7001,\"parentId\":7000,\"extraInfo\":{}}"]}"#,
        ),
        ("org_remove", "{}"),
        ("emp-label-scope-change", "{}"),
    ] {
        let events = stream(name, data);
        assert_eq!(in_short(&events), [format!("callback {name}")]);
        let EventBody::Callback(callback) = &events[0].body else { panic!() };
        assert_eq!((callback.at, callback.platform), (BORN, Platform::Dingtalk));
    }
}

#[test]
fn the_older_dialect_is_read_too() {
    let old = r#"{"CorpId":"ding0000test0000corp","EventType":"user_add_org","UserId":["user0001"],"OptStaffId":"manager0001","TimeStamp":"1790000000100"}"#;
    let events = http(old);
    assert_eq!(in_short(&events), ["member created? user0001"]);
    assert_eq!(seen(&events[0]).unwrap().at, UnixMillis(1_790_000_000_100));
    assert_eq!(events[0].keys.platform, None);
    let department =
        r#"{"CorpId":"ding0000test0000corp","EventType":"org_dept_remove","DeptId":[5],"TimeStamp":1790000000100}"#;
    assert_eq!(in_short(&http(department)), ["department removed 5"]);
}

#[test]
fn without_any_time_nothing_is_a_repeat() {
    let timeless = r#"{"EventType":"user_leave_org","UserId":["user0001"]}"#;
    let later = normalise_http(&tenant(), CORP, timeless, NOW.plus_seconds(60), None, Wanted::ALL).unwrap();
    assert_ne!(later[0].keys, http(timeless)[0].keys);
    assert_eq!(seen(&later[0]).unwrap().at, NOW.plus_seconds(60));
}

#[test]
fn where_the_directory_is_another_ones_contacts_are_passed_on_only() {
    let wanted = Wanted { contacts: false, ..Wanted::ALL };
    for (name, data) in
        [("user_add_org", r#"{"eventId":"e","userId":["u1"]}"#), ("org_dept_remove", r#"{"eventId":"e","deptId":[5]}"#)]
    {
        let events = normalise_http(&tenant(), CORP, &push(name, data), NOW, None, wanted).unwrap();
        assert_eq!(in_short(&events), [format!("callback {name}")]);
    }
}
