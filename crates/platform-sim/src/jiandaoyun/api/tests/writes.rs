//! What is written through the API.

use super::*;

fn update(stage: &Stage, id: &str, data: Value) -> i64 {
    stage.refusal(Interface::DataUpdate, &json!({ "data_id": id, "data": data }))
}

#[test]
fn a_written_field_is_changed_the_others_stay_and_no_push_tells_of_it() {
    let stage = Stage::new();
    let id = stage.submit(json!({ "_widget_1001": "张三" }));
    stage.step(&id, FlowState::Approved);
    stage.api.take_events();
    stage.clock.advance(Duration::from_secs(5));
    let data = json!({ "_widget_1009": { "value": "已创建" }, "no_such_field": { "value": 1 } });
    let told = stage.ask(Interface::DataUpdate, &json!({ "data_id": id, "data": data }));
    let record = &told["data"];
    assert_eq!((&record["_widget_1001"], &record["_widget_1009"]), (&json!("张三"), &json!("已创建")));
    assert_eq!((&record["updateTime"], &record["flowState"]), (&json!("2026-11-21T12:00:05.000Z"), &json!(1)));
    assert_eq!(told, stage.ask(Interface::DataGet, &json!({ "data_id": id })));
    assert!(stage.api.take_events().is_empty());
    assert_eq!(update(&stage, &id, json!({ "_widget_1009": "已创建" })), 17017, "the read form is no write form");
    assert_eq!(update(&stage, "59e9a2fe283ffa7c11b1ddbf", json!({})), 4001);
}

#[test]
fn values_have_to_be_of_the_type_of_their_field() {
    let stage = Stage::over(rich_form());
    let id = stage.submit(json!({}));
    let write = |field: &str, value: Value| update(&stage, &id, json!({ field: { "value": value } }));
    let good = [
        ("name", json!("张三")),
        ("seat", json!(1.5)),
        ("_widget_2004", json!("2026-12-01 08:00:00")),
        ("_widget_2004", json!("2026-12-01")),
        ("_widget_2004", json!(1_796_054_400_000_i64)),
        ("skills", json!(["Rust"])),
        ("home", json!({ "province": "上海市" })),
        ("mobile", json!({ "phone": "13800000000" })),
        ("_widget_2012", json!("zhao")),
        ("mentors", json!(["zhao"])),
        ("_widget_2014", json!(12)),
        ("teams", json!([12])),
    ];
    for (field, value) in good {
        assert_eq!(write(field, value.clone()), 0, "{field} {value}");
    }
    let record = stage.ask(Interface::DataGet, &json!({ "data_id": id }))["data"].clone();
    assert_eq!(record["_widget_2004"], "2026-11-30T16:00:00.000Z");
    assert_eq!((&record["_widget_2012"]["name"], &record["_widget_2014"]["name"]), (&json!("赵"), &json!("研发部")));
    let bad = [
        (17017, "name", json!(1)),
        (17017, "seat", json!("1")),
        (17017, "_widget_2004", json!(1_796_054_400)),
        (17017, "_widget_2004", json!("2026/12/01")),
        (17017, "_widget_2004", Value::Null),
        (1010, "_widget_2012", json!("nobody")),
        (17017, "_widget_2014", json!(13)),
        (17032, "_widget_2022", json!("1")),
        (17032, "_widget_2018", json!({})),
        (17032, "stage", json!("x")),
    ];
    for (code, field, value) in bad {
        assert_eq!(write(field, value.clone()), code, "{field} {value}");
    }
}

#[test]
fn a_sub_form_is_replaced_as_a_whole_and_rows_keep_their_ids_if_they_are_sent() {
    let stage = Stage::over(rich_form());
    let rows = json!([{ "school": "同济" }, { "school": "复旦", "_widget_2102": "2020-06-30T16:00:00.000Z" }]);
    let id = stage.submit(json!({ "schools": rows }));
    let schools = || stage.ask(Interface::DataGet, &json!({ "data_id": id }))["data"]["schools"].clone();
    let second = schools()[1]["_id"].clone();
    let row = json!({ "_id": { "value": second }, "school": { "value": "交大" } });
    assert_eq!(update(&stage, &id, json!({ "schools": { "value": [row, { "school": { "value": "浙大" } }] } })), 0);
    let schools = schools();
    assert_eq!(schools[0], json!({ "_id": second, "school": "交大" }));
    assert_eq!((&schools[1]["school"], schools.as_array().map(Vec::len)), (&json!("浙大"), Some(2)));
    assert_ne!(schools[1]["_id"], second);
}

#[test]
fn records_are_created_with_or_without_a_workflow_in_somebodys_name() {
    let stage = Stage::new();
    let create = |more: Value| stage.ask(Interface::DataCreate, &more)["data"].clone();
    let plain = create(json!({ "data": { "_widget_1001": { "value": "张三" } } }));
    assert_eq!((&plain["flowState"], &plain["creator"]["username"]), (&Value::Null, &json!("#admin")));
    let started = create(json!({ "data": {}, "data_creator": "zhao", "is_start_workflow": true }));
    assert_eq!((&started["flowState"], &started["creator"]["username"]), (&json!(0), &json!("zhao")));
    assert_eq!(stage.refusal(Interface::DataCreate, &json!({ "data": {}, "data_creator": "nobody" })), 1010);
    assert_eq!(stage.refusal(Interface::DataCreate, &json!({})), 17017);
    assert!(stage.api.take_events().is_empty());
}

#[test]
fn a_batch_under_the_same_transaction_takes_the_place_of_the_first_within_an_hour() {
    let stage = Stage::new();
    let batch = |names: &[&str]| {
        let row = |name: &&str| json!({ "_widget_1001": { "value": name } });
        let rows: Vec<Value> = names.iter().map(row).collect();
        let answer = stage.ask(Interface::DataBatchCreate, &json!({ "data_list": rows, "transaction_id": "t-1" }));
        assert_eq!(answer["success_count"], names.len());
        answer["success_ids"].clone()
    };
    let names = || -> Vec<Value> {
        let records = stage.api.forms();
        records.records(&stage.form).iter().map(|record| record.values["_widget_1001"].clone()).collect()
    };
    let first = batch(&["甲", "乙", "丙"]);
    let second = batch(&["甲", "新乙"]);
    assert_eq!((&second[0], &second[1]), (&first[0], &first[1]));
    assert_eq!(names(), ["甲", "新乙"]);
    stage.clock.advance(Duration::from_secs(3600));
    batch(&["甲"]);
    assert_eq!(names(), ["甲", "新乙", "甲"]);
    let empty = json!({ "data_list": [], "transaction_id": "" });
    assert_eq!(stage.refusal(Interface::DataBatchCreate, &empty), 17025);
    let many: Vec<Value> = (0..101).map(|_row| json!({})).collect();
    assert_eq!(stage.refusal(Interface::DataBatchCreate, &json!({ "data_list": many })), 17024);
}

#[test]
fn many_records_are_changed_and_deleted_at_once() {
    let stage = Stage::over(rich_form());
    let ids: Vec<String> = (0..3).map(|_record| stage.submit(json!({}))).collect();
    let known = [ids[0].as_str(), ids[1].as_str(), "59e9a2fe283ffa7c11b1ddbf"];
    let data = json!({ "name": { "value": "张三" } });
    let changed = stage.ask(Interface::DataBatchUpdate, &json!({ "data_ids": known, "data": data }));
    assert_eq!(changed["success_count"], 2);
    let rows = json!({ "schools": { "value": [] } });
    assert_eq!(stage.refusal(Interface::DataBatchUpdate, &json!({ "data_ids": known, "data": rows })), 17032);
    assert_eq!(stage.ask(Interface::DataBatchDelete, &json!({ "data_ids": known }))["success_count"], 2);
    assert_eq!(stage.ask(Interface::DataDelete, &json!({ "data_id": ids[2] })), json!({ "status": "success" }));
    assert_eq!(stage.refusal(Interface::DataDelete, &json!({ "data_id": ids[2] })), 4001);
    assert!(stage.list(&json!({})).is_empty());
    let many = vec!["59e9a2fe283ffa7c11b1ddbf"; 101];
    assert_eq!(stage.refusal(Interface::DataBatchDelete, &json!({ "data_ids": many })), 17033);
    assert_eq!(stage.refusal(Interface::DataBatchUpdate, &json!({ "data_ids": many, "data": data })), 17023);
}
