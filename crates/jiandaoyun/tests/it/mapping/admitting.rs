//! Which records are taken, whatever the platform lets through.

use common::UnixMillis;
use jiandaoyun::{
    api::{Method, Record, Rel},
    mapping::{Honoured, Mapping, Probed, Why},
};
use serde_json::{Value, json};

use super::{contract, contract_form, mapping};

const START: &str = "2026-11-01T00:00:00.000Z";
const SINCE: &str = "2026-11-21T00:00:00.000Z";

fn at(text: &str) -> UnixMillis {
    UnixMillis::from_rfc3339(text).unwrap()
}

/// A record that is taken, with something else in it.
fn record(change: Value) -> Record {
    let mut record = json!({
        "_id": "69d8ab62d78c62093e724f25", "createTime": "2026-11-20T02:41:51.430Z", "updateTime": "2026-11-21T03:12:15.293Z",
        "flowState": 1, "_widget_1004": "工程师",
    });
    for (key, value) in change.as_object().unwrap() {
        match value {
            Value::Null => record.as_object_mut().unwrap().remove(key),
            value => record.as_object_mut().unwrap().insert(key.clone(), value.clone()),
        };
    }
    Record::read(record).unwrap()
}

fn admits(mapping: &Mapping, change: Value) -> Result<(), Why> {
    mapping.admits(&record(change), Some(at(SINCE)), at(START))
}

fn with_filter(filter: Value) -> Mapping {
    let mut file = contract();
    file["source"]["filter"] = filter;
    mapping(&file)
}

#[test]
fn only_a_workflow_that_ran_through_to_its_end_is_an_approval() {
    let mapping = mapping(&contract());
    assert_eq!(admits(&mapping, json!({})), Ok(()));
    assert_eq!(admits(&mapping, json!({"flowState": "1"})), Ok(()), "as a text too");
    for state in [json!(0), json!(2), json!(3), json!(4), json!(-1), json!("x"), json!(true), json!([1])] {
        assert_eq!(admits(&mapping, json!({"flowState": state})), Err(Why::NotApproved), "{state}");
    }
    assert_eq!(admits(&mapping, json!({"flowState": null})), Err(Why::NotApproved));
}

#[test]
fn a_form_with_a_workflow_is_approved_by_it_though_the_file_does_not_say() {
    let silent = with_filter(json!(null));
    assert_eq!(admits(&silent, json!({"flowState": null})), Ok(()), "nobody has looked whether there is one");
    assert_eq!(admits(&silent, json!({"flowState": 0})), Err(Why::NotApproved));
    let (bound, _) = silent.bind(&contract_form()).unwrap();
    assert_eq!(admits(&bound, json!({"flowState": null})), Err(Why::NotApproved));
    let asked = bound.filter(None, Honoured::default()).unwrap();
    assert_eq!(asked.conditions[0].field, "flowState");
    assert!(bound.fields().contains(&"flowState".to_owned()));
    let (plain, _) = silent.bind(&jiandaoyun::api::Widgets { has_flow: false, ..contract_form() }).unwrap();
    assert_eq!(admits(&plain, json!({"flowState": null})), Ok(()));
    assert_eq!(plain.filter(None, Honoured::default()), None);
    assert!(!plain.fields().contains(&"flowState".to_owned()), "it would be missing in every answer");
}

#[test]
fn nobody_is_older_than_the_start_and_nothing_older_than_what_is_asked_about() {
    let mapping = mapping(&contract());
    for (change, result) in [
        (json!({"createTime": START}), Ok(())),
        (json!({"createTime": "2026-10-31T23:59:59.999Z"}), Err(Why::BeforeStart)),
        // The id was made in April, and says so where the record does not.
        (json!({"createTime": null}), Err(Why::BeforeStart)),
        (json!({"createTime": null, "_id": "7fffffffd78c62093e724f25"}), Ok(())),
        (json!({"createTime": null, "_id": "abc"}), Err(Why::NoTime)),
        (json!({"updateTime": SINCE}), Ok(())),
        (json!({"updateTime": "2026-11-20T23:59:59.999Z"}), Err(Why::BeforeSince)),
        (json!({"updateTime": null}), Err(Why::NoTime)),
        (json!({"updateTime": "soon"}), Err(Why::NoTime)),
    ] {
        assert_eq!(admits(&mapping, change.clone()), result, "{change}");
    }
    let daily = mapping.admits(&record(json!({"updateTime": "2026-11-02T00:00:00.000Z"})), None, at(START));
    assert_eq!(daily, Ok(()), "without a time condition");
}

#[test]
fn the_files_own_conditions_hold_whatever_the_platform_made_of_them() {
    let title = |title: &str| json!({"field": "_widget_1004", "type": "combo", "method": "eq", "value": [title]});
    let flow = json!({"field": "flowState", "type": "flowstate", "method": "eq", "value": [1]});
    let all = with_filter(json!({"rel": "and", "cond": [flow, title("工程师")]}));
    assert_eq!(admits(&all, json!({})), Ok(()));
    let why = Why::Condition { field: "_widget_1004".into() };
    assert_eq!(admits(&all, json!({"_widget_1004": "经理"})), Err(why.clone()));
    assert_eq!(admits(&all, json!({"_widget_1004": null})), Err(why.clone()));
    let any = with_filter(json!({"rel": "or", "cond": [flow, title("工程师"), title("经理")]}));
    assert_eq!(admits(&any, json!({"_widget_1004": "经理"})), Ok(()));
    assert_eq!(admits(&any, json!({"_widget_1004": "总裁"})), Err(why));
    assert_eq!(admits(&any, json!({"flowState": 3})), Err(Why::NotApproved), "no condition outweighs a refusal");
    assert_eq!(Why::NotApproved.label(), "not_approved");
}

#[test]
fn conditions_of_which_one_is_enough_are_not_mixed_with_those_that_must_hold() {
    let title = |title: &str| json!({"field": "_widget_1004", "type": "combo", "method": "eq", "value": [title]});
    let any = with_filter(json!({"rel": "or", "cond": [title("工程师"), title("经理")]}));
    let fields = |mapping: &Mapping, since: Option<UnixMillis>| {
        let filter = mapping.filter(since, Honoured::default()).unwrap();
        (filter.rel, filter.conditions.into_iter().map(|condition| condition.field).collect::<Vec<_>>())
    };
    assert_eq!(fields(&any, None), (Rel::Or, vec!["_widget_1004".into(), "_widget_1004".into()]));
    assert_eq!(fields(&any, Some(at(SINCE))), (Rel::And, vec!["updateTime".into()]));
    let one = with_filter(json!({"rel": "or", "cond": [title("工程师")]}));
    assert_eq!(fields(&one, Some(at(SINCE))), (Rel::And, vec!["updateTime".into(), "_widget_1004".into()]));
    let unknown = json!({"field": "_widget_1004", "type": "", "method": "like", "value": ["工"]});
    let half = with_filter(json!({"rel": "or", "cond": [title("经理"), unknown]}));
    assert_eq!(
        half.filter(None, Honoured::default()),
        None,
        "half of them would leave out what the other half lets in"
    );
    assert_eq!(admits(&half, json!({})), Ok(()));
}

#[test]
fn what_the_platform_was_seen_to_ignore_is_not_asked() {
    let mapping = mapping(&contract());
    let now = at("2026-11-22T00:00:00Z");
    let probes = mapping.probes(now);
    assert_eq!(probes.iter().map(|probe| probe.what).collect::<Vec<_>>(), [Probed::Time, Probed::Flow]);
    let [time, flow] = [0, 1].map(|place: usize| &probes[place].filter.conditions[0]);
    assert_eq!((time.field.as_str(), time.method), ("updateTime", Method::Range));
    let from = at(time.values[0].as_str().unwrap());
    assert!(from > now.plus_seconds(9 * 365 * 86_400), "{from}");
    assert_eq!(time.values[1], Value::Null);
    assert_eq!((flow.field.as_str(), flow.values.clone()), ("flowState", vec![json!(987_654)]));
    for (honoured, asked) in [
        (Honoured::default(), vec!["flowState", "updateTime"]),
        (Honoured { time: false, flow: true }, vec!["flowState"]),
        (Honoured { time: true, flow: false }, vec!["updateTime"]),
        (Honoured { time: false, flow: false }, vec![]),
    ] {
        let filter = mapping.filter(Some(now), honoured);
        let fields: Vec<String> =
            filter.map(|filter| filter.conditions).unwrap_or_default().into_iter().map(|one| one.field).collect();
        assert_eq!(fields, asked);
    }
}
