use common::Value as FieldValue;

use super::*;

const NOBODY: &[&str] = &[];

fn full(json: &str) -> Option<Member> {
    serde_json::from_str::<Told>(json).unwrap().into_member()
}

fn listed(json: &str) -> Option<Member> {
    serde_json::from_str::<Told>(json).unwrap().into_listed()
}

/// What is told of somebody of whom only the id is.
fn nothing() -> Fields {
    [Field::Title, Field::Telephone, Field::EmployeeNumber, Field::Address]
        .into_iter()
        .map(|field| (field, FieldValue::from("")))
        .collect::<Fields>()
        .with(Field::Attributes, BTreeMap::<String, String>::new())
}

#[test]
fn the_member_of_the_reference() {
    let json = r#"{"userid":"user0001","unionid":"uTest0001","name":"张三","job_number":"A001","title":"工程师",
        "hired_date":1700000000000,"active":true,"admin":false,"boss":false,"senior":false,"real_authed":true,
        "exclusive_account":false,"hide_mobile":false,"dept_id_list":[900000002],
        "dept_order_list":[{"dept_id":900000002,"order":176000000000000001}],
        "leader_in_dept":[{"dept_id":900000002,"leader":false}],
        "role_list":[{"id":7001,"name":"仓管","group_name":"职务"}],"extension":"{\"厂区\":\"一厂\"}"}"#;
    let fields = nothing()
        .with(Field::Name, "张三")
        .with(Field::EmployeeNumber, "A001")
        .with(Field::Title, "工程师")
        .with(Field::Status, "active")
        .with(Field::Departments, ["900000002"].as_slice())
        .with(Field::Leads, NOBODY)
        .with(Field::Leaders, NOBODY)
        .with(Field::Attributes, BTreeMap::from([("厂区".to_owned(), "一厂".to_owned())]));
    assert_eq!(full(json), Some(Member { id: "user0001".into(), fields }));
}

#[test]
fn a_member_of_several_departments_leads_some_and_has_a_manager() {
    let member = full(
        r#"{"userid":" u ","dept_id_list":["3",17,3,-7],"manager_userid":"boss","active":"false",
            "leader_in_dept":[{"dept_id":17,"leader":"true"},{"dept_id":3,"leader":false},{"dept_id":99,"leader":true}],
            "mobile":"13900001111","email":"a@corp.example","org_email":"a@mail.corp.example","avatar":"https://a",
            "telephone":"8001","work_place":"上海"}"#,
    )
    .unwrap();
    let fields = nothing()
        .with(Field::Departments, ["3", "17"].as_slice())
        .with(Field::Leads, ["17"].as_slice())
        .with(Field::Leaders, ["boss"].as_slice())
        .with(Field::Status, "inactive")
        .with(Field::Mobile, "13900001111")
        .with(Field::Email, "a@corp.example")
        .with(Field::BizMail, "a@mail.corp.example")
        .with(Field::Avatar, "https://a")
        .with(Field::Telephone, "8001")
        .with(Field::Address, "上海");
    assert_eq!((member.id.as_str(), member.fields), ("u", fields));
}

#[test]
fn what_has_no_value_is_empty_and_what_may_be_held_back_is_not_told() {
    for json in [
        r#"{"userid":"u"}"#,
        r#"{"userid":"u","title":null,"mobile":null,"name":null,"dept_id_list":null,"active":null}"#,
        r#"{"userid":"u","title":" ","mobile":"","name":" ","email":{},"extension":"","manager_userid":""}"#,
    ] {
        let member = full(json).unwrap();
        assert_eq!(member.fields, nothing().with(Field::Leaders, NOBODY), "{json}");
    }
}

#[test]
fn a_list_says_nothing_of_managers_and_of_what_is_led_elsewhere() {
    let json = r#"{"userid":"u","dept_id_list":[3,17],"dept_order":1,"leader":true,"manager_userid":"boss",
                   "leader_in_dept":[{"dept_id":3,"leader":true}]}"#;
    assert_eq!(listed(json).unwrap().fields, nothing().with(Field::Departments, ["3", "17"].as_slice()));
}

#[test]
fn half_a_list_is_not_told() {
    for json in [
        r#"{"userid":"u","dept_id_list":[3,"x"],"leader_in_dept":[{"dept_id":3,"leader":true}]}"#,
        r#"{"userid":"u","dept_id_list":[3,null],"leader_in_dept":[{"dept_id":3,"leader":true}]}"#,
    ] {
        let fields = full(json).unwrap().fields;
        assert!(!fields.has(Field::Departments) && !fields.has(Field::Leads), "{json}");
    }
    for leads in [r#"{"dept_id":3}"#, r#"{"leader":true}"#, "7", "null"] {
        let json = format!(r#"{{"userid":"u","dept_id_list":[3],"leader_in_dept":[{leads}]}}"#);
        let fields = full(&json).unwrap().fields;
        assert!(fields.has(Field::Departments) && !fields.has(Field::Leads), "{json}");
    }
    for odd in ["[]", "{\\\"a\\\":", "7"] {
        let json = format!(r#"{{"userid":"u","extension":"{odd}"}}"#);
        assert!(!full(&json).unwrap().fields.has(Field::Attributes), "{json}");
    }
}

#[test]
fn attributes_are_texts_whatever_they_were() {
    let fields = full(r#"{"userid":"u","extension":"{\"a\":7,\"b\":null,\"c\":\" x \",\" \":\"y\"}"}"#).unwrap().fields;
    let expected = [("a", "7"), ("b", ""), ("c", "x")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(fields.map(Field::Attributes), Some(&BTreeMap::from(expected)));
}

#[test]
fn nobody_is_not_a_member() {
    for json in ["{}", r#"{"userid":null}"#, r#"{"userid":" "}"#, r#"{"userid":[]}"#] {
        assert_eq!(full(json), None, "{json}");
    }
}
