use serde_json::json;

use super::*;
use crate::api::{Record, Widget};

const ID: &str = "59e9a2fe283ffa7c11b1ddbf";

fn read(filter: &Value) -> Result<(Conditions, Vec<&'static str>), Vec<&'static str>> {
    let mut findings = Findings::default();
    let read = Conditions::read(filter, &Zone::china(), &mut findings);
    match findings.finish(read) {
        Ok((read, warnings)) => Ok((read, warnings.iter().map(|warning| warning.word).collect())),
        Err(problems) => Err(problems.iter().map(|problem| problem.word).collect()),
    }
}

fn one(condition: Value) -> Value {
    json!({"rel": "and", "cond": [condition]})
}

fn condition(field: &str, kind: &str, method: &str, value: Value) -> Value {
    json!({"field": field, "type": kind, "method": method, "value": value})
}

/// Whether a record with this field fits a condition.
fn holds(condition: Value, field: Value) -> bool {
    let (conditions, _) = read(&one(condition)).unwrap();
    let record = Record::read(json!({"_id": ID, "f": field})).unwrap();
    conditions.own[0].holds(&record, &Zone::china())
}

#[test]
fn conditions_may_be_a_list_or_have_names_of_their_own() {
    let text = condition("f", "text", "eq", json!(["a"]));
    let (listed, warnings) = read(&one(text.clone())).unwrap();
    assert_eq!((listed.own.len(), warnings.len()), (1, 0));
    for name in ["cond_1", "cond1", "condition_7", "cond", "条件一"] {
        let (named, warnings) = read(&json!({"rel": "AND", name: text})).unwrap();
        assert_eq!((named.own.len(), warnings), (1, vec!["named_conditions"]), "{name}");
    }
    let (both, _) = read(&json!({"rel": "or", "cond": [text], "cond_10": text, "cond_2": text, "cond_3": {}})).unwrap();
    assert_eq!((both.own.len(), both.rel), (3, Rel::Or));
    for none in [json!(null), json!(""), json!({}), json!({"rel": "", "cond": []})] {
        assert_eq!(read(&none).unwrap().0.own.len(), 0, "{none}");
    }
}

#[test]
fn nothing_in_a_filter_is_overlooked() {
    for (filter, word) in [
        (json!("x"), "bad_shape"),
        (json!({"rel": "xor"}), "bad_word"),
        (json!({"cond_1": "flowState = 1"}), "bad_shape"),
        (json!({"cond_1": {"method": "eq"}}), "bad_shape"),
        (json!({"nested": {"rel": "or", "cond": []}}), "bad_shape"),
        (json!({"cond": ["x"]}), "bad_shape"),
        (one(json!({"type": "text", "method": "eq", "value": ["a"]})), "no_text"),
        (one(condition("姓名", "text", "eq", json!(["a"]))), "bad_name"),
        (one(condition("f.phone", "text", "eq", json!(["a"]))), "bad_name"),
        (one(condition("f", "text", "contains", json!(["a"]))), "unknown_method"),
        (one(condition("f", "text", "eq", json!([]))), "bad_value"),
        (one(condition("f", "text", "eq", json!(["a", "b"]))), "bad_value"),
        (one(condition("f", "number", "lt", json!(["many"]))), "bad_value"),
        (one(condition("f", "datetime", "range", json!(["soon", null]))), "bad_value"),
        (one(condition("f", "text", "eq", json!([{"url": "x"}]))), "bad_value"),
        (one(condition("f", "text", "eq", json!("{{USER}}"))), "unknown_placeholder"),
        (one(condition("f", "datetime", "range", json!(["{{LAST_SYNC_TIME|datetime}}"]))), "unknown_placeholder"),
        (
            one(condition("updateTime", "datetime", "range", json!(["{{LAST_SYNC_TIME}}", "{{X}}"]))),
            "unknown_placeholder",
        ),
        (json!({"cond": vec![condition("f", "text", "empty", json!(null)); 51]}), "too_many"),
    ] {
        assert_eq!(read(&filter).map(|(_, warnings)| warnings), Err(vec![word]), "{filter}");
    }
}

#[test]
fn a_condition_on_the_time_of_the_last_sync_is_ours() {
    let last = json!("{{LAST_SYNC_TIME|datetime}}");
    let both = json!(["{{LAST_SYNC_TIME|datetime}}", "{{CURRENT_TIME|datetime}}"]);
    for (condition, warnings) in [
        (condition("updateTime", "datetime", "range", last.clone()), vec!["value_as_text"]),
        (condition("updateTime", "datetime", "range", both.clone()), vec![]),
        (condition("updateTime", "datetime", "range", json!(["{{LAST_SYNC_TIME|datetime}}", null])), vec![]),
        (condition("updateTime", ":datetime", "gt", json!([last])), vec!["stray_colon", "time_method"]),
        (condition("createTime", "datetime", "range", both), vec!["time_field"]),
        (
            condition(
                "updateTime",
                "datetime",
                "range",
                json!("{{LAST_SYNC_TIME|datetime}},{{CURRENT_TIME|datetime}}"),
            ),
            vec!["value_as_text"],
        ),
    ] {
        let (read, told) = read(&one(condition.clone())).unwrap();
        assert_eq!((read.own.len(), told), (0, warnings), "{condition}");
    }
    let mixed = condition("createTime", "datetime", "range", json!(["2026-01-01", "{{CURRENT_TIME}}"]));
    assert_eq!(read(&one(mixed)).unwrap().0.own.len(), 1, "what stands beside it is kept");
}

#[test]
fn a_cursor_is_dropped_and_a_record_by_its_id_is_not() {
    for method in ["gt", "lt", "ne", "range"] {
        let (read, warnings) = read(&one(condition("_id", "text", method, json!(["{{LAST_ID}}"])))).unwrap();
        assert_eq!((read.own.len(), warnings), (0, vec!["cursor_condition"]), "{method}");
    }
    let (read, _) = read(&one(condition("_id", "text", "eq", json!([ID])))).unwrap();
    let asked = read.own[0].asked(&Zone::china()).unwrap();
    assert_eq!((asked.field.as_str(), asked.kind.as_str()), ("data_id", "dataid"));
    let record = Record::read(json!({"_id": ID})).unwrap();
    assert!(read.own[0].holds(&record, &Zone::china()));
}

#[test]
fn the_state_of_the_workflow_is_a_number_and_says_what_is_approved() {
    for (value, states, warned) in [
        (json!([1]), vec![1], vec![]),
        (json!("1"), vec![1], vec!["value_as_text", "number_as_text"]),
        (json!(["1"]), vec![1], vec!["number_as_text"]),
        (json!(1), vec![1], vec!["single_value"]),
        (json!("[1]"), vec![1], vec!["value_as_text"]),
        (json!([1, 2]), vec![1, 2], vec!["flow_state"]),
    ] {
        let (read, warnings) = read(&one(condition("flowState", "flowState", "eq", value.clone()))).unwrap();
        assert_eq!((read.approved, warnings), (Some(states), warned), "{value}");
    }
    for (method, value, word) in [
        ("ne", json!([3]), "flow_method"),
        ("not_empty", json!(null), "flow_method"),
        ("in", json!([0, 1]), "flow_value"),
        ("eq", json!([3]), "flow_value"),
        ("eq", json!(["完成"]), "flow_value"),
        ("eq", json!([]), "flow_value"),
    ] {
        let filter = one(condition("flowState", "flowstate", method, value.clone()));
        assert_eq!(read(&filter).map(|(read, _)| read), Err(vec![word]), "{method} {value}");
    }
    let twice = json!({"cond": [
        condition("flowState", "flowstate", "in", json!([1, 2])), condition("flowState", "flowstate", "eq", json!([1])),
    ]});
    assert_eq!(read(&twice).unwrap().0.approved, Some(vec![1]));
    let never = json!({"cond": [
        condition("flowState", "flowstate", "eq", json!([2])), condition("flowState", "flowstate", "eq", json!([1])),
    ]});
    assert_eq!(read(&never).map(|(read, _)| read), Err(vec!["flow_value"]));
    let untyped = one(json!({"field": "f", "type": null, "method": "eq", "value": ["a"]}));
    assert_eq!(read(&untyped).unwrap().0.own.len(), 1);
}

#[test]
fn every_method_is_looked_at_here_too() {
    let person = json!({"username": "xj", "name": "小简"});
    let department = json!({"name": "研发部", "dept_no": 12});
    for (kind, method, value, good, odd) in [
        ("text", "eq", json!(["a"]), json!("a"), json!("b")),
        ("text", "ne", json!(["a"]), json!("b"), json!("a")),
        ("text", "in", json!(["a", "b"]), json!("b"), json!("c")),
        ("text", "nin", json!(["a", "b"]), json!("c"), json!("b")),
        ("sn", "like", json!(["20"]), json!("2026-1"), json!("1999")),
        ("number", "eq", json!(["12"]), json!(12.0), json!(13)),
        ("number", "range", json!([1, 2]), json!(2), json!(2.5)),
        ("number", "range", json!([null, 2]), json!(-7), json!(null)),
        ("number", "gt", json!([1000]), json!("1001"), json!(1000)),
        ("number", "lt", json!([1000]), json!(999), json!(1000)),
        (
            "datetime",
            "range",
            json!(["2026-12-01", null]),
            json!("2026-11-30T16:00:00.000Z"),
            json!("2026-11-30T15:59:59.999Z"),
        ),
        ("datetime", "gt", json!(["2026-12-01"]), json!("2026-11-30T16:00:00.001Z"), json!("2026-11-30T16:00:00.000Z")),
        ("datetime", "eq", json!(["2026-12-01"]), json!("2026-12-01T15:59:59.000Z"), json!("2026-12-01T16:00:00.000Z")),
        ("checkboxgroup", "all", json!(["a", "b"]), json!(["b", "c", "a"]), json!(["a"])),
        ("checkboxgroup", "in", json!(["a", "b"]), json!(["c", "a"]), json!(["c"])),
        ("user", "eq", json!(["xj"]), person, json!({"username": "other"})),
        (
            "",
            "range",
            json!(["2026-12-01", null]),
            json!("2026-12-01T00:00:00.000Z"),
            json!("2026-11-30T00:00:00.000Z"),
        ),
        ("", "gt", json!([1000]), json!(1001), json!(1000)),
        ("dept", "in", json!([12, 13]), department, json!({"name": "12", "dept_no": 14})),
        ("text", "empty", json!(null), json!(" "), json!("a")),
        ("text", "not_empty", json!(null), json!(["a"]), json!([])),
        (
            "phone",
            "verified",
            json!(null),
            json!({"phone": "1", "verified": true}),
            json!({"phone": "1", "verified": false}),
        ),
        ("phone", "unverified", json!(null), json!({"phone": "1", "verified": false}), json!({"phone": "1"})),
        ("phone", "empty", json!(null), json!({"phone": "", "verified": false}), json!({"phone": "1"})),
    ] {
        let condition = condition("f", kind, method, value);
        assert!(holds(condition.clone(), good), "{condition}");
        assert!(!holds(condition.clone(), odd), "{condition}");
    }
}

#[test]
fn what_is_asked_for_has_the_types_that_the_platform_compares() {
    let asked = |kind: &str, method: &str, value: Value| {
        let (read, _) = read(&one(condition("f", kind, method, value))).unwrap();
        read.own[0].asked(&Zone::china()).map(|asked| (asked.method, asked.values))
    };
    assert_eq!(asked("number", "lt", json!("1000")), Some((Method::Lt, vec![json!(1000)])));
    assert_eq!(asked("string", "eq", json!("a")), Some((Method::Eq, vec![json!("a")])));
    assert_eq!(asked("combo", "in", json!([1, "b"])), Some((Method::In, vec![json!("1"), json!("b")])));
    assert_eq!(asked("dept", "in", json!(["12", 13])), Some((Method::In, vec![json!(12), json!(13)])));
    assert_eq!(
        asked("datetime", "gt", json!("2026-12-01 00:00:00")),
        Some((Method::Range, vec![json!("2026-11-30T16:00:00Z"), json!(null)]))
    );
    assert_eq!(
        asked("datetime", "lt", json!(["2026-12-01T00:00:00+08:00"])),
        Some((Method::Range, vec![json!(null), json!("2026-11-30T16:00:00Z")]))
    );
    assert_eq!(asked("datetime", "eq", json!("2026-12-01")), Some((Method::Eq, vec![json!("2026-12-01")])));
    // These would be ignored, and everything would come back.
    assert_eq!((asked("phone", "eq", json!("138")), asked("text", "like", json!("a"))), (None, None));
    assert_eq!(asked("", "eq", json!("a")), None);
}

#[test]
fn a_form_says_of_which_type_a_field_is() {
    let widget = Widget {
        name: "age".into(),
        widget_name: "_widget_1".into(),
        label: String::new(),
        kind: "number".into(),
        items: Vec::new(),
    };
    let (read, _) = read(&one(condition("_widget_1", "text", "eq", json!("12")))).unwrap();
    let mut findings = Findings::default();
    let bound = read.own[0].bind(&widget, &Zone::china(), &mut findings).unwrap();
    let asked = bound.asked(&Zone::china()).unwrap();
    assert_eq!((asked.field.as_str(), asked.kind.as_str(), asked.values), ("age", "number", vec![json!(12)]));
    for key in ["age", "_widget_1"] {
        let record = Record::read(json!({"_id": ID, key: 12.0})).unwrap();
        assert!(bound.holds(&record, &Zone::china()), "{key}");
    }
}
