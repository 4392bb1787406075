//! Conversions, defaults, checks, and what happens to what the platform would not take.

use jiandaoyun::mapping::{Mapped, OnInvalid, Outcome, Reason, sample};
use serde_json::{Value, json};

use super::{contract, contract_record, contract_with, mapping, request};

fn mapped(file: &Value, change: &[(&str, Value)]) -> Mapped {
    let mut record = contract_record();
    for (key, value) in change {
        record[*key] = value.clone();
    }
    mapping(file).map(&sample(record).unwrap())
}

/// Field, reason and policy of each problem.
fn told(mapped: &Mapped) -> Vec<(&str, &'static str, OnInvalid)> {
    mapped.problems.iter().map(|problem| (problem.field.as_str(), problem.reason.as_str(), problem.policy)).collect()
}

fn outcome(mapped: &Mapped, field: &str) -> Outcome {
    mapped.fields.iter().find(|trace| trace.field == field).unwrap().outcome.clone()
}

#[test]
fn an_invalid_value_leaves_the_record_out_with_field_reason_and_policy() {
    let bad = mapped(&contract(), &[("_widget_1002", json!("138001380")), ("_widget_1003", json!("研发部"))]);
    assert_eq!(
        told(&bad),
        [("mobile", "no_mobile", OnInvalid::Skip), ("department", "no_department", OnInvalid::Fail)]
    );
    assert!(!bad.is_valid());
    let complaints: Vec<String> = bad.complaints().iter().map(|one| format!("{}: {}", one.field, one.reason)).collect();
    assert_eq!(
        complaints,
        ["mobile: this is no mobile number", "department: this is no id of a department; names need a lookup"]
    );
    assert_eq!(outcome(&bad, "mobile"), Outcome::Invalid(Reason::NoMobile));
    assert_eq!(outcome(&bad, "name"), Outcome::Sent(json!("张三")), "one field does not hide another");
}

#[test]
fn a_default_takes_the_place_of_what_is_missing_and_where_it_is_wanted_of_what_is_wrong() {
    let entry = |on_invalid: &str, required: bool| {
        contract_with(
            json!({"field": "gender", "value": "{_widget_7}", "default": "女", "required": required, "on_invalid": on_invalid}),
        )
    };
    for (on_invalid, value, result) in [
        ("skip", json!(null), Outcome::Defaulted(json!("2"))),
        ("skip", json!("男"), Outcome::Sent(json!("1"))),
        ("skip", json!("?"), Outcome::Invalid(Reason::NoGender)),
        ("fail", json!("?"), Outcome::Invalid(Reason::NoGender)),
        ("default", json!("?"), Outcome::Defaulted(json!("2"))),
    ] {
        for required in [true, false] {
            let mapped = mapped(&entry(on_invalid, required), &[("_widget_7", value.clone())]);
            assert_eq!(outcome(&mapped, "gender"), result, "{on_invalid} {value}");
            assert_eq!(mapped.is_valid(), !matches!(result, Outcome::Invalid(_)));
        }
    }
}

#[test]
fn without_a_default_a_field_is_left_out_unless_it_is_required() {
    for (required, on_invalid, value, result) in [
        (false, "fail", json!(""), Outcome::LeftOut),
        (true, "fail", json!(""), Outcome::Invalid(Reason::Missing)),
        (true, "default", json!(""), Outcome::Invalid(Reason::Missing)),
        (false, "default", json!("a b"), Outcome::LeftOut),
        (true, "default", json!("a b"), Outcome::Invalid(Reason::NoEmail)),
        (false, "skip", json!("a b"), Outcome::Invalid(Reason::NoEmail)),
    ] {
        let entry = json!({"field": "email", "value": "{_widget_7}", "required": required, "on_invalid": on_invalid});
        let mapped = mapped(&contract_with(entry), &[("_widget_7", value.clone())]);
        assert_eq!(outcome(&mapped, "email"), result, "{required} {on_invalid} {value}");
    }
}

#[test]
fn steps_are_told_one_by_one_and_the_last_one_is_where_it_failed() {
    let table = json!({"lookup": {"table": {"rd": 12}}});
    let file =
        contract_with(json!({"field": "department", "value": "{_widget_1003}", "convert": ["trim", "lower", table]}));
    let good = mapped(&file, &[("_widget_1003", json!(" RD "))]);
    let trace = good.fields.iter().find(|trace| trace.field == "department").unwrap();
    let steps: Vec<(&str, Value)> = trace.steps.iter().map(|step| (step.name.as_str(), step.value.clone())).collect();
    assert_eq!(steps, [("trim", json!("RD")), ("lower", json!("rd")), ("lookup", json!(12))]);
    assert_eq!((&trace.value, &trace.outcome), (&json!(" RD "), &Outcome::Sent(json!([12]))));
    let bad = mapped(&file, &[("_widget_1003", json!("sales"))]);
    let trace = bad.fields.iter().find(|trace| trace.field == "department").unwrap();
    assert_eq!((trace.steps.len(), &trace.outcome), (2, &Outcome::Invalid(Reason::NotInTable)));
}

#[test]
fn checks_look_at_what_is_about_to_be_sent() {
    for (check, value, word) in [
        (json!({"max_bytes": 6}), json!("张三李"), Some("length")),
        (json!({"max_chars": 3}), json!("张三李"), None),
        (json!({"one_of": ["经理", "工程师"]}), json!(" 工程师 "), None),
        (json!({"one_of": ["经理", "工程师"]}), json!("总裁"), Some("not_one_of")),
        (json!(["userid"]), json!("张"), Some("no_userid")),
    ] {
        let file = contract_with(json!({"field": "position", "value": "{_widget_1004}", "check": check}));
        let mapped = mapped(&file, &[("_widget_1004", value)]);
        assert_eq!(told(&mapped).first().map(|(_, word, _)| *word), word, "{check}");
    }
}

#[test]
fn what_is_about_departments_fits_them() {
    let with = |field: &str, value: Value, on_invalid: &str| {
        mapped(&contract_with(json!({"field": field, "value": value, "on_invalid": on_invalid})), &[])
    };
    assert_eq!(with("main_department", json!("2"), "fail").request["main_department"], json!(2));
    assert_eq!(
        told(&with("main_department", json!("7"), "skip")),
        [("main_department", "not_in_departments", OnInvalid::Skip)]
    );
    assert_eq!(with("is_leader_in_dept", json!([0, 1, 0]), "fail").request["is_leader_in_dept"], json!([0, 1, 0]));
    let short = with("order", json!([1, 2]), "fail");
    assert_eq!(told(&short), [("order", "not_as_many_as_departments", OnInvalid::Fail)]);
    assert_eq!(outcome(&short, "order"), Outcome::Invalid(Reason::NotAsManyAsDepartments));
    let left_out = with("order", json!([1, 2]), "default");
    assert!(left_out.is_valid() && !left_out.request.contains_key("order"));
    assert_eq!(outcome(&left_out, "order"), Outcome::LeftOut);
}

#[test]
fn nobody_comes_without_a_mobile_number_and_an_address() {
    let file = contract_with(json!({"field": "email", "value": "{_widget_7}"}));
    let neither = mapped(&file, &[("_widget_1002", json!({}))]);
    assert_eq!(told(&neither), [("mobile", "neither_mobile_nor_email", OnInvalid::Skip)]);
    let by_mail = mapped(&file, &[("_widget_1002", json!(null)), ("_widget_7", json!("zhang@corp.example"))]);
    assert!(by_mail.is_valid() && !by_mail.request.contains_key("mobile"));
    let wrong = mapped(&file, &[("_widget_1002", json!("1"))]);
    assert_eq!(told(&wrong), [("mobile", "no_mobile", OnInvalid::Skip)], "said once");
}

#[test]
fn attributes_are_one_list_wherever_they_come_from() {
    let mut file = contract_with(json!({"field": "extattr", "value": {"attrs": [
        {"type": 0, "name": "工号", "text": {"value": "{_widget_1005}"}}, {"type": 0, "name": "空", "text": {"value": "{_widget_8}"}}]}}));
    file["request"].as_array_mut().unwrap().push(json!({"field": "extattr.籍贯", "value": "{_widget_7}"}));
    let mapped = mapped(&file, &[("_widget_7", json!("江苏"))]);
    let attribute = |name: &str, value: &str| json!({"type": 0, "name": name, "text": {"value": value}});
    assert_eq!(mapped.request["extattr"], json!({"attrs": [attribute("工号", "user1234"), attribute("籍贯", "江苏")]}));
    let as_text = contract_with(
        json!({"field": "extattr", "value": r#"{"attrs":[{"type":"0","name":"工号","text":{"value":"{_widget_1005}"}}]}"#}),
    );
    assert_eq!(request(&as_text, contract_record())["extattr"], json!({"attrs": [attribute("工号", "user1234")]}));
}

#[test]
fn a_content_is_another_one_as_soon_as_something_that_is_mapped_is() {
    let content = |change: &[(&str, Value)]| mapped(&contract(), change).content;
    assert_eq!(content(&[]).len(), 32);
    for same in
        [("_widget_1002", json!("+86 138-0013-8000")), ("_widget_1003", json!([1, 2, 3])), ("other", json!("x"))]
    {
        assert_eq!(content(std::slice::from_ref(&same)), content(&[]), "{same:?}");
    }
    assert_ne!(content(&[("_widget_1004", json!("经理"))]), content(&[]));
    let bad = |number: &str| content(&[("_widget_1002", json!(number))]);
    assert_eq!(bad("12"), bad("12"));
    assert_ne!(bad("12"), bad("13"), "another wrong number is to be told too");
    assert_ne!(bad("12"), content(&[]));
}

#[test]
fn names_of_all_scripts_arrive_as_they_are() {
    for name in ["𠮷田 😀", "👨‍👩‍👧‍👦", "محمد", "Zoë O’Neil-Müller", "ｱｲｳ", "\u{202e}abc", "a{b", "\\\"<>&"]
    {
        let sent = request(&contract(), {
            let mut record = contract_record();
            record["_widget_1001"] = json!(name);
            record
        });
        assert_eq!(sent["name"], json!(name));
    }
}
