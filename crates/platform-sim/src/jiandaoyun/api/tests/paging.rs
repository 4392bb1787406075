//! Pages, cursors and projections.

use super::*;

#[test]
fn pages_go_by_id_and_the_cursor_is_not_repeated() {
    let stage = Stage::new();
    let all = stage.submit_many(25);
    assert!(all.is_sorted());
    assert_eq!(stage.list(&json!({})), all[..10], "the default is ten");
    assert_eq!(stage.list(&json!({ "limit": 100, "data_id": "" })), all);
    let second = stage.list(&json!({ "limit": 10, "data_id": all[9] }));
    assert_eq!(second, all[10..20]);
    assert_eq!(stage.list(&json!({ "limit": 10, "data_id": all[19] })).len(), 5);
    assert!(stage.list(&json!({ "limit": 10, "data_id": all[24] })).is_empty());
    assert_eq!(stage.refusal(Interface::DataList, &json!({ "data_id": "x" })), 17017);
}

#[test]
fn a_limit_outside_of_what_is_allowed_is_refused_or_clamped() {
    let stage = Stage::new();
    stage.submit_many(101);
    for limit in [json!(0), json!(101), json!("100"), json!(1.5)] {
        assert_eq!(stage.refusal(Interface::DataList, &json!({ "limit": limit })), 17017, "{limit}");
    }
    stage.api.configure(|options| options.limit_outside = LimitOutside::Clamp);
    assert_eq!(stage.list(&json!({ "limit": 1_000 })).len(), 100);
    assert_eq!(stage.list(&json!({ "limit": 0 })).len(), 1);
}

#[test]
fn records_can_be_changed_deleted_and_added_between_two_pages() {
    let stage = Stage::new();
    let all = stage.submit_many(4);
    let (form, cursor, third) = (stage.form.clone(), all[1].clone(), all[2].clone());
    stage.api.before(Interface::DataList, 1, move |forms| {
        forms.remove(&form, &cursor).expect("a record");
        forms.edit(&form, &third, json!({ "_widget_1001": "改" })).expect("a record");
        forms.submit(&form, json!({ "_widget_1001": "新" })).expect("a known form");
    });
    let first = stage.list(&json!({ "limit": 2 }));
    assert_eq!(first, all[..2]);
    let second = stage.ask(Interface::DataList, &json!({ "limit": 2, "data_id": first[1] }));
    assert_eq!(ids(&second), all[2..], "the cursor may be gone");
    assert_eq!(second["data"][0]["_widget_1001"], "改");
    assert_eq!(stage.list(&json!({ "data_id": all[3] })).len(), 1);
}

#[test]
fn what_is_committed_late_appears_behind_the_cursor() {
    let stage = Stage::new();
    stage.clock.advance(Duration::from_secs(10));
    let now = stage.submit(json!({}));
    let form = stage.form.clone();
    stage.api.before(Interface::DataList, 1, move |forms| {
        forms.at(START_MS, |forms| forms.submit(&form, json!({}))).expect("a known form");
    });
    assert_eq!(stage.list(&json!({})), std::slice::from_ref(&now));
    assert!(stage.list(&json!({ "data_id": now })).is_empty());
    assert_eq!(stage.list(&json!({})).len(), 2);
}

#[test]
fn only_fields_that_exist_narrow_the_answer() {
    let stage = Stage::new();
    stage.submit(json!({ "_widget_1001": "张三" }));
    let keys = |fields: Value| -> Vec<String> {
        let answer = stage.ask(Interface::DataList, &json!({ "fields": fields }));
        answer["data"][0].as_object().expect("a record").keys().cloned().collect()
    };
    let all = keys(json!([]));
    assert!(all.len() > 10);
    assert_eq!(keys(json!(["_id"])), all);
    assert_eq!(keys(json!(["no_such_field"])), all);
    let mut told = keys(json!(["_widget_1001", "updateTime", "flowState", "no_such_field"]));
    told.sort();
    assert_eq!(told, ["_id", "_widget_1001", "appId", "entryId", "flowState", "updateTime"]);
    stage.api.configure(|options| options.projects_system_fields = false);
    assert_eq!(keys(json!(["_widget_1001", "updateTime"])).len(), 4);
    assert_eq!(keys(json!(["updateTime"])), all);
    assert_eq!(stage.refusal(Interface::DataList, &json!({ "fields": "_widget_1001" })), 17017);
}

#[test]
fn lists_may_leave_out_who_changed_and_who_deleted() {
    let stage = Stage::new().with(|options| options.lean = true);
    let id = stage.submit(json!({}));
    let record = &stage.ask(Interface::DataList, &json!({}))["data"][0];
    assert_eq!((record.get("updater"), record.get("deleteTime"), record["updateTime"].is_string()), (None, None, true));
    let whole = stage.ask(Interface::DataGet, &json!({ "data_id": id }));
    assert_eq!(
        (&whole["data"]["updater"]["username"], &whole["data"]["deleteTime"]),
        (&json!("xiaojian"), &Value::Null)
    );
    assert_eq!(stage.refusal(Interface::DataGet, &json!({ "data_id": "59e9a2fe283ffa7c11b1ddbf" })), 4001);
    assert_eq!(stage.refusal(Interface::DataGet, &json!({})), 17017);
}

#[test]
fn a_planned_step_has_been_taken_when_its_time_has_come() {
    let stage = Stage::new();
    let id = stage.submit(json!({}));
    stage.api.forms().plan(&stage.form, &id, START_MS + 500, FlowState::Approved);
    let state = || stage.ask(Interface::DataGet, &json!({ "data_id": id }))["data"]["flowState"].clone();
    assert_eq!(state(), json!(0));
    stage.clock.advance(Duration::from_millis(500));
    assert_eq!(state(), json!(1));
    assert_eq!(stage.api.take_events().len(), 2);
}
