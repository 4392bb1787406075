//! A mapping and the form that it is for.

use jiandaoyun::{
    api::{Record, Widget, Widgets},
    mapping::{Mapping, sample},
};
use serde_json::{Value, json};

use super::{contract, contract_form, contract_record, contract_request, contract_with, mapping, widget};

/// What is wrong with a file for a form, in words.
fn refused(file: &Value, widgets: &Widgets) -> Vec<&'static str> {
    mapping(file).bind(widgets).err().unwrap_or_default().iter().map(|problem| problem.word).collect()
}

/// What is odd about a file for a form, in words.
fn odd(file: &Value, widgets: &Widgets) -> Vec<&'static str> {
    bind(file, widgets).1
}

fn bind(file: &Value, widgets: &Widgets) -> (Mapping, Vec<&'static str>) {
    let (bound, warnings) = mapping(file).bind(widgets).unwrap_or_else(|problems| panic!("{problems:?}"));
    (bound, warnings.iter().map(|warning| warning.word).collect())
}

/// The contract's form with one more field.
fn form_with(widget: Widget) -> Widgets {
    let mut form = contract_form();
    form.widgets.push(widget);
    form
}

fn made_of(mapping: &Mapping, record: Value) -> Value {
    Value::Object(mapping.map(&sample(record).unwrap()).request)
}

#[test]
fn records_may_have_aliases_or_widget_ids_whatever_the_file_has() {
    let by_alias = json!({"_widget_1005": "user1234", "name": "张三", "mobile": {"phone": "13800138000"}, "_widget_1003": "[1,2,3]", "_widget_1004": "工程师"});
    let (bound, warnings) = bind(&contract(), &contract_form());
    assert!(warnings.is_empty(), "{warnings:?}");
    for record in [by_alias.clone(), contract_record()] {
        assert_eq!(made_of(&bound, record), contract_request());
    }
    let file = contract_with(json!({"field": "name", "value": "{name}"}));
    let (by_name, _) = bind(&file, &contract_form());
    for record in [by_alias, contract_record()] {
        assert_eq!(made_of(&by_name, record), contract_request());
    }
    for name in ["name", "mobile"] {
        assert!(bound.fields().contains(&name.to_owned()), "records are asked for by the names that they have");
    }
    assert_eq!(bound.bind(&contract_form()).unwrap().0, bound, "once more changes nothing");
}

#[test]
fn a_name_that_the_form_does_not_have_is_a_mistake() {
    for value in ["{_widget_7}", "{姓名_}", "a {nobody} b", "{deleted.phone}"] {
        let file = contract_with(json!({"field": "alias", "value": value}));
        if value.contains('姓') {
            assert_eq!(super::problems(&file), ["bad_placeholder"]);
        } else {
            assert_eq!(refused(&file, &contract_form()), ["unknown_name"], "{value}");
        }
    }
    let mut file = contract();
    file["source"]["filter"]["cond_3"] = json!({"field": "_widget_7", "type": "text", "method": "eq", "value": ["x"]});
    assert_eq!(refused(&file, &contract_form()), ["unknown_name"]);
    file["source"]["filter"] = json!(null);
    file["source"]["fields"] = json!(["_widget_7"]);
    assert_eq!(odd(&file, &contract_form()), ["approval_implied", "unknown_name"], "only asked for: no harm");
    let file = contract_with(json!({"field": "alias", "value": "{_id}-{creator.username}"}));
    assert_eq!(refused(&file, &contract_form()), [""; 0], "every form has these");
}

#[test]
fn a_form_without_a_workflow_approves_nothing() {
    let plain = Widgets { has_flow: false, ..contract_form() };
    assert_eq!(refused(&contract(), &plain), ["no_workflow"]);
    let mut file = contract();
    file["source"]["filter"].as_object_mut().unwrap().remove("cond_2");
    assert_eq!(odd(&file, &plain), [""; 0]);
    assert_eq!(odd(&file, &contract_form()), ["approval_implied"]);
}

#[test]
fn every_kind_of_field_is_sent_or_refused_with_its_name() {
    let person = json!({"name": "小简", "username": "xiaojian", "status": 1});
    let department = json!({"name": "研发部", "dept_no": 12, "integrate_id": 12});
    let address = json!({"province": "江苏省", "city": "无锡市", "district": "滨湖区", "detail": "1 号"});
    for (kind, field, told, sent) in [
        ("text", "alias", json!("别名"), json!("别名")),
        ("textarea", "address", json!("上海\n浦东"), json!("上海\n浦东")),
        ("radiogroup", "gender", json!("女"), json!("2")),
        ("combo", "position", json!("工程师"), json!("工程师")),
        ("sn", "alias", json!("RY-0001"), json!("RY-0001")),
        ("number", "alias", json!(17), json!("17")),
        ("checkboxgroup", "alias", json!(["a", "b"]), json!("a,b")),
        ("combocheck", "department", json!(["1", "2"]), json!([1, 2])),
        ("address", "address", address.clone(), json!("江苏省无锡市滨湖区1 号")),
        ("location", "address", address, json!("江苏省无锡市滨湖区1 号")),
        ("phone", "mobile", json!({"phone": "13900139000", "verified": true}), json!("13900139000")),
        ("user", "direct_leader", person.clone(), json!(["xiaojian"])),
        ("user", "alias", person.clone(), json!("小简")),
        ("usergroup", "direct_leader", json!([person.clone()]), json!(["xiaojian"])),
        ("dept", "department", department.clone(), json!([12])),
        ("deptgroup", "department", json!([department.clone(), department]), json!([12])),
        ("lookup", "alias", json!("66e1"), json!("66e1")),
        ("aggregation", "alias", json!(3.5), json!("3.5")),
        ("user", "userid", person, json!("xiaojian")),
    ] {
        let file = contract_with(json!({"field": field, "value": "{_widget_7}"}));
        let (bound, warnings) = bind(&file, &form_with(widget("_widget_7", "_widget_7", kind)));
        assert!(warnings.is_empty(), "{kind}: {warnings:?}");
        let mut record = contract_record();
        record["_widget_7"] = told;
        assert_eq!(made_of(&bound, record)[field], sent, "{kind} {field}");
    }
    for kind in [
        "image",
        "upload",
        "signature",
        "subform",
        "linkdata",
        "richtext",
        "linkobject",
        "company",
        "sale_stage",
        "brand_new",
        "",
    ] {
        let file = contract_with(json!({"field": "alias", "value": "x {_widget_7}"}));
        let form = form_with(widget("_widget_7", "_widget_7", kind));
        let problems = mapping(&file).bind(&form).unwrap_err();
        assert_eq!(problems.iter().map(|problem| problem.word).collect::<Vec<_>>(), ["unusable_kind"], "{kind}");
        assert!(problems[0].text.contains("_widget_7") && problems[0].text.contains(kind), "{}", problems[0]);
    }
}

#[test]
fn a_sub_form_is_led_into_by_rows_and_names() {
    let school = widget("school", "_widget_71", "text");
    let study = Widget { items: vec![school], ..widget("study", "_widget_7", "subform") };
    let form = form_with(study);
    let record = |key: &str, name: &str| {
        let mut record = contract_record();
        record[key] = json!([{"_id": "1", name: "清华"}, {"_id": "2", name: "北大"}]);
        record
    };
    for path in ["study.1.school", "_widget_7.1._widget_71"] {
        let (bound, _) = bind(&contract_with(json!({"field": "alias", "value": format!("{{{path}}}")})), &form);
        assert_eq!(made_of(&bound, record("study", "school"))["alias"], json!("北大"));
        assert_eq!(made_of(&bound, record("_widget_7", "_widget_71"))["alias"], json!("北大"));
    }
    for path in ["study.school", "study.0.town", "_widget_1004.name", "study.0"] {
        let file = contract_with(json!({"field": "alias", "value": format!("{{{path}}}")}));
        assert_eq!(refused(&file, &form), ["bad_path"], "{path}");
    }
}

#[test]
fn a_moment_that_is_shown_to_people_is_to_be_converted() {
    let form = form_with(widget("_widget_7", "_widget_7", "datetime"));
    let mut entry = json!({"field": "extattr.入职", "value": "{_widget_7}"});
    assert_eq!(odd(&contract_with(entry.clone()), &form), ["moment_as_text"]);
    entry["convert"] = json!(["date"]);
    let (bound, warnings) = bind(&contract_with(entry), &form);
    assert!(warnings.is_empty());
    let mut record = contract_record();
    record["_widget_7"] = json!("2026-11-30T16:00:00.000Z");
    assert_eq!(
        made_of(&bound, record)["extattr"],
        json!({"attrs": [{"type": 0, "name": "入职", "text": {"value": "2026-12-01"}}]})
    );
}

#[test]
fn the_status_goes_into_a_field_of_texts_that_nothing_is_made_of() {
    let with_status = |status: Value| {
        let mut file = contract();
        file["status"] = status;
        file
    };
    let file = with_status(json!({"field": "_widget_9", "created": "已开通", "rejected": "未通过：{reason}"}));
    let (bound, _) = bind(&file, &contract_form());
    let status = bound.status().unwrap();
    assert_eq!((status.field(), Value::Object(status.created())), ("status", json!({"status": {"value": "已开通"}})));
    let rejected = status.rejected("mobile: this is no mobile number");
    assert_eq!(Value::Object(rejected), json!({"status": {"value": "未通过：mobile: this is no mobile number"}}));
    let usual = with_status(json!("_widget_9"));
    let (bound, _) = bind(&usual, &contract_form());
    assert_eq!(Value::Object(bound.status().unwrap().created()), json!({"status": {"value": "created"}}));
    assert_eq!(bound.status().unwrap().rejected(&"x".repeat(900))["status"]["value"].as_str().unwrap().len(), 200);
    for (status, word) in [
        ("_widget_8", "unknown_name"),
        ("mobile", "not_writable"),
        ("_widget_1004", "status_used"),
        ("name", "status_used"),
    ] {
        let words = match super::parse(&with_status(json!({"field": status}))) {
            Ok((parsed, _)) => parsed.bind(&contract_form()).unwrap_err().iter().map(|problem| problem.word).collect(),
            Err(problems) => problems.iter().map(|problem| problem.word).collect::<Vec<_>>(),
        };
        assert_eq!(words, [word], "{status}");
    }
}

#[test]
fn our_own_status_in_a_record_makes_no_other_content() {
    let mut file = contract();
    file["status"] = json!("_widget_9");
    let (bound, _) = bind(&file, &contract_form());
    let mut record = contract_record();
    let before = bound.map(&sample(record.clone()).unwrap()).content;
    record["status"] = json!("created");
    record["updateTime"] = json!("2026-11-21T03:12:15.293Z");
    record["updater"] = json!({"username": "#admin"});
    assert_eq!(bound.map(&sample(record.clone()).unwrap()).content, before);
    record["name"] = json!("李四");
    assert_ne!(bound.map(&sample(record).unwrap()).content, before);
}

#[test]
fn a_record_of_another_form_of_the_same_company_is_only_a_record_without_values() {
    let record = Record::read(json!({"_id": "59e9a2fe283ffa7c11b1ddbf"})).unwrap();
    let mapped = mapping(&contract()).map(&record);
    let told: Vec<(&str, &str)> =
        mapped.problems.iter().map(|problem| (problem.field.as_str(), problem.reason.as_str())).collect();
    assert_eq!(
        told,
        [("userid", "missing"), ("name", "missing"), ("department", "missing"), ("mobile", "neither_mobile_nor_email")]
    );
}
