//! Departments.

use super::*;
use crate::dingtalk::ROOT;

#[test]
fn departments_are_listed_one_level_at_a_time() {
    let stage = Stage::new();
    let [production, workshop, store] = stage.departments;
    let names = |answer: &Value| -> Vec<String> {
        let rows = answer.as_array().expect("a list");
        rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
    };
    let below_root = stage.result(Interface::DepartmentListSub, &json!({}));
    assert_eq!(names(&below_root), ["生产部", "仓库"]);
    assert_eq!((&below_root[0]["dept_id"], &below_root[0]["parent_id"]), (&json!(production), &json!(ROOT)));
    let below = stage.result(Interface::DepartmentListSub, &json!({ "dept_id": production.to_string() }));
    assert_eq!(names(&below), ["一车间"]);
    let ids = stage.result(Interface::DepartmentListSubId, &json!({ "dept_id": ROOT }));
    assert_eq!(ids, json!({ "dept_id_list": [production, store] }));
    let none = stage.result(Interface::DepartmentListSubId, &json!({ "dept_id": workshop }));
    assert_eq!(none, json!({ "dept_id_list": [] }));
}

#[test]
fn details_of_a_department_have_orders_beyond_doubles_and_the_root_has_no_parent() {
    let stage = Stage::new();
    let [production, workshop, _store] = stage.departments;
    let boss = stage.people[0].clone();
    stage.happens(|company| company.set_managers(workshop, &[&boss])).expect("legal");
    let order = stage.api.company().department(workshop).expect("it").order;
    assert!(order > 1 << 53);
    let details = stage.result(Interface::DepartmentGet, &json!({ "dept_id": workshop, "language": "en_US" }));
    assert_eq!(details["order"].as_i64(), Some(order));
    assert_eq!(details["parent_id"], json!(production));
    assert_eq!(details["dept_manager_userid_list"], json!([boss]));
    assert_eq!((&details["hide_dept"], details.get("user_permits")), (&json!(false), None));
    let details = stage.result(Interface::DepartmentGet, &json!({ "dept_id": production }));
    assert_eq!((&details["member_count"], &details["owning_member_count"]), (&json!(2), &json!(1)));
    let root = stage.result(Interface::DepartmentGet, &json!({ "dept_id": ROOT }));
    assert_eq!((root.get("parent_id"), &root["dept_id"]), (None, &json!(1)));
}

#[test]
fn a_hidden_department_is_told_of_and_one_out_of_scope_is_refused() {
    let stage = Stage::new();
    let [production, workshop, store] = stage.departments;
    stage.happens(|company| {
        company.change_department(store, |department| department.hidden = true).expect("legal");
        company.change_department(production, |department| department.in_scope = false).expect("legal");
    });
    assert_eq!(stage.result(Interface::DepartmentGet, &json!({ "dept_id": store }))["hide_dept"], json!(true));
    for interface in [Interface::DepartmentGet, Interface::DepartmentListSub, Interface::DepartmentListSubId] {
        assert_eq!(stage.refusal(interface, &json!({ "dept_id": production })), 50004, "{interface}");
    }
    let page = json!({ "dept_id": production, "cursor": 0, "size": 10 });
    assert_eq!(stage.refusal(Interface::UserList, &page), 50004);
    let ids = stage.result(Interface::DepartmentListSubId, &json!({ "dept_id": ROOT }));
    assert_eq!(ids, json!({ "dept_id_list": [store] }));
    // These are not limited by the scope.
    let line = stage.result(Interface::DepartmentListParentByDept, &json!({ "dept_id": workshop }));
    assert_eq!(line, json!({ "parent_id_list": [workshop, production, ROOT] }));
    let ids = stage.result(Interface::UserListId, &json!({ "dept_id": production }));
    assert_eq!(ids, json!({ "userid_list": [stage.people[0]] }));
}

#[test]
fn lines_to_the_root_begin_with_the_department_itself() {
    let stage = Stage::new();
    let [production, _workshop, store] = stage.departments;
    let lines = stage.result(Interface::DepartmentListParentByUser, &json!({ "userid": stage.people[0] }));
    let expected = json!([
        { "parent_dept_id_list": [production, ROOT] },
        { "parent_dept_id_list": [store, ROOT] },
    ]);
    assert_eq!(lines["parent_list"], expected);
}

#[test]
fn what_is_no_department_is_refused_each_in_its_way() {
    let stage = Stage::new();
    let refused = |id: Value| stage.refusal(Interface::DepartmentGet, &json!({ "dept_id": id }));
    assert_eq!(refused(json!(4711)), 60003);
    assert_eq!(refused(json!(-7)), 40009, "a pseudo-id of external contacts");
    assert_eq!(refused(json!("x")), 400_002);
    assert_eq!(refused(Value::Null), 400_002);
    assert_eq!(stage.refusal(Interface::DepartmentListSub, &json!({ "language": "de_DE" })), 400_002);
    assert_eq!(stage.refusal(Interface::UserListId, &json!({ "dept_id": -7 })), 40009);
    let answer = stage.call_with(&stage.token(), Interface::DepartmentGet, &[], &json!([1]));
    assert_eq!(code(&parsed(&answer)), 400_002);
    let unwrapped = stage.ask(Interface::DepartmentGet, &json!({ "dept_id": 4711 }));
    assert_eq!((unwrapped["errcode"].as_i64(), unwrapped.get("sub_code")), (Some(60003), None));
}

#[test]
fn the_api_may_know_of_a_department_later_than_its_event_tells() {
    let stage = Stage::with_company(CompanyOptions { entity_lag_ms: 60_000, ..CompanyOptions::default() });
    let (id, events) = stage.happens(|company| company.create_department("质检", ROOT)).expect("legal");
    assert_eq!(events.len(), 1);
    assert_eq!(stage.refusal(Interface::DepartmentGet, &json!({ "dept_id": id })), 60003);
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!(stage.result(Interface::DepartmentGet, &json!({ "dept_id": id }))["name"], json!("质检"));
}
