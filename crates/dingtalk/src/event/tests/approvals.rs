use common::{Field, Fields};

use super::*;

pub(super) const STARTED: &str = r#"{"eventId":"3cc0","processInstanceId":"Tst-ProcInst-0001","processCode":"PROC-TEST-0001","bizCategoryId":"attendance.supply","businessId":"202609210001000000001","businessType":"","type":"start","title":"张三提交的补卡申请","staffId":"user0001","createTime":1789999000000,"url":"https://aflow.dingtalk.com/x?procInstId=Tst-ProcInst-0001","resource":"/v1.0/event/bpms_instance_change/bizCategoryId/attendance.supply/processCode/PROC-TEST-0001/type/start"}"#;
pub(super) const FINISHED: &str = r#"{"eventId":"3cc1","processInstanceId":"Tst-ProcInst-0001","processCode":"PROC-TEST-0001","bizCategoryId":"attendance.supply","businessId":"202609210001000000001","businessType":"","type":"finish","result":"agree","title":"张三提交的补卡申请","staffId":"user0001","createTime":1789999000000,"finishTime":1790000000000,"url":"https://aflow.dingtalk.com/x?procInstId=Tst-ProcInst-0001","resource":"/v1.0/event/bpms_instance_change/bizCategoryId/attendance.supply/processCode/PROC-TEST-0001/type/finish"}"#;
const TERMINATED: &str = r#"{"eventId":"3cc2","processInstanceId":"Tst-ProcInst-0003","processCode":"PROC-TEST-0003","bizCategoryId":"","businessId":"202609210002000000003","businessType":"","type":"terminate","title":"李四提交的请假","staffId":"user0002","createTime":1789999000000,"finishTime":1789999500000}"#;
const TASK_STARTED: &str = r#"{"eventId":"3cc3","processInstanceId":"Tst-ProcInst-0001","processCode":"PROC-TEST-0001","bizCategoryId":"attendance.supply","businessId":"202609210001000000001","businessType":"","taskId":811165001,"type":"start","title":"张三提交的补卡申请","staffId":"manager0001","createTime":1789999001000,"activityId":"a1b2_c3d4","activityName":"直接主管"}"#;
pub(super) const TASK_FINISHED: &str = r#"{"eventId":"3cc4","processInstanceId":"Tst-ProcInst-0001","processCode":"PROC-TEST-0001","bizCategoryId":"attendance.supply","businessId":"202609210001000000001","businessType":"","taskId":811165001,"type":"finish","result":"agree","remark":"同意","title":"张三提交的补卡申请","staffId":"manager0001","createTime":1789999001000,"finishTime":1789999990000,"actualActionerId":"manager0001","agentActionerIds":[]}"#;
const ON_LEAVE: &str = r#"{"eventId":"2bb2","approveType":"LEAVE","processInstanceId":"Tst-ProcInst-0002","mainProcessInstanceId":"Tst-ProcInst-0002","processCode":"PROC-TEST-0002","corpId":"ding0000test0000corp","status":"finish"}"#;

fn fields(events: &[Event]) -> &Fields {
    seen(&events[0]).unwrap().what.fields().unwrap()
}

#[test]
fn every_sample_asks_for_its_instance_and_is_passed_on() {
    for (name, data, id) in [
        ("bpms_instance_change", STARTED, "Tst-ProcInst-0001"),
        ("bpms_instance_change", FINISHED, "Tst-ProcInst-0001"),
        ("bpms_instance_change", TERMINATED, "Tst-ProcInst-0003"),
        ("bpms_task_change", TASK_STARTED, "Tst-ProcInst-0001"),
        ("bpms_task_change", TASK_FINISHED, "Tst-ProcInst-0001"),
        ("attendance_approve_status_change", ON_LEAVE, "Tst-ProcInst-0002"),
    ] {
        let events = stream(name, data);
        assert_eq!(in_short(&events), [format!("approval updated? {id}"), format!("callback {name}")]);
        assert_eq!(seen(&events[0]).unwrap().at, BORN);
        assert!(fields(&events).text(Field::Template).unwrap().starts_with("PROC-TEST-000"));
        assert!(!fields(&events).has(Field::Status) && !fields(&events).has(Field::Result));
    }
}

#[test]
fn an_instance_tells_its_title_and_its_times() {
    let expected = Fields::new()
        .with(Field::Template, "PROC-TEST-0001")
        .with(Field::Subject, "张三提交的补卡申请")
        .with(Field::StartedAt, 1_789_999_000_000);
    let started = stream("bpms_instance_change", STARTED);
    assert_eq!(fields(&started), &expected);
    let finished = stream("bpms_instance_change", FINISHED);
    assert_eq!(fields(&finished), &expected.with(Field::FinishedAt, 1_790_000_000_000));
    let task = stream("bpms_task_change", TASK_FINISHED);
    assert_eq!(
        fields(&task),
        &Fields::new().with(Field::Template, "PROC-TEST-0001"),
        "a task's person is no applicant"
    );
}

#[test]
fn a_deleted_instance_is_gone() {
    let events = stream("bpms_instance_change", &STARTED.replace("\"start\"", "\"delete\""));
    assert_eq!(in_short(&events), ["approval removed? Tst-ProcInst-0001", "callback bpms_instance_change"]);
    let timeless = r#"{"EventType":"bpms_instance_change","processInstanceId":"p","type":"delete","createTime":1789999000000,"corpId":"ding0000test0000corp"}"#;
    assert_eq!(seen(&http(timeless)[0]).unwrap().at, NOW, "it was not deleted when it was made");
}

#[test]
fn the_oldest_dialect_has_no_time_of_the_event() {
    let old = |data: &str| {
        let mut members: Map<String, Value> = serde_json::from_str(data).unwrap();
        members.remove("eventId");
        members.insert("EventType".into(), json!("bpms_instance_change"));
        members.insert("corpId".into(), json!(CORP));
        http(&Value::Object(members).to_string())
    };
    assert_eq!(seen(&old(STARTED)[0]).unwrap().at, UnixMillis(1_789_999_000_000));
    let finished = old(FINISHED);
    assert_eq!(seen(&finished[0]).unwrap().at, UnixMillis(1_790_000_000_000));
    assert_eq!(contents(&finished), contents(&stream("bpms_instance_change", FINISHED)));
}

#[test]
fn facts_of_one_second_are_not_merged() {
    let mut keys = std::collections::BTreeSet::new();
    let mut distinct = |name: &str, data: &str| {
        let events = stream(name, data);
        let all_new = events.iter().all(|event| keys.insert(event.keys.content.clone()));
        assert!(all_new, "{name} {data}");
    };
    for data in [STARTED, FINISHED, TERMINATED] {
        distinct("bpms_instance_change", data);
    }
    distinct("bpms_instance_change", &FINISHED.replace("\"agree\"", "\"refuse\""));
    distinct("bpms_instance_change", &FINISHED.replace("Inst-0001", "Inst-0009"));
    distinct("bpms_instance_change", &FINISHED.replace("\"finish\",\"result\":\"agree\"", "\"terminate\""));
    for data in [TASK_STARTED, TASK_FINISHED] {
        distinct("bpms_task_change", data);
    }
    distinct("bpms_task_change", &TASK_FINISHED.replace("811165001", "811165002"));
    distinct("bpms_task_change", &TASK_FINISHED.replace("\"agree\"", "\"redirect\""));
    distinct("bpms_task_change", &TASK_FINISHED.replace("\"finish\",\"result\":\"agree\"", "\"cancel\""));
    let comment = TASK_FINISHED.replace("\"finish\",\"result\":\"agree\"", "\"comment\"");
    distinct("bpms_task_change", &comment);
    distinct("bpms_task_change", &comment.replace("同意", "再看看"));
    distinct("bpms_task_change", &comment.replace("\"staffId\":\"manager0001\"", "\"staffId\":\"manager0002\""));
    let nameless = TASK_FINISHED.replace("\"taskId\":811165001,", "");
    distinct("bpms_task_change", &nameless);
    distinct("bpms_task_change", &nameless.replace("\"staffId\":\"manager0001\"", "\"staffId\":\"manager0002\""));
    for status in ["start", "finish", "terminate", "delete"] {
        distinct("attendance_approve_status_change", &ON_LEAVE.replace("finish", status));
    }
}

#[test]
fn a_comment_that_is_made_again_is_another() {
    let comment = TASK_FINISHED.replace("\"finish\",\"result\":\"agree\"", "\"comment\"");
    let text = push("bpms_task_change", &comment);
    let again = text.replace("\"EventTime\":1790000000123", "\"EventTime\":1790000000124");
    assert_ne!(contents(&http(&text)), contents(&http(&again)));
}

#[test]
fn who_does_not_want_approvals_has_them_passed_on_only() {
    let wanted = Wanted { approvals: false, ..Wanted::ALL };
    for (name, data) in [("bpms_instance_change", FINISHED), ("attendance_approve_status_change", ON_LEAVE)] {
        let events = normalise_http(&tenant(), CORP, &push(name, data), NOW, None, wanted).unwrap();
        assert_eq!(in_short(&events), [format!("callback {name}")]);
    }
    let without_id = FINISHED.replace("processInstanceId", "x");
    assert_eq!(in_short(&stream("bpms_instance_change", &without_id)), ["callback bpms_instance_change"]);
}
