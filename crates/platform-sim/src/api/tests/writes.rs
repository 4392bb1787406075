//! What the contact-sync secret writes.

use super::*;

fn create(stage: &Stage, change: impl FnOnce(&mut Value)) -> Value {
    let mut body = json!({"userid": "wang", "name": "王", "mobile": "+86 139-0000-0001", "department": [2]});
    change(&mut body);
    stage.write(Interface::UserCreate, &body)
}

fn update(stage: &Stage, body: &Value) -> i64 {
    code(&stage.write(Interface::UserUpdate, body))
}

fn member(stage: &Stage, id: &str) -> Member {
    stage.api.company().member(id).cloned().expect("the member")
}

#[test]
fn a_member_is_created_with_all_that_was_posted() {
    let stage = Stage::small().with(|options| options.app_mut(AGENT).expect("the app").era = Era::Old);
    let body = json!({
        "userid": "Wang.1", "name": "王", "alias": "W", "mobile": "+86 13900000001", "email": "w@corp.example",
        "department": [2, 4], "order": [7, 0], "is_leader_in_dept": [0, 1], "main_department": 4,
        "direct_leader": ["BOSS"], "position": "经理", "gender": "2", "telephone": "021-6,6", "address": "上海市",
        "enable": 1, "to_invite": false,
        "extattr": {"attrs": [{"type": 0, "name": "工号", "text": {"value": "A-9"}},
                              {"type": 0, "name": "没有的", "text": {"value": "x"}}]},
    });
    let answer = stage.write(Interface::UserCreate, &body);
    assert_eq!((code(&answer), &answer["errmsg"]), (0, &json!("created")));
    assert_eq!(answer["created_department_list"], json!({"department_info": []}));
    let told = stage.get(Identity::App(AGENT), Interface::UserGet, &[("userid", "wang.1")]);
    let expected = json!({
        "errcode": 0, "errmsg": "ok", "userid": "Wang.1", "name": "王", "alias": "W", "mobile": "13900000001",
        "email": "w@corp.example", "department": [2, 4], "order": [7, 0], "is_leader_in_dept": [0, 1],
        "main_department": 4, "direct_leader": ["boss"], "position": "经理", "gender": "2", "telephone": "021-6,6",
        "address": "上海市", "status": 4, "biz_mail": "", "avatar": "", "thumb_avatar": "", "qr_code": "",
        "extattr": {"attrs": [{"type": 0, "name": "工号", "text": {"value": "A-9"}}]},
    });
    assert_eq!(told, expected);
    assert_eq!(stage.api.invited(), Vec::<String>::new());
}

#[test]
fn an_unknown_department_becomes_a_placeholder_and_nobody_is_without_one() {
    let stage = Stage::small();
    let created = create(&stage, |body| body["department"] = json!([2, 77, 78]));
    let list = &created["created_department_list"]["department_info"];
    assert_eq!((code(&created), ids(list, "id")), (0, vec!["77".to_owned(), "78".to_owned()]));
    let departments = stage.api.company().snapshot().departments;
    let above = departments["77"].parent.clone().expect("a parent");
    assert_eq!(
        (departments[&above].name.as_str(), departments[&above].parent.as_deref()),
        ("其他（待设置部门）", Some(ROOT))
    );
    assert_eq!(member(&stage, "wang").departments, ["2", "77", "78"]);
    let nowhere = |id: &str, number: &str, department: Value| {
        let body = json!({"userid": id, "name": "无", "mobile": number, "department": department});
        assert_eq!(code(&stage.write(Interface::UserCreate, &body)), 0, "{id}");
        assert_eq!(member(&stage, id).departments, std::slice::from_ref(&above), "{id}");
    };
    nowhere("a", "13900000002", Value::Null);
    nowhere("b", "13900000003", json!(0));
    nowhere("c", "13900000004", json!([0]));
    assert_eq!(stage.api.invited(), ["wang", "a", "b", "c"]);
    let (next, _callbacks) = stage.api.company().create_department("丁", ROOT).expect("legal");
    assert!(!["77", "78", above.as_str()].contains(&next.as_str()));
}

#[test]
fn a_member_that_breaks_a_rule_is_refused_and_nothing_is_created() {
    let stage = Stage::small();
    let long = |length: usize| "长".repeat(length);
    let many: Vec<u64> = (100..201).collect();
    let cases: Vec<(i64, &str, Value)> = vec![
        (41009, "userid", Value::Null),
        (40003, "userid", json!("_w")),
        (40003, "userid", json!("王")),
        (40003, "userid", json!("w".repeat(65))),
        (60102, "userid", json!("BOSS")),
        (60112, "name", Value::Null),
        (60112, "name", json!(long(65))),
        (60129, "mobile", Value::Null),
        (60103, "mobile", json!("12345")),
        (60103, "mobile", json!("+86 12345")),
        (60104, "mobile", json!("+8613800000001")),
        (60105, "email", json!("a@b")),
        (60106, "email", json!("BOSS@corp.example")),
        (60110, "department", json!(many)),
        (41019, "department", json!(["2"])),
        (41019, "department", json!("2")),
        (60123, "department", json!([-2])),
        (40058, "department", json!([2.5])),
        (40032, "order", json!([1, 2])),
        (40035, "order", json!([4_294_967_296_u64])),
        (60132, "is_leader_in_dept", json!([1, 0])),
        (60123, "main_department", json!(4)),
        (40031, "direct_leader", json!(["nobody"])),
        (60257, "direct_leader", json!(["a", "b", "c", "d", "e", "f"])),
        (301_012, "position", json!(long(129))),
        (301_013, "telephone", json!("call me")),
        (40058, "gender", json!(1)),
        (40058, "to_invite", json!("true")),
    ];
    for (expected, field, value) in cases {
        let shown = value.to_string();
        let refused = create(&stage, |body| body[field] = value);
        assert_eq!(code(&refused), expected, "{field} {shown}");
    }
    let holder = create(&stage, |body| body["mobile"] = json!("13800000001"));
    assert!(holder["errmsg"].as_str().is_some_and(|text| text.starts_with("mobile existed:boss, hint: [")));
    let snapshot = stage.api.company().snapshot();
    assert_eq!((snapshot.members.len(), snapshot.departments.len()), (3, 4));
    assert_eq!(code(&create(&stage, |_body| {})), 0, "the same without mistakes");
}

#[test]
fn characters_as_numbers_and_broken_json_are_refused() {
    let stage = Stage::small();
    let query = stage.token_query(Identity::Contact);
    let post = |body: &str| code(&parsed(&stage.call(Interface::UserCreate, &query, body.as_bytes())));
    assert_eq!(post(r#"{"userid": "w", "name": "\u738b"}"#), 40033);
    assert_eq!(post(r#"{"userid": "w", "name": "\\u738b"}"#), 60129, "a backslash and letters");
    assert_eq!([post("{"), post("[]"), post("")], [40058; 3]);
}

#[test]
fn the_number_of_an_active_member_is_kept_silently_and_that_of_others_changes() {
    let stage = Stage::small();
    assert_eq!(update(&stage, &json!({"userid": "boss", "mobile": "13911111111"})), 0);
    assert_eq!(member(&stage, "boss").mobile, "13800000001");
    create(&stage, |_body| {});
    assert_eq!(update(&stage, &json!({"userid": "wang", "mobile": "13911111111"})), 0);
    assert_eq!(member(&stage, "wang").mobile, "13911111111");
    assert_eq!(code(&create(&stage, |body| body["userid"] = json!("other"))), 0, "the old number is free");
    assert_eq!(update(&stage, &json!({"userid": "wang", "mobile": ""})), 60129);
}

#[test]
fn an_update_changes_what_was_posted_and_nothing_else() {
    let stage = Stage::small();
    let before = member(&stage, "li");
    assert_eq!(update(&stage, &json!({"userid": "LI", "position": "", "enable": 0})), 0);
    let after = member(&stage, "li");
    assert_eq!(after, Member { title: String::new(), status: crate::Status::Disabled, ..before });
    assert_eq!(update(&stage, &json!({"userid": "li", "is_leader_in_dept": [1, 0]})), 0);
    assert_eq!(update(&stage, &json!({"userid": "li", "department": [4, 2]})), 0);
    let moved = member(&stage, "li");
    assert_eq!(
        (moved.departments, moved.leads, moved.main_department.as_deref()),
        (vec!["4".to_owned(), "2".to_owned()], vec!["2".to_owned()], Some("2"),)
    );
    assert_eq!(update(&stage, &json!({"userid": "li", "department": [4]})), 0);
    let moved = member(&stage, "li");
    assert_eq!((moved.leads.len(), moved.main_department.as_deref()), (0, Some("4")));
    assert_eq!(update(&stage, &json!({"userid": "nobody", "name": "无"})), 60111);
}

#[test]
fn what_an_update_does_about_an_unknown_department_is_a_choice() {
    let choices =
        [(UnknownDepartment::Invalid, 60123), (UnknownDepartment::NotFound, 60003), (UnknownDepartment::Created, 0)];
    for (choice, expected) in choices {
        let stage = Stage::small().with(|options| options.unknown_department = choice);
        assert_eq!(update(&stage, &json!({"userid": "li", "department": [88]})), expected, "{choice:?}");
        assert_eq!(stage.api.company().department("88").is_some(), expected == 0);
    }
}

#[test]
fn only_an_id_that_the_system_made_up_is_changed_and_once() {
    let stage = Stage::small();
    stage.api.company().create_member(person("woAJ1", "13800000009", &["2"])).expect("legal");
    assert_eq!(update(&stage, &json!({"userid": "boss", "new_userid": "chief"})), 301_036);
    assert_eq!(update(&stage, &json!({"userid": "woAJ1", "new_userid": "LI"})), 60102);
    assert_eq!(update(&stage, &json!({"userid": "woAJ1", "new_userid": "wolf", "name": "新"})), 0);
    assert_eq!((member(&stage, "wolf").name.as_str(), stage.api.company().member("woaj1")), ("新", None));
    assert_eq!(update(&stage, &json!({"userid": "wolf", "new_userid": "x"})), 301_036);
}

#[test]
fn a_deleted_member_is_gone_and_nobody_follows_it() {
    let stage = Stage::small().with(|options| options.creator = Some("zhao".to_owned()));
    let delete = |id| code(&stage.get(Identity::Contact, Interface::UserDelete, &[("userid", id)]));
    assert_eq!((delete("BOSS"), delete("boss"), delete("Zhao"), delete("")), (0, 60111, 301_005, 41009));
    assert!(member(&stage, "li").leaders.is_empty());
    assert_eq!(code(&create(&stage, |body| body["mobile"] = json!("13800000001"))), 0, "its number is free");
}

#[test]
fn the_headcount_has_a_limit_and_so_has_a_department() {
    let stage = Stage::small().with(|options| options.account_limit = Some(3));
    assert_eq!(code(&create(&stage, |_body| {})), 45024);
    stage.api.configure(|options| {
        options.account_limit = None;
        options.node_limit = 3;
    });
    // Two members and a department below it.
    assert_eq!(code(&create(&stage, |_body| {})), 81001);
    assert_eq!(code(&create(&stage, |body| body["department"] = json!([4]))), 0);
    assert_eq!(code(&stage.write(Interface::DepartmentCreate, &json!({"name": "丁", "parentid": 2}))), 81001);
}

#[test]
fn a_department_is_created_changed_and_deleted() {
    let stage = Stage::small();
    let body = json!({"name": "丁", "name_en": "D", "parentid": 2, "id": 50, "order": 4_294_967_295_u64});
    assert_eq!(stage.write(Interface::DepartmentCreate, &body), json!({"errcode": 0, "errmsg": "created", "id": 50}));
    let one = || stage.get(Identity::App(AGENT), Interface::DepartmentGet, &[("id", "50")])["department"].clone();
    assert_eq!((&one()["name_en"], &one()["order"]), (&json!("D"), &json!(4_294_967_295_u64)));
    let changed = json!({"id": 50, "name": "戊", "parentid": 4, "order": 1});
    assert_eq!(code(&stage.write(Interface::DepartmentUpdate, &changed)), 0);
    assert_eq!((&one()["name"], &one()["parentid"], &one()["order"]), (&json!("戊"), &json!(4), &json!(1)));
    let deleted = stage.get(Identity::Contact, Interface::DepartmentDelete, &[("id", "50")]);
    assert_eq!(deleted, json!({"errcode": 0, "errmsg": "deleted"}));
    assert_eq!(code(&one_of(&stage, "50")), 60003);
}

fn one_of(stage: &Stage, id: &str) -> Value {
    stage.get(Identity::App(AGENT), Interface::DepartmentGet, &[("id", id)])
}

#[test]
fn a_department_that_breaks_a_rule_is_refused() {
    let stage = Stage::small();
    let created = [
        (60001, json!({"parentid": 1})),
        (60001, json!({"name": "长".repeat(65), "parentid": 1})),
        (60009, json!({"name": "a:b", "parentid": 1})),
        (60124, json!({"name": "丁"})),
        (60124, json!({"name": "丁", "parentid": 0})),
        (60004, json!({"name": "丁", "parentid": 99})),
        (60008, json!({"name": "甲", "parentid": 1})),
        (60008, json!({"name": "丁", "parentid": 1, "id": 3})),
        (60123, json!({"name": "丁", "parentid": 1, "id": 1})),
        (40058, json!({"name": "丁", "parentid": "1"})),
    ];
    for (expected, body) in created {
        assert_eq!(code(&stage.write(Interface::DepartmentCreate, &body)), expected, "{body}");
    }
    let changed = [
        (41019, json!({"name": "丁"})),
        (60003, json!({"id": 99, "name": "丁"})),
        (60008, json!({"id": 4, "name": "甲"})),
        (60010, json!({"id": 2, "parentid": 3})),
        (60124, json!({"id": 1, "parentid": 0})),
        (60004, json!({"id": 2, "parentid": 99})),
        (0, json!({"id": 1, "parentid": null, "name": "新公司"})),
    ];
    for (expected, body) in changed {
        assert_eq!(code(&stage.write(Interface::DepartmentUpdate, &body)), expected, "{body}");
    }
    let delete = |id| code(&stage.get(Identity::Contact, Interface::DepartmentDelete, &[("id", id)]));
    assert_eq!(["1", "2", "4", "99"].map(delete), [60007, 60006, 60005, 60003]);
}

#[test]
fn the_tree_has_fifteen_levels() {
    let stage = Stage::small();
    let mut parent = 1;
    for level in 1..=15 {
        let answer =
            stage.write(Interface::DepartmentCreate, &json!({"name": format!("L{level}"), "parentid": parent}));
        assert_eq!(code(&answer), 0, "{level}");
        parent = answer["id"].as_u64().expect("an id");
    }
    let deeper = json!({"name": "L16", "parentid": parent});
    assert_eq!(code(&stage.write(Interface::DepartmentCreate, &deeper)), 81002);
}

#[test]
fn writes_raise_no_callback_and_leave_no_gap() {
    let stage = Stage::small();
    let before = stage.api.company().create_department("丁", ROOT).expect("legal").1;
    create(&stage, |body| body["department"] = json!([66]));
    stage.write(Interface::DepartmentCreate, &json!({"name": "戊", "parentid": 1}));
    update(&stage, &json!({"userid": "wang", "department": [2]}));
    stage.get(Identity::Contact, Interface::UserDelete, &[("userid", "wang")]);
    let after = stage.api.company().create_department("己", ROOT).expect("legal").1;
    assert_eq!(after[0].sequence, before[0].sequence + 1);
}
