//! Members.

use super::*;

fn page(stage: &Stage, department: i64, cursor: u64, size: usize) -> Value {
    stage.result(Interface::UserList, &json!({ "dept_id": department, "cursor": cursor, "size": size }))
}

fn ids(page: &Value) -> Vec<String> {
    let rows = page["list"].as_array().expect("a list");
    rows.iter().map(|row| row["userid"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn details_of_a_member_leave_out_what_has_no_value() {
    let stage = Stage::new();
    let [production, _workshop, store] = stage.departments;
    let (userid, boss) = (stage.people[0].as_str(), stage.people[1].as_str());
    stage
        .happens(|company| {
            company.update_member(userid, |member| {
                member.manager = boss.to_owned();
                member.extension.insert("厂区".to_owned(), "一厂".to_owned());
                member.posts[0].leader = true;
                member.org_email = "zhang@corp.example".to_owned();
            })
        })
        .expect("legal");
    let truth = stage.api.company().member(userid).expect("it").clone();
    let details = stage.result(Interface::UserGet, &json!({ "userid": userid }));
    assert_eq!(details["extension"].as_str(), Some(r#"{"厂区":"一厂"}"#), "JSON in a text");
    assert_eq!(details["dept_id_list"], json!([production, store]));
    assert_eq!(details["leader_in_dept"][0], json!({ "dept_id": production, "leader": true }));
    assert_eq!(details["dept_order_list"][1]["order"].as_i64(), Some(truth.posts[1].order));
    assert_eq!((&details["manager_userid"], &details["mobile"]), (&json!(boss), &json!(truth.mobile)));
    assert_eq!(details["org_email"], "zhang@corp.example");
    for absent in ["email", "telephone", "title", "remark", "avatar"] {
        assert_eq!(details.get(absent), None, "{absent}");
    }
    stage.api.configure(|options| options.app_mut(CLIENT).expect("it").sees_contact_details = false);
    let details = stage.result(Interface::UserGet, &json!({ "userid": userid }));
    assert_eq!((details.get("mobile"), details.get("org_email")), (None, None));
    assert_eq!(details["job_number"], json!(truth.job_number));
}

#[test]
fn whoever_left_or_never_was_is_not_found_and_whoever_is_out_of_scope_is_refused() {
    let stage = Stage::new();
    let refused = |userid: &str| stage.refusal(Interface::UserGet, &json!({ "userid": userid }));
    let [first, second] = stage.people.clone();
    stage.happens(|company| {
        company.leave(&first).expect("legal");
        company.update_member(&second, |member| member.in_scope = false).expect("legal");
    });
    assert_eq!(refused(&first), 60121);
    assert_eq!(refused("nobody"), 60121);
    assert_eq!(refused(&second), 50002);
    assert_eq!(refused(&"x".repeat(65)), 33012);
    assert_eq!(stage.refusal(Interface::UserGet, &json!({})), 400_002);
    let workshop = stage.departments[1];
    assert_eq!(ids(&page(&stage, workshop, 0, 10)), [""; 0]);
    let all = stage.result(Interface::UserListId, &json!({ "dept_id": workshop }));
    assert_eq!(all, json!({ "userid_list": [second] }), "ids are not limited by the scope");
}

#[test]
fn members_of_a_department_come_in_pages_of_at_most_a_hundred() {
    let stage = Stage::new();
    let workshop = stage.departments[1];
    stage.happens(|company| {
        for _number in 0..204 {
            company.hire(NewMember::in_departments(&[workshop])).expect("legal");
        }
    });
    stage.clock.advance(Duration::from_secs(600));
    let first = page(&stage, workshop, 0, 100);
    assert_eq!((ids(&first).len(), &first["has_more"], &first["next_cursor"]), (100, &json!(true), &json!(100)));
    let second = page(&stage, workshop, 100, 100);
    let last = page(&stage, workshop, 200, 100);
    assert_eq!((ids(&last).len(), &last["has_more"], last.get("next_cursor")), (5, &json!(false), None));
    let distinct: std::collections::BTreeSet<String> =
        [ids(&first), ids(&second), ids(&last)].into_iter().flatten().collect();
    assert_eq!(distinct.len(), 205);
    assert_eq!(ids(&page(&stage, workshop, 205, 100)), [""; 0]);
    let row = &first["list"][0];
    assert!(row["dept_order"].as_i64().is_some_and(|order| order > 1 << 53));
    assert_eq!(
        (row["leader"].as_bool(), row.get("dept_order_list"), row.get("manager_userid")),
        (Some(false), None, None)
    );
}

#[test]
fn pages_that_cannot_be_are_refused() {
    let stage = Stage::new();
    let good = json!({ "dept_id": 1, "cursor": 0, "size": 100, "order_field": "entry_asc" });
    assert_eq!(stage.refusal(Interface::UserList, &good), 0);
    for (name, value) in [
        ("size", json!(101)),
        ("size", json!(0)),
        ("cursor", json!(-1)),
        ("cursor", Value::Null),
        ("order_field", json!("age")),
    ] {
        let mut body = good.clone();
        body[name] = value;
        assert_eq!(stage.refusal(Interface::UserList, &body), 40035, "{body}");
    }
}

#[test]
fn a_mobile_number_finds_its_member() {
    let stage = Stage::new();
    let mobile = stage.api.company().member(&stage.people[1]).expect("it").mobile.clone();
    let found = stage.result(Interface::UserGetByMobile, &json!({ "mobile": mobile }));
    assert_eq!(found, json!({ "userid": stage.people[1] }));
    assert_eq!(stage.refusal(Interface::UserGetByMobile, &json!({ "mobile": "13999999999" })), 60121);
    assert_eq!(stage.refusal(Interface::UserGetByMobile, &json!({ "mobile": "139" })), 40104);
}

#[test]
fn the_api_may_know_of_a_member_later_than_the_event_tells() {
    let stage = Stage::with_company(CompanyOptions { entity_lag_ms: 30_000, ..CompanyOptions::default() });
    let workshop = stage.departments[1];
    let (userid, _events) =
        stage.happens(|company| company.hire(NewMember::in_departments(&[workshop]))).expect("legal");
    assert_eq!(stage.refusal(Interface::UserGet, &json!({ "userid": userid })), 60121);
    stage.clock.advance(Duration::from_secs(30));
    assert_eq!(stage.refusal(Interface::UserGet, &json!({ "userid": userid })), 0);
}
