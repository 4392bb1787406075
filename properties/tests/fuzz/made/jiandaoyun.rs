//! What Jiandaoyun would push and answer: two forms, and people who fill them in, in all shapes in which it is told.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};

use platform_sim::jiandaoyun::{
    Api, ApiOptions, Call, Clock, Department, Empties, FlowState, Forms, FormsOptions, Illegal, NewForm, Person,
    samples::{HireOptions, STATUS, contract_form, hires, rich_form},
    signature,
};
use serde_json::{Value, json};

const KEY: &str = "key";
/// 2026-11-27.
const NOW_MS: i64 = 1_795_737_600_000;
/// So many are enough to be mutated.
const HIRES: usize = 20;
const DELIVER_ID: &str = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
const LIST: &str = "data/list";

/// Signed pushes: lines with the query, the signature and the id of the delivery, then the body.
pub(crate) fn pushes(secret: &str, timestamp: &str, nonce: &str) -> Vec<Vec<u8>> {
    let events = filled(Empties::Documented).take_events();
    events.iter().map(|event| signed(event.body().as_bytes(), secret, timestamp, nonce)).collect()
}

/// The push of a body.
pub(crate) fn signed(body: &[u8], secret: &str, timestamp: &str, nonce: &str) -> Vec<u8> {
    let signature = signature(nonce, body, secret, timestamp);
    let head = format!("timestamp={timestamp}&nonce={nonce}\n{signature}\n{DELIVER_ID}\n");
    [head.as_bytes(), body].concat()
}

/// Records of both forms, with whatever the platform tells where nothing was filled in.
pub(crate) fn records() -> Vec<Vec<u8>> {
    let empties = [Empties::Documented, Empties::Null, Empties::Absent, Empties::Mixed];
    let of = |empties| {
        let api = filled(empties);
        [contract_form(), rich_form()].into_iter().flat_map(move |form| listed(&api, &form))
    };
    empties.into_iter().flat_map(of).map(|record| record.to_string().into_bytes()).collect()
}

/// Answers of the API: a line with the status and the call, then the body. The record of which one tells has this id.
pub(crate) fn answers(record_id: &str) -> Vec<Vec<u8>> {
    let api = filled(Empties::Documented);
    let (simple, rich) = (contract_form(), rich_form());
    let id = listed(&api, &simple).first().map(|record| record["_id"].as_str().unwrap().to_owned()).unwrap();
    let mut fields = ask(&simple);
    fields["fields"] = json!(["_widget_1001", "createTime", "updateTime", "flowState"]);
    let mut one = ask(&simple);
    one["data_id"] = json!(id);
    let mut none = ask(&simple);
    none["data_id"] = json!("f".repeat(24));
    let mut status = one.clone();
    status["data"] = json!({STATUS: {"value": "created"}});
    let calls = [
        ("page", LIST, ask(&simple)),
        ("page", LIST, ask(&rich)),
        ("page", LIST, fields),
        ("next", LIST, ask(&simple)),
        ("honours", LIST, none.clone()),
        ("honours", LIST, ask(&simple)),
        ("record", "data/get", one),
        ("record", "data/get", none),
        ("record", "data/get", json!({})),
        ("widgets", "widget/list", ask(&simple)),
        ("widgets", "widget/list", ask(&rich)),
        ("update", "data/update", status),
        ("update", "data/update", json!([])),
        ("page", "no/such/interface", json!({})),
    ];
    let answer = |(name, path, body): (&str, &str, Value)| {
        let (status, answer) = called(&api, path, &body);
        let answer = String::from_utf8(answer).unwrap().replace(&id, record_id);
        format!("{status} {name}\n{answer}").into_bytes()
    };
    calls.into_iter().map(answer).collect()
}

fn ask(form: &NewForm) -> Value {
    json!({"app_id": form.id.app, "entry_id": form.id.entry, "limit": 100})
}

fn listed(api: &Api, form: &NewForm) -> Vec<Value> {
    let (status, body) = called(api, LIST, &ask(form));
    let told: Value = serde_json::from_slice(&body).unwrap();
    let records = told["data"].as_array().cloned().unwrap_or_default();
    assert!(status == 200 && !records.is_empty(), "{status} {told}");
    records
}

/// Status and body.
fn called(api: &Api, path: &str, body: &Value) -> (u16, Vec<u8>) {
    let headers = [("authorization".to_owned(), format!("Bearer {KEY}"))];
    let (path, body) = (format!("/api/v5/app/entry/{path}"), body.to_string());
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let answer = api.call(&Call { method: "POST", path: &path, headers: &headers, body: body.as_bytes(), peer });
    (answer.status, answer.body)
}

/// The API of a company in which people were busy.
fn filled(empties: Empties) -> Api {
    let clock = Clock::manual(NOW_MS);
    let mut forms = Forms::new(FormsOptions { empties, ..FormsOptions::default() }, clock.clone());
    things_happen(&mut forms).unwrap();
    Api::new(Arc::new(Mutex::new(forms)), ApiOptions::new(KEY), clock)
}

fn things_happen(forms: &mut Forms) -> Result<(), Illegal> {
    let (simple, rich) = (contract_form(), rich_form());
    let (hiring, all_kinds, widgets) = (simple.id.clone(), rich.id.clone(), simple.widgets.clone());
    forms.add_form(simple)?;
    forms.add_form(rich)?;
    forms.add_department(Department::new(12, "研发部", 1));
    forms.add_person(Person::new("wang.wu", "王五"));
    let options = HireOptions { count: HIRES, flaw_share: 0.1, departments: vec![1, 12], ..HireOptions::default() };
    let mut ids = Vec::new();
    for hire in hires(&options) {
        let id = forms.submit(&hiring, hire.values)?;
        forms.step(&hiring, &id, FlowState::Approved)?;
        ids.push(id);
    }
    forms.edit(&hiring, &ids[1], json!({"_widget_1004": "主任"}))?;
    forms.step(&hiring, &ids[2], FlowState::Refused)?;
    forms.remove(&hiring, &ids[3])?;
    forms.remove(&hiring, &ids[4])?;
    forms.recover(&hiring, &ids[4])?;
    forms.submit(&all_kinds, json!({}))?;
    let id = forms.submit(&all_kinds, of_all_kinds())?;
    forms.step(&all_kinds, &id, FlowState::Approved)?;
    forms.reshape(&hiring, widgets)
}

/// A value of each type.
fn of_all_kinds() -> Value {
    json!({
        "name": " 欧阳雨桐 ", "_widget_2002": "Y.Ouyang@example.com", "seat": 7, "_widget_2004": 1_796_054_400_000_i64,
        "gender": "女", "_widget_2006": "上海", "skills": ["焊接", "叉车"], "_widget_2008": ["zh", "en"],
        "home": {"province": "上海市", "city": "上海市", "district": "浦东新区", "detail": "世纪大道 1 号"},
        "_widget_2010": {"province": "上海市", "city": "上海市", "district": "", "detail": "", "lnglatXY": [121.5, 31.2]},
        "mobile": "+86 138-0013-8000", "_widget_2012": "wang.wu", "mentors": ["wang.wu", "xiaojian"], "_widget_2014": 12,
        "teams": [12],
        "_widget_2016": [{"name": "a.png", "size": 7, "mime": "image/png", "url": "https://files.example.com/a"}],
        "schools": [{"school": "同济大学", "_widget_2102": 1_404_144_000_000_i64}, {"school": ""}],
        "_widget_2020": {"id": "66e1c0ffee000000000000dd"}, "post": "66e1c0ffee000000000000ee", "_widget_2022": "HR-00017",
        "months": 12.0, "_widget_2024": {"html": "<p>你好</p>", "attachments": []}, "stage": {"x": [1, null]},
    })
}
