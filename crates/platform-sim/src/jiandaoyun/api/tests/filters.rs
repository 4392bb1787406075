//! Filters, and what becomes of those that nobody understands.

use super::*;

fn condition(field: &str, method: &str, value: Value) -> Value {
    json!({ "field": field, "method": method, "value": value })
}

/// One condition alone.
fn one(field: &str, method: &str, value: Value) -> Value {
    all_of(&[condition(field, method, value)])
}

/// Three records of the form with every type of field.
fn varied() -> Stage {
    let stage = Stage::over(rich_form());
    stage.submit(json!({
        "name": "张三", "seat": 100, "_widget_2004": "2026-11-30T16:00:00.000Z", "gender": "男", "skills": ["Rust", "SQL"],
        "mobile": { "phone": "13800000000", "verified": true }, "_widget_2012": "zhao", "mentors": ["zhao", "xiaojian"],
        "_widget_2014": 12, "teams": [12], "_widget_2022": "2026-0001",
    }));
    stage.submit(json!({
        "name": "李四", "seat": 200, "_widget_2004": "2026-12-01T15:59:59.999Z", "gender": "女", "skills": ["SQL"],
        "mobile": "13900000000", "_widget_2022": "2026-0002",
    }));
    stage.submit(json!({ "_widget_2004": "2026-12-01T16:00:00.000Z" }));
    stage
}

#[test]
fn each_type_of_field_has_its_methods() {
    let stage = varied();
    let cases = [
        (one("name", "eq", json!(["张三"])), 1),
        (one("name", "ne", json!(["张三"])), 2),
        (one("name", "in", json!(["张三", "李四"])), 2),
        (one("name", "nin", json!(["张三", "李四"])), 1),
        (json!({ "rel": "and", "cond": [{ "field": "name", "method": "empty" }] }), 1),
        (json!({ "rel": "and", "cond": [{ "field": "name", "method": "not_empty" }] }), 2),
        (one("seat", "gt", json!([100])), 1),
        (one("seat", "lt", json!([200.5])), 2),
        (one("seat", "range", json!([100, 200])), 2),
        (one("seat", "range", json!([null, 150])), 1),
        (one("gender", "eq", json!(["男"])), 1),
        (one("skills", "in", json!(["Rust", "Go"])), 1),
        (one("skills", "all", json!(["SQL"])), 2),
        (one("skills", "all", json!(["SQL", "Rust"])), 1),
        (one("mobile", "like", json!(["0000000"])), 2),
        (json!({ "rel": "and", "cond": [{ "field": "mobile", "method": "verified" }] }), 1),
        (json!({ "rel": "and", "cond": [{ "field": "mobile", "method": "empty" }] }), 1),
        (one("_widget_2012", "eq", json!(["zhao"])), 1),
        (one("mentors", "all", json!(["zhao", "xiaojian"])), 1),
        (one("_widget_2014", "eq", json!([12])), 1),
        (one("teams", "in", json!([12, 13])), 1),
        (one("_widget_2022", "like", json!(["0002"])), 1),
        (one("creator", "eq", json!(["xiaojian"])), 3),
        (one("creator", "ne", json!(["xiaojian"])), 0),
        (
            json!({ "rel": "or", "cond": [condition("seat", "eq", json!([100])), condition("seat", "eq", json!([200]))] }),
            2,
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(stage.filtered(&filter), expected, "{filter}");
    }
    let first = stage.list(&json!({ "limit": 1 }));
    assert_eq!(stage.filtered(&one("data_id", "eq", json!([first[0]]))), 1);
}

#[test]
fn ranges_of_times_have_both_ends_and_a_date_is_a_day_in_china() {
    let stage = varied();
    let starts = |method: &str, value: Value| stage.filtered(&one("_widget_2004", method, value));
    assert_eq!(starts("eq", json!(["2026-12-01"])), 2);
    assert_eq!(starts("ne", json!(["2026-12-01"])), 1);
    assert_eq!(starts("range", json!(["2026-12-01", "2026-12-01"])), 2);
    assert_eq!(starts("range", json!(["2026-12-01T15:59:59.999Z", null])), 2);
    assert_eq!(starts("range", json!([null, "2026-11-30T16:00:00.000Z"])), 1);
    assert_eq!(starts("range", json!(["2026-12-02 00:00:00", null])), 1);
    stage.api.configure(|options| options.zoneless = Zoneless::Utc);
    assert_eq!(starts("range", json!(["2026-12-02 00:00:00", null])), 0);
}

#[test]
fn the_time_of_the_last_change_and_the_flow_state_can_be_asked_for() {
    let stage = Stage::new();
    let all = stage.submit_many(4);
    stage.clock.advance(Duration::from_secs(60));
    stage.step(&all[1], FlowState::Approved);
    stage.step(&all[2], FlowState::Refused);
    let approved = condition("flowState", "eq", json!([1]));
    let since = condition("updateTime", "range", json!(["2026-11-21T12:01:00.000Z", null]));
    assert_eq!(stage.filtered(&all_of(std::slice::from_ref(&since))), 2);
    assert_eq!(stage.list(&json!({ "filter": all_of(&[approved.clone(), since.clone()]) })), [all[1].clone()]);
    assert_eq!(stage.filtered(&one("updateTime", "range", json!(["2036-01-01T00:00:00Z", null]))), 0);
    stage.api.configure(|options| {
        options.ignored_fields.insert("updateTime".to_owned());
    });
    assert_eq!(stage.filtered(&one("updateTime", "range", json!(["2036-01-01T00:00:00Z", null]))), 4);
    assert_eq!(stage.filtered(&all_of(&[approved, since])), 1, "the other condition is heeded");
    stage.api.configure(|options| options.ignores_filters = true);
    assert_eq!(stage.filtered(&one("flowState", "eq", json!([987_654]))), 4);
}

#[test]
fn conditions_that_are_not_understood_are_dropped_without_a_word() {
    let stage = varied();
    let odd = [
        one("no_such_field", "eq", json!(["x"])),
        one("_widget_2001", "eq", json!(["张三"])),
        one("_id", "gt", json!(["59e9a2fe283ffa7c11b1ddbf"])),
        one("name", "contains", json!(["张"])),
        one("name", "like", json!(["张"])),
        one("seat", "lt", json!(["1000"])),
        one("flowState", "eq", json!(["1"])),
        one("flowState", "eq", json!(1)),
        one("updateTime", "gt", json!(["2036-01-01T00:00:00.000Z"])),
        one("updateTime", "range", json!("{{LAST_SYNC_TIME|datetime}}")),
        one("updateTime", "range", json!(["2036-01-01T00:00:00.000Z"])),
        one("mobile", "eq", json!(["13800000000"])),
        one("_widget_2012", "nin", json!(["zhao", "nobody"])),
        one("schools", "eq", json!(["x"])),
        json!({ "rel": "and", "cond_1": condition("name", "eq", json!(["张三"])) }),
    ];
    for filter in &odd {
        assert_eq!(stage.filtered(filter), 3, "{filter}");
    }
    stage.api.configure(|options| options.filters = FilterMode::Strict);
    for filter in odd {
        assert_eq!(stage.refusal(Interface::DataList, &json!({ "filter": filter })), 4815, "{filter}");
    }
    assert_eq!(stage.filtered(&one("name", "eq", json!(["张三"]))), 1);
    let plain = Stage::over(NewForm { workflow: false, ..contract_form() });
    plain.submit(json!({}));
    assert_eq!(plain.filtered(&one("flowState", "eq", json!([1]))), 1, "a plain form has no flow state");
}

#[test]
fn a_filter_that_is_too_long_is_refused_and_one_that_is_no_object_too() {
    let stage = Stage::new();
    let values = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<String>>();
    assert_eq!(stage.filtered(&one("_widget_1001", "in", json!(values(1_000)))), 0);
    let long = json!({ "filter": one("_widget_1001", "in", json!(values(1_001))) });
    assert_eq!(stage.refusal(Interface::DataList, &long), 4815);
    stage.api.configure(|options| options.longest_filter = 50);
    assert_eq!(stage.refusal(Interface::DataList, &json!({ "filter": one("flowState", "eq", json!([1])) })), 4815);
    assert_eq!(stage.refusal(Interface::DataList, &json!({ "filter": [] })), 17017);
}
