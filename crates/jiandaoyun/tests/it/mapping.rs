//! Mappings: files in, requests out.

mod admitting;
mod binding;
mod contract;
mod oddities;
mod policies;
mod properties;

use jiandaoyun::{
    api::{Widget, Widgets},
    mapping::{Mapping, Problem, Warning, Zone, sample},
};
use serde_json::{Value, json};

/// The file of the contract, as it stands there.
const CONTRACT: &str = r#"{"source": {"api": "/api/v2/app/{app_id}/entry/{entry_id}/data", "method": "POST", "effect": "QUERY",
   "appId": "64a0c0ffee000000000000aa", "entryId": "64a0c0ffee000000000000bb", "fields": "_widget_1001,_id", "limit": "100",
   "filter": {"rel": "and",
     "cond_1": {"field": "updateTime", "type": "datetime", "method": "range", "value": "{{LAST_SYNC_TIME|datetime}}"},
     "cond_2": {"field": "flowState", "type": "flowState", "method": "eq", "value": "1"}}},
 "api": "/cgi-bin/user/create", "method": "POST", "effect": "EXECUTE", "idCheck": true,
 "request": [
   {"field": "userid", "label": "成员UserID", "type": "string", "describe": "...", "value": "{_widget_1005}"},
   {"field": "name", "label": "成员名称", "type": "string", "value": "{_widget_1001}"},
   {"field": "mobile", "label": "手机号码", "type": "string", "value": "{_widget_1002}", "check": ["mobile"], "on_invalid": "skip"},
   {"field": "department", "label": "部门", "type": "string", "describe": "不超过100个", "value": "{_widget_1003}"},
   {"field": "position", "label": "职务", "type": "string", "value": "{_widget_1004}"},
   {"field": "to_invite", "label": "是否邀请", "type": ":string", "value": "true"}]}"#;

/// The record of the contract.
fn contract_record() -> Value {
    json!({"_widget_1005": "user1234", "_widget_1001": "张三", "_widget_1002": "13800138000", "_widget_1003": "[1,2,3]", "_widget_1004": "工程师"})
}

/// What becomes of it, as the contract says.
fn contract_request() -> Value {
    json!({"userid": "user1234", "name": "张三", "mobile": "13800138000", "department": [1, 2, 3], "position": "工程师", "to_invite": true})
}

/// The file of the contract as JSON.
fn contract() -> Value {
    serde_json::from_str(CONTRACT).unwrap()
}

/// The same with one entry of the request in place of another, or in addition.
fn contract_with(entry: Value) -> Value {
    let mut file = contract();
    let entries = file["request"].as_array_mut().unwrap();
    entries.retain(|old| old["field"] != entry["field"]);
    entries.push(entry);
    file
}

fn parse(file: &Value) -> Result<(Mapping, Vec<Warning>), Vec<Problem>> {
    Mapping::parse(file, &Zone::china())
}

/// A mapping that is right.
fn mapping(file: &Value) -> Mapping {
    parse(file).unwrap_or_else(|problems| panic!("{problems:?}")).0
}

/// What is wrong with a file, in words.
fn problems(file: &Value) -> Vec<&'static str> {
    parse(file).err().unwrap_or_default().iter().map(|problem| problem.word).collect()
}

/// What is odd about a file, in words.
fn warnings(file: &Value) -> Vec<&'static str> {
    let (_, warnings) = parse(file).unwrap_or_else(|problems| panic!("{problems:?}"));
    warnings.iter().map(|warning| warning.word).collect()
}

/// The request that a file makes of a record, which must be whole.
fn request(file: &Value, record: Value) -> Value {
    let mapped = mapping(file).map(&sample(record).unwrap());
    assert!(mapped.is_valid(), "{:?}", mapped.problems);
    Value::Object(mapped.request)
}

fn widget(name: &str, id: &str, kind: &str) -> Widget {
    Widget { name: name.into(), widget_name: id.into(), label: String::new(), kind: kind.into(), items: Vec::new() }
}

/// The form of the contract, with aliases for some of its fields.
fn contract_form() -> Widgets {
    Widgets {
        widgets: vec![
            widget("name", "_widget_1001", "text"),
            widget("mobile", "_widget_1002", "phone"),
            widget("_widget_1003", "_widget_1003", "text"),
            widget("_widget_1004", "_widget_1004", "combo"),
            widget("_widget_1005", "_widget_1005", "sn"),
            widget("status", "_widget_9", "text"),
        ],
        has_flow: true,
        modified_at: None,
    }
}
