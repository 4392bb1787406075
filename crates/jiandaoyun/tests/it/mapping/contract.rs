//! The file of the contract, in all the ways in which it may come.

use common::UnixMillis;
use jiandaoyun::mapping::{Honoured, Mapping, Outcome, Zone, sample};
use serde_json::{Value, json};

use super::{CONTRACT, contract, contract_record, contract_request, mapping, parse, request};

#[test]
fn the_file_of_the_contract_makes_of_its_record_what_the_contract_says() {
    assert_eq!(request(&contract(), contract_record()), contract_request());
}

#[test]
fn each_of_its_oddities_has_a_warning_that_says_where() {
    let (_, warnings) = Mapping::parse_text(CONTRACT, &Zone::china()).unwrap();
    let told: Vec<(&str, &str)> = warnings.iter().map(|warning| (warning.at.as_str(), warning.word)).collect();
    assert_eq!(
        told,
        [
            ("source.api", "old_api"),
            ("source.fields", "list_as_text"),
            ("source.limit", "number_as_text"),
            ("source.filter", "named_conditions"),
            ("source.filter.cond_1.value", "value_as_text"),
            ("source.filter.cond_2.value", "value_as_text"),
            ("source.filter.cond_2.value", "number_as_text"),
            ("request[5].type", "stray_colon"),
            ("source.fields", "fields_incomplete"),
        ]
    );
    assert!(warnings.iter().all(|warning| !warning.text.is_empty()));
}

#[test]
fn it_selects_its_form_and_asks_for_what_it_maps() {
    let (mapping, _) = parse(&contract()).unwrap();
    assert_eq!(mapping.form().to_string(), "64a0c0ffee000000000000aa/64a0c0ffee000000000000bb");
    assert_eq!((mapping.page_size(), mapping.id_check(), mapping.status()), (100, true, None));
    let widgets = ["_widget_1001", "_widget_1002", "_widget_1003", "_widget_1004", "_widget_1005"];
    assert_eq!(mapping.fields(), [&widgets[..], &["createTime", "flowState", "updateTime"]].concat());
    let since = UnixMillis::from_rfc3339("2026-11-21T23:50:00Z").unwrap();
    assert_eq!(
        mapping.filter(Some(since), Honoured::default()).unwrap().to_json(),
        json!({"rel": "and", "cond": [
            {"field": "flowState", "type": "flowstate", "method": "eq", "value": [1]},
            {"field": "updateTime", "type": "datetime", "method": "range", "value": ["2026-11-21T23:50:00Z", null]}]})
    );
}

#[test]
fn it_may_come_in_two_halves_as_text_or_wrapped() {
    let mut target = contract();
    let source = target.as_object_mut().unwrap().remove("source").unwrap();
    let (source_text, target_text) = (Value::from(source.to_string()), Value::from(target.to_string()));
    for halves in [
        json!({"source": source, "target": target}),
        json!({"source": {"source": source}, "target": {"target": target}}),
        json!({"source": source_text, "target": target_text}),
        json!({"source": json!({"source": source}).to_string(), "target": target}),
        json!({"source": source, "target": contract()}),
        Value::from(CONTRACT),
    ] {
        assert_eq!(mapping(&halves), mapping(&contract()), "{halves}");
    }
}

#[test]
fn a_preview_tells_field_by_field_what_goes_in_and_what_comes_out() {
    let mapped = mapping(&contract()).map(&sample(contract_record()).unwrap());
    let told: Vec<(&str, &str, &str, Value)> = mapped
        .fields
        .iter()
        .map(|trace| (trace.field.as_str(), trace.label.as_str(), trace.from.as_str(), trace.value.clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("userid", "成员UserID", "{_widget_1005}", json!("user1234")),
            ("name", "成员名称", "{_widget_1001}", json!("张三")),
            ("mobile", "手机号码", "{_widget_1002}", json!("13800138000")),
            ("department", "部门", "{_widget_1003}", json!("[1,2,3]")),
            ("position", "职务", "{_widget_1004}", json!("工程师")),
            ("to_invite", "是否邀请", "true", json!("true")),
        ]
    );
    for trace in &mapped.fields {
        assert_eq!(trace.outcome, Outcome::Sent(contract_request()[&trace.field].clone()), "{}", trace.field);
    }
    let shown = serde_json::to_value(&mapped).unwrap();
    assert_eq!(shown["fields"][3]["outcome"], json!({"sent": [1, 2, 3]}));
    assert_eq!(mapped.departments(), ["1", "2", "3"]);
    assert_eq!(
        mapped.request_text(),
        r#"{"department":[1,2,3],"mobile":"13800138000","name":"张三","position":"工程师","to_invite":true,"userid":"user1234"}"#
    );
}

#[test]
fn nothing_of_a_record_is_in_what_is_printed() {
    let record = sample(contract_record()).unwrap();
    let mapping = mapping(&contract());
    let bad = sample(json!({"_widget_1001": "张三", "_widget_1002": "13800138"})).unwrap();
    for mapped in [mapping.map(&record), mapping.map(&bad)] {
        let printed = format!("{record:?} {mapping:?} {mapped:?} {:?}", mapped.fields);
        let complaints = format!("{:?} {:?}", mapped.complaints(), mapped.problems);
        for value in ["张三", "13800138", "user1234", "工程师"] {
            assert!(!printed.contains(value) && !complaints.contains(value), "{value}");
        }
    }
}
