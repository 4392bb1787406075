//! A record of a form: what two mappings make of it. One that either of them takes is taken.

use std::collections::BTreeSet;

use jiandaoyun::{
    api::Record,
    mapping::{Mapped, Mapping, sample},
};
use platform_sim::jiandaoyun::samples::{contract_form, rich_form};
use serde_json::{Map, Value};

use super::{CANARY, CONTRACT, RICH, START, WORDS, bound};
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made,
};

/// Digits of the shortest number that might be somebody's.
const DIGITS_OF_A_NUMBER: usize = 7;

#[test]
fn a_record_becomes_a_request_or_has_reasons_why_not() {
    let mappings = [bound(CONTRACT, &contract_form()), bound(RICH, &rich_form())];
    let mut tokens = WORDS.to_vec();
    tokens.extend([
        "\"_widget_1001\":\"张三\",",
        "\"_widget_1002\":\"13800138000\",",
        "\"_widget_1002\":{\"phone\":\"１３８ 0013 8000\"},",
        "\"_widget_1003\":\"[1,2,3]\",",
        "\"_widget_1003\":[{\"dept_no\":12}],",
        "\"_widget_1005\":\"user1234\",",
        "\"teams\":[12,\"13\"],",
        "\"schools\":[{\"_id\":\"604ed0298e2ade077c7245f1\",\"school\":\"x\"}],",
        "\"home\":{\"province\":\"上海市\",\"detail\":7},",
        "\"gender\":\"女\",",
        "2026/12/1 09:30",
        "1796054400",
        "0086",
        "4294967296",
    ]);
    let mut made = made::jiandaoyun::records();
    let begin = "{\"_id\":\"69d8ab62d78c62093e724f25\",\"createTime\":\"2026-11-20T02:41:51.430Z\",\
                 \"updateTime\":\"2026-11-21T03:12:15.293Z\",\"flowState\":1,\"_widget_1005\":\"u\",";
    for field in ["_widget_1001", "_widget_1003", "schools"] {
        made.extend(made::json(&format!("{begin}\"{field}\":{{")).into_iter().map(|begin| [&begin[..], b"}"].concat()));
    }
    made.extend([format!("[{}1]", "1,".repeat(200_000)), format!("\"{}\"", "[1,2] ".repeat(100_000))].map(|ids| {
        format!("{begin}\"_widget_1001\":{ids},\"_widget_1002\":{ids},\"_widget_1003\":{ids},\"teams\":{ids}}}")
            .into_bytes()
    }));
    let parse = |input: &[u8]| parse(&mappings, input);
    fuzz(&Parser { name: "jdy_record", tokens: &tokens, limits: Limits::NETWORK, made, parse: &parse });
}

fn parse(mappings: &[Mapping], input: &[u8]) -> Came {
    let Ok(told) = serde_json::from_slice::<Value>(input) else { return Came::refused("no JSON") };
    let Some(record) = sample(told) else { return Came::refused("no record") };
    let empty = Record { values: Map::new(), ..record.clone() };
    assert_eq!(format!("{record:?}"), format!("{empty:?}"), "values are printed");
    let came: Vec<Came> = mappings.iter().map(|mapping| came_by(mapping, &record)).collect();
    let ways: Vec<&str> = came.iter().map(|came| came.way.as_str()).collect();
    Came { taken: came.iter().any(|came| came.taken), way: ways.join("; ") }
}

/// What a mapping makes of a record.
fn came_by(mapping: &Mapping, record: &Record) -> Came {
    let admitted = mapping.admits(record, Some(START), START);
    assert_eq!(mapping.admits(record, Some(START), START), admitted);
    let may_be = record.flow_state == Some(1)
        && record.update_time.is_some_and(|at| at >= START)
        && record.created_at().is_some_and(|at| at >= START);
    assert!(may_be || admitted.is_err(), "somebody is let in who may not be: {record:?}");

    let mapped = mapping.map(record);
    assert!(mapping.map(record) == mapped, "the same record becomes something else");
    tells_nothing(&mapped, &format!("{admitted:?}"));
    assert_eq!(serde_json::from_str::<Value>(&mapped.request_text()).ok(), Some(Value::Object(mapped.request.clone())));
    for problem in &mapped.problems {
        assert!(mapped.fields.iter().any(|trace| trace.field == problem.field), "{problem:?}");
    }
    let why = admitted.map_or_else(|why| why.label(), |()| "admitted");
    if mapped.is_valid() {
        assert!(would_be_taken(&mapped.request), "the platform would not take it: {}", mapped.request_text());
    }
    let reasons: BTreeSet<&str> = mapped.problems.iter().map(|problem| problem.reason.as_str()).collect();
    let reasons = reasons.into_iter().collect::<Vec<_>>().join(" ");
    Came { taken: why == "admitted" && mapped.is_valid(), way: format!("{why} {reasons}") }
}

/// What is said of a record is made of the mapping's own words: no name, no number, nothing that was filled in.
fn tells_nothing(mapped: &Mapped, why: &str) {
    let said = format!("{:?} {:?} {:?} {why}", mapped.problems, mapped.complaints(), mapped.fields);
    let longest = said.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    let is_clean = said.is_ascii() && !said.contains(CANARY) && longest < Some(DIGITS_OF_A_NUMBER);
    assert!(is_clean, "somebody's data is told: {said}");
    let whole = format!("{mapped:?}").replace(&mapped.content, "");
    assert!(whole.is_ascii() && !whole.contains(CANARY), "somebody's data is told: {whole}");
    assert!(mapped.is_valid() || !mapped.complaints().is_empty(), "it is refused without a reason");
}

/// Whether the platform takes a request, by its own table (reference wecom 3.4).
fn would_be_taken(request: &Map<String, Value>) -> bool {
    let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default();
    let (userid, name, mobile, email) = (text("userid"), text("name"), text("mobile"), text("email"));
    let is_userid = (1..=64).contains(&userid.len())
        && userid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-@.".contains(&byte))
        && userid.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_name = (1..=64).contains(&name.chars().count()) && !name.trim().is_empty();
    let digits = mobile.strip_prefix('+').unwrap_or(mobile);
    let is_mobile = mobile.is_empty()
        || (digits.bytes().all(|byte| byte.is_ascii_digit()) && (mobile.len() == 11 || mobile.starts_with('+')));
    let is_email = email.is_empty() || (email.contains('@') && (6..=64).contains(&email.len()));
    let departments = request.get("department").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let are_departments = (1..=100).contains(&departments.len())
        && departments.iter().all(|id| id.as_u64().is_some_and(|id| (1..1 << 32).contains(&id)));
    let is_reachable = !mobile.is_empty() || !email.is_empty();
    is_userid && is_name && is_mobile && is_email && is_reachable && are_departments
}
