//! Variations of what is odd about files of this kind: all of them run, and each is told.

use common::UnixMillis;
use jiandaoyun::mapping::{Honoured, Mapping, Zone, sample};
use serde_json::{Value, json};

use super::{CONTRACT, contract, contract_record, contract_request, mapping, problems, request, warnings};

/// The file of the contract with something else in its source.
fn with_source(key: &str, value: Value) -> Value {
    let mut file = contract();
    file["source"][key] = value;
    file
}

fn with_filter(filter: Value) -> Value {
    with_source("filter", filter)
}

#[test]
fn quotation_marks_of_editors_are_mended_in_any_mixture() {
    let curly = |text: &str| {
        let mut is_open = false;
        let turn = |c: char| {
            if c != '"' {
                return c;
            }
            is_open = !is_open;
            if is_open { '“' } else { '”' }
        };
        text.chars().map(turn).collect::<String>()
    };
    let all = curly(CONTRACT);
    let line = |(nth, line): (usize, &str)| if nth % 2 == 0 { curly(line) } else { line.to_owned() };
    let some = CONTRACT.lines().enumerate().map(line).collect::<Vec<_>>().join("\n");
    let wide = CONTRACT.replace('"', "＂").replace("＂: ", "＂：").replace(", ＂", "，＂");
    for text in [all, some, wide] {
        let (mended, warnings) =
            Mapping::parse_text(&text, &Zone::china()).unwrap_or_else(|why| panic!("{why:?} {text}"));
        assert_eq!(mended, mapping(&contract()));
        assert!(warnings.iter().any(|warning| warning.word == "curly_quotes"));
        assert_eq!(Value::Object(mended.map(&sample(contract_record()).unwrap()).request), contract_request());
    }
}

#[test]
fn numbers_and_flags_may_be_texts() {
    for (limit, size) in [
        (json!("100"), 100),
        (json!(50), 50),
        (json!("“20”"), 20),
        (json!(0), 1),
        (json!("1000"), 100),
        (json!(null), 100),
        (json!(""), 100),
    ] {
        assert_eq!(mapping(&with_source("limit", limit.clone())).page_size(), size, "{limit}");
    }
    assert_eq!(problems(&with_source("limit", json!("many"))), ["no_number"]);
    for (told, check) in [(json!("true"), true), (json!(1), true), (json!("否"), false), (json!(null), false)] {
        let mut file = contract();
        file["idCheck"] = told.clone();
        assert_eq!(mapping(&file).id_check(), check, "{told}");
    }
    assert!(warnings(&with_source("limit", json!("1000"))).contains(&"limit_out_of_range"));
}

#[test]
fn a_cursor_condition_and_other_names_of_conditions_change_nothing() {
    let time =
        json!({"field": "updateTime", "type": "datetime", "method": "range", "value": "{{LAST_SYNC_TIME|datetime}}"});
    let flow = json!({"field": "flowState", "type": "flowState", "method": "eq", "value": "1"});
    let cursor = json!({"field": "_id", "type": "string", "method": "gt", "value": "{{LAST_ID}}"});
    let since = UnixMillis::from_rfc3339("2026-11-21T23:50:00Z");
    let expected = mapping(&contract()).filter(since, Honoured::default());
    for filter in [
        json!({"rel": "and", "cond_1": cursor, "cond_2": time, "cond_3": flow}),
        json!({"rel": "and", "cond": [time, flow, cursor]}),
        json!({"rel": "AND", "condA": time, "条件": flow}),
        json!({"cond_10": flow}),
        json!({"rel": "“and”", "cond_1": {"field": "updateTime", "type": "dateTime:", "method": "GT", "value": ["{{LAST_SYNC_TIME|datetime}}"]},
            "cond_2": {"field": "flowState", "method": "in", "value": [1]}}),
        json!({"rel": "or", "cond_1": time, "cond_2": flow}),
    ] {
        let mapping = mapping(&with_filter(filter.clone()));
        assert_eq!(mapping.filter(since, Honoured::default()), expected, "{filter}");
    }
    let odd = warnings(&with_filter(json!({"rel": "and", "cond_1": cursor, "cond_2": flow})));
    assert!(odd.contains(&"cursor_condition") && odd.contains(&"named_conditions"));
}

#[test]
fn an_old_path_says_which_form_is_meant() {
    let path = "/api/v4/app/64a0c0ffee000000000000aa/entry/64a0c0ffee000000000000bb/data";
    let mut file = with_source("api", json!(path));
    for key in ["appId", "entryId"] {
        file["source"].as_object_mut().unwrap().remove(key);
    }
    assert_eq!(mapping(&file).form(), mapping(&contract()).form());
    assert!(warnings(&file).contains(&"old_api"));
    let mut other = with_source("api", json!(path.replace("bb", "cc")));
    assert!(warnings(&other).contains(&"another_form"));
    assert_eq!(mapping(&other).form(), mapping(&contract()).form());
    other["source"]["api"] = json!("/api/v5/app/entry/data/list");
    assert!(!warnings(&other).contains(&"old_api"));
    for (key, odd) in [("appId", json!("{app_id}")), ("entryId", json!("64a0")), ("appId", json!(null))] {
        assert_eq!(problems(&with_source(key, odd)), ["no_form"]);
    }
}

#[test]
fn fields_may_be_a_list_or_a_text_or_not_there() {
    for fields in [
        json!(["_widget_1001", "extra"]),
        json!("_widget_1001，extra"),
        json!(" “extra” ; _id"),
        json!(null),
        json!(""),
    ] {
        let asked = mapping(&with_source("fields", fields.clone())).fields();
        assert!(asked.contains(&"_widget_1004".to_owned()) && !asked.contains(&"_id".to_owned()), "{fields}");
        assert_eq!(asked.contains(&"extra".to_owned()), fields.to_string().contains("extra"), "{fields}");
    }
    for (odd, word) in [
        (json!({"a": 1}), "bad_shape"),
        (json!([1]), "bad_shape"),
        (json!("姓名"), "bad_name"),
        (json!("a.b"), "bad_name"),
    ] {
        assert_eq!(problems(&with_source("fields", odd)), [word]);
    }
}

#[test]
fn what_is_not_known_is_ignored_and_told() {
    let mut file = contract();
    file["source"]["token"] = json!("x");
    file["comment"] = json!("x");
    file["request"][0]["color"] = json!("x");
    let entries = file["request"].as_array_mut().unwrap();
    entries.push(json!({"field": "hired_on", "value": "{_widget_1004}"}));
    entries.push(json!({"field": "hired_by", "label": "", "type": "string", "value": ""}));
    entries.push(json!({"field": "alias", "label": "别名", "type": "string", "value": ""}));
    entries.push(json!({"field": "external_profile", "type": "object"}));
    let told = warnings(&file);
    assert_eq!(told.iter().filter(|word| **word == "unknown_key").count(), 3);
    assert_eq!(told.iter().filter(|word| **word == "unknown_field").count(), 1, "one that is not used is no matter");
    assert_eq!(request(&file, contract_record()), contract_request());
}

#[test]
fn a_file_that_cannot_be_used_says_all_that_is_wrong_at_once() {
    let file = json!({
        "source": {"appId": "x", "fields": 7, "limit": "many", "filter": {"rel": "xor"}},
        "api": "/cgi-bin/user/delete", "idCheck": "maybe", "status": {"field": "状态"},
        "request": [
            {"field": "name", "value": "{姓名}"},
            {"field": "userid", "value": "{a}", "convert": "eval", "check": ["pattern"], "on_invalid": "ignore"},
            {"value": "x"}, 7, {"field": "to_invite", "value": "maybe"}, {"field": "mobile", "value": "{{MOBILE}}"},
            {"field": "gender", "value": "{g}", "default": "x"},
        ]
    });
    let mut told = problems(&file);
    told.sort_unstable();
    let mut expected = [
        "no_form",
        "bad_shape",
        "no_number",
        "bad_word",
        "other_api",
        "no_flag",
        "bad_name",
        "bad_placeholder",
        "unknown_conversion",
        "unknown_check",
        "bad_word",
        "no_field",
        "bad_shape",
        "bad_value",
        "unknown_placeholder",
        "bad_default",
    ];
    expected.sort_unstable();
    assert_eq!(told, expected);
    for (file, word) in [
        (json!(null), "bad_shape"),
        (json!([]), "bad_shape"),
        (json!("no JSON"), "no_json"),
        (json!({"source": null, "request": []}), "no_half"),
        (json!({"source": 7, "target": {}}), "bad_shape"),
    ] {
        assert!(problems(&file).contains(&word), "{file}");
    }
}

#[test]
fn without_what_nobody_can_be_created_without_there_is_no_mapping() {
    for field in ["userid", "name", "mobile"] {
        let mut file = contract();
        file["request"].as_array_mut().unwrap().retain(|entry| entry["field"] != field);
        assert_eq!(problems(&file), ["field_missing"], "{field}");
        let mut file = contract();
        for entry in file["request"].as_array_mut().unwrap().iter_mut().filter(|entry| entry["field"] == field) {
            entry["value"] = json!("");
        }
        assert_eq!(problems(&file), ["field_missing"], "{field}");
    }
    let mut file = contract();
    file["request"].as_array_mut().unwrap().retain(|entry| entry["field"] != "department");
    assert!(warnings(&file).contains(&"no_department"));
    let mut file = contract();
    file["request"].as_array_mut().unwrap().push(json!({"field": "name", "value": "x"}));
    assert_eq!(problems(&file), ["doubled_field"]);
}
