//! Keys, what they may, and what is where.

use std::collections::BTreeSet;

use super::*;

#[test]
fn a_key_has_to_be_known_and_switched_on() {
    let stage = Stage::new();
    let body = json!({ "app_id": stage.form.app, "entry_id": stage.form.entry }).to_string();
    let ask = |key: &str| stage.send("POST", "/api/v5/app/entry/data/list", key, body.as_bytes());
    assert_eq!((code(&ask(KEY)), code(&ask("other")), code(&ask(""))), (0, 17018, 17018));
    let headers = [("authorization".to_owned(), KEY.to_owned())];
    let path = "/api/v5/app/entry/data/list";
    let call = Call { method: "POST", path, headers: &headers, body: body.as_bytes(), peer: HOME };
    assert_eq!(code(&stage.api.call(&call)), 17018, "the scheme is missing");
    stage.api.configure(|options| options.key_mut(KEY).expect("the key").enabled = false);
    assert_eq!(code(&ask(KEY)), 8301);
    stage.api.configure(|options| options.bad_key_status = 401);
    assert_eq!((ask(KEY).status, parsed(&ask(KEY))["code"].as_i64()), (401, Some(8301)));
}

#[test]
fn a_key_may_be_kept_from_addresses_applications_and_interfaces() {
    let stage = Stage::new();
    let id = stage.submit(json!({}));
    let get = |stage: &Stage| stage.refusal(Interface::DataGet, &json!({ "data_id": id }));
    let change = |change: fn(&mut ApiKey)| stage.api.configure(|options| change(options.key_mut(KEY).expect("it")));
    change(|key| key.trusted = Some(BTreeSet::from([IpAddr::V4(Ipv4Addr::LOCALHOST)])));
    assert_eq!(get(&stage), 17052);
    change(|key| key.trusted = None);
    change(|key| key.lacks = BTreeSet::from([Interface::DataGet]));
    assert_eq!((get(&stage), stage.refusal(Interface::DataList, &json!({}))), (17054, 0));
    change(|key| key.lacks = BTreeSet::new());
    change(|key| key.apps = Some(BTreeSet::new()));
    assert_eq!(get(&stage), 17053);
    assert_eq!(stage.ask(Interface::AppList, &json!({}))["apps"], json!([]));
    change(|key| key.apps = None);
    assert_eq!(get(&stage), 0);
}

#[test]
fn forms_and_applications_have_to_exist_and_to_be_named() {
    let stage = Stage::new();
    let with =
        |app: Value, entry: Value| stage.refusal(Interface::DataList, &json!({ "app_id": app, "entry_id": entry }));
    let (app, entry) = (json!(stage.form.app), json!(stage.form.entry));
    let unknown = json!("64a0c0ffee0000000000dead");
    assert_eq!(with(app.clone(), entry.clone()), 0);
    assert_eq!((with(unknown.clone(), entry.clone()), with(app.clone(), unknown)), (2004, 3000));
    assert_eq!((with(Value::Null, entry.clone()), with(app, json!(""))), (17017, 17017));
    let not_json = stage.send("POST", "/api/v5/app/entry/data/list", KEY, b"{");
    assert_eq!(code(&not_json), 17017);
}

#[test]
fn only_what_is_posted_to_a_known_path_is_answered() {
    let stage = Stage::new();
    assert_eq!(stage.send("GET", "/api/v5/app/entry/data/list", KEY, b"").status, 404);
    assert_eq!(stage.send("POST", "/api/v5/app/entry/data/nothing", KEY, b"{}").status, 404);
    assert_eq!((stage.api.unknown(), stage.api.records().len()), (2, 0));
}

#[test]
fn fields_are_told_with_aliases_ids_and_types() {
    let stage = Stage::over(rich_form());
    stage.clock.advance(Duration::from_secs(1));
    stage.submit(json!({}));
    let told = stage.ask(Interface::WidgetList, &json!({}));
    let named = json!({ "name": "name", "widgetName": "_widget_2001", "label": "姓名", "type": "text" });
    let plain = json!({ "name": "_widget_2002", "widgetName": "_widget_2002", "label": "备注", "type": "textarea" });
    assert_eq!((&told["widgets"][0], &told["widgets"][1]), (&named, &plain));
    assert_eq!(told["widgets"][18]["items"][0]["name"], "school");
    assert_eq!(told["sysWidgets"][0], json!({ "name": "flowState" }));
    assert_eq!(told["dataModifyTime"], "2026-11-21T12:00:01.000Z");
    let plain = Stage::over(NewForm { workflow: false, ..contract_form() });
    assert_eq!(plain.ask(Interface::WidgetList, &json!({}))["sysWidgets"][0], json!({ "name": "creator" }));
}

#[test]
fn applications_and_their_forms_are_listed() {
    let stage = Stage::new();
    stage.api.forms().add_form(rich_form()).expect("a new form");
    let apps = stage.ask(Interface::AppList, &json!({}));
    assert_eq!(apps["apps"], json!([{ "name": "人事", "app_id": stage.form.app }]));
    let forms = stage.ask(Interface::FormList, &json!({ "skip": 1 }));
    assert_eq!(forms["forms"][0]["entry_id"], "64a0c0ffee000000000000cc");
    assert_eq!(forms["forms"].as_array().map(Vec::len), Some(1));
    assert_eq!(stage.refusal(Interface::FormList, &json!({ "limit": 101 })), 17017);
}

#[test]
fn old_routes_answer_the_same_with_the_ids_in_their_path() {
    let stage = Stage::over(rich_form());
    let id = stage.submit(json!({ "schools": [{ "school": "同济" }] }));
    let at =
        |version: &str, what: &str| format!("/api/{version}/app/{}/entry/{}/{what}", stage.form.app, stage.form.entry);
    let ask = |path: String, body: &Value| parsed(&stage.send("POST", &path, KEY, body.to_string().as_bytes()));
    for version in ["v2", "v4"] {
        assert_eq!(ask(at(version, "data"), &json!({})), stage.ask(Interface::DataList, &json!({})), "{version}");
    }
    let one = ask(at("v2", "data_retrieve"), &json!({ "data_id": id }));
    assert_eq!(one, stage.ask(Interface::DataGet, &json!({ "data_id": id })));
    assert_eq!(ask(at("v2", "widgets"), &json!({})), stage.ask(Interface::WidgetList, &json!({})));
    let first = ask(at("v1", "data"), &json!({}));
    assert_eq!(first["data"][0]["schools"], json!([{ "school": "同济" }]), "rows had no ids");
}
