//! Approvals.

use super::*;
use crate::dingtalk::Instance;

fn started(stage: &Stage, matter: Matter) -> String {
    stage.happens(|company| company.start_approval(&stage.people[0], matter)).expect("legal").0
}

fn outing() -> Matter {
    Matter::Outing { begin_ms: at("2026-09-21 14:00"), end_ms: at("2026-09-21 17:00") }
}

fn instance(stage: &Stage, id: &str) -> Instance {
    stage.api.company().instance(id).expect("it").clone()
}

fn get(stage: &Stage, id: &str) -> (u16, Value) {
    let answer = stage.call_with(&stage.token(), Interface::Approval, &[("processInstanceId", id)], &Value::Null);
    (answer.status, parsed(&answer))
}

fn old(stage: &Stage, id: &str) -> Value {
    let answer = stage.ask(Interface::OldApproval, &json!({ "process_instance_id": id }));
    assert_eq!(code(&answer), 0, "{answer}");
    answer["process_instance"].clone()
}

#[test]
fn the_new_interface_tells_all_but_the_id_and_the_template() {
    let stage = Stage::new();
    let id = started(&stage, outing());
    let (status, answer) = get(&stage, &id);
    let truth = instance(&stage, &id);
    assert_eq!((status, &answer["success"]), (200, &json!("true")));
    let details = &answer["result"];
    assert_eq!(
        (&details["status"], &details["result"], details.get("finishTime")),
        (&json!("RUNNING"), &json!(""), None)
    );
    assert_eq!((&details["originatorUserId"], &details["title"]), (&json!(stage.people[0]), &json!(truth.title)));
    assert_eq!(details["createTime"], json!(time::zulu(truth.created_ms)));
    assert_eq!((details.get("processInstanceId"), details.get("processCode")), (None, None));
    let form = details["formComponentValues"].as_array().expect("a form");
    assert_eq!(form.len(), truth.form.len());
    assert!(form.iter().all(|component| component["value"].is_string()));
    let task = &details["tasks"][0];
    assert_eq!((task["taskId"].as_i64(), &task["status"]), (Some(truth.tasks[0].id), &json!("RUNNING")));

    stage.happens(|company| company.decide(&id, Verdict::Refuse)).expect("legal");
    stage.api.configure(|options| options.zulu = Zulu::Mislabelled);
    let details = get(&stage, &id).1["result"].clone();
    assert_eq!((&details["status"], &details["result"]), (&json!("COMPLETED"), &json!("refuse")));
    let finished_ms = instance(&stage, &id).finished_ms.expect("finished");
    assert_eq!(details["finishTime"], json!(format!("{}Z", time::minute(finished_ms).replace(' ', "T"))));
}

#[test]
fn the_old_interface_tells_seconds_and_texts() {
    let stage = Stage::new();
    let id = started(&stage, Matter::Makeup { work_date: MONDAY.to_owned(), at_ms: at("2026-09-21 09:00") });
    stage.happens(|company| company.decide(&id, Verdict::Agree)).expect("legal");
    let truth = instance(&stage, &id);
    let details = old(&stage, &id);
    assert_eq!((&details["status"], &details["result"]), (&json!("COMPLETED"), &json!("agree")));
    assert_eq!(details["create_time"], json!(time::wall(truth.created_ms)));
    assert_eq!(details["tasks"][0]["taskid"], json!(truth.tasks[0].id.to_string()));
    assert_eq!((&details["biz_action"], &details["attached_process_instance_ids"]), (&json!("NONE"), &json!([])));
    let components = details["form_component_values"].as_array().expect("a form");
    assert!(components.iter().any(|component| component["name"] == "repairCheckTime"), "{components:?}");
    assert!(components.iter().all(|component| component.get("bizAlias").is_none()));
}

#[test]
fn the_root_department_is_written_as_minus_one() {
    let stage = Stage::new();
    let id = stage.happens(|company| {
        let (userid, _events) = company.hire(NewMember::in_departments(&[1])).expect("legal");
        company.start_approval(&userid, outing()).expect("legal").0
    });
    assert_eq!(get(&stage, &id).1["result"]["originatorDeptId"], "-1");
    assert_eq!(old(&stage, &id)["originator_dept_id"], "-1");
}

#[test]
fn a_correction_is_another_instance_and_both_tell_of_each_other() {
    let stage = Stage::new();
    let id = started(&stage, outing());
    let correction = stage.happens(|company| {
        company.decide(&id, Verdict::Agree).expect("legal");
        let (correction, _events) = company.revoke(&id).expect("legal");
        company.decide(&correction, Verdict::Agree).expect("legal");
        correction
    });
    let main = get(&stage, &id).1["result"].clone();
    assert_eq!((&main["status"], &main["result"]), (&json!("COMPLETED"), &json!("agree")), "it stays as it was");
    assert_eq!(main["attachedProcessInstanceIds"], json!([correction]));
    let correction = get(&stage, &correction).1["result"].clone();
    assert_eq!((&correction["bizAction"], &correction["mainProcessInstanceId"]), (&json!("REVOKE"), &json!(id)));
}

#[test]
fn what_is_no_approval_is_refused_each_in_its_way() {
    let stage = Stage::new();
    let id = started(&stage, outing());
    stage.happens(|company| company.delete(&id)).expect("legal");
    for gone in ["Tst-none", id.as_str()] {
        let (status, answer) = get(&stage, gone);
        assert_eq!((status, answer["code"].as_str()), (400, Some("processInstanceNotExist")));
        assert_ne!(stage.refusal(Interface::OldApproval, &json!({ "process_instance_id": gone })), 0);
    }
    assert_eq!(get(&stage, "").1["code"], "invalidParameter");
    assert_eq!(get(&stage, "a b").1["code"], "processInstanceIdError");
}

#[test]
fn an_approval_may_be_known_later_than_its_event_tells() {
    let stage = Stage::with_company(CompanyOptions { entity_lag_ms: 60_000, ..CompanyOptions::default() });
    let id = started(&stage, outing());
    assert_eq!(get(&stage, &id).0, 400);
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!(get(&stage, &id).0, 200);
}

#[test]
fn ids_of_a_template_come_in_pages_of_twenty_by_start_time() {
    let stage = Stage::new();
    let ids: Vec<String> = (0..45)
        .map(|_number| {
            stage.clock.advance(Duration::from_secs(1));
            started(&stage, outing())
        })
        .collect();
    stage.clock.advance(Duration::from_secs(60));
    let template = instance(&stage, &ids[0]).process_code;
    let mut found = Vec::new();
    let mut next = json!(0);
    while !next.is_null() {
        let body = json!({ "processCode": template, "startTime": START_MS, "nextToken": next, "maxResults": 20 });
        let answer = stage.ask(Interface::ApprovalIds, &body);
        found.extend(answer["result"]["list"].as_array().expect("a list").iter().cloned());
        next = answer["result"]["nextToken"].clone();
        assert!(next.is_string() || next.is_null());
    }
    assert_eq!(Value::from(found), json!(ids));
    let narrow = instance(&stage, &ids[44]).created_ms;
    let body = json!({ "process_code": template, "start_time": narrow, "size": 20, "cursor": 0 });
    assert_eq!(stage.result(Interface::OldApprovalIds, &body), json!({ "list": [ids[44]] }));
    let body = json!({ "process_code": template, "start_time": START_MS, "size": 20 });
    assert_eq!(stage.result(Interface::OldApprovalIds, &body)["next_cursor"], json!(20));
}

#[test]
fn windows_and_pages_of_ids_are_bounded() {
    let stage = Stage::new();
    let id = started(&stage, outing());
    let template = instance(&stage, &id).process_code;
    let now_ms = stage.now_ms();
    let good = json!({
        "processCode": template,
        "startTime": now_ms - 120 * time::DAY_MS,
        "endTime": now_ms,
        "nextToken": 0,
        "maxResults": 20,
    });
    let code_of = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        stage.ask(Interface::ApprovalIds, &body)["code"].as_str().map(str::to_owned)
    };
    assert_eq!(code_of("maxResults", json!(1)), None);
    let invalid = Some("invalidParameter".to_owned());
    assert_eq!(code_of("startTime", json!(now_ms - 121 * time::DAY_MS)), invalid);
    assert_eq!(code_of("startTime", Value::Null), invalid);
    assert_eq!(code_of("endTime", json!(1)), invalid);
    assert_eq!(code_of("maxResults", json!(21)), invalid);
    assert_eq!(code_of("nextToken", json!("x")), invalid);
    assert_eq!(code_of("userIds", json!(vec!["a"; 11])), invalid);
    assert_eq!(code_of("processCode", json!("no template")), Some("processCodeError".to_owned()));
    let long_ago = json!({
        "processCode": template,
        "startTime": now_ms - 366 * time::DAY_MS,
        "endTime": now_ms - 300 * time::DAY_MS,
        "nextToken": 0,
        "maxResults": 20,
    });
    assert_eq!(stage.ask(Interface::ApprovalIds, &long_ago)["code"], "invalidParameter");
    let mut of_others = good.clone();
    of_others["userIds"] = json!([stage.people[1]]);
    assert_eq!(stage.ask(Interface::ApprovalIds, &of_others)["result"], json!({ "list": [] }));
    let mut decided = good;
    decided["statuses"] = json!(["COMPLETED"]);
    assert_eq!(stage.ask(Interface::ApprovalIds, &decided)["result"], json!({ "list": [] }));
}
