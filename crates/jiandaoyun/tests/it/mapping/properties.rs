//! What holds for every file and every record, however hostile.

use common::UnixMillis;
use jiandaoyun::{
    api::Record,
    mapping::{Honoured, Mapping, Zone, sample},
};
use proptest::{prelude::*, sample::Index, test_runner::RngSeed};
use serde_json::{Value, json};

use super::{CONTRACT, contract, contract_form, contract_record, contract_with, mapping};

/// Texts that files and records have, and texts that they should not have.
fn text() -> BoxedStrategy<String> {
    let known = [
        "",
        " ",
        "1",
        "[1,2,3]",
        "true",
        "是",
        "and",
        "or",
        "eq",
        "range",
        "gt",
        "in",
        "datetime",
        "flowState",
        "updateTime",
        "_id",
        "{_widget_1001}",
        "{_widget_1001.phone}",
        "{{LAST_SYNC_TIME|datetime}}",
        "{",
        "}",
        "{}",
        "{a",
        "“x”",
        "userid",
        "name",
        "mobile",
        "department",
        "extattr",
        "extattr.工号",
        "trim",
        "lookup",
        "date",
        "skip",
        "default",
        "2026-12-01",
        "13800138000",
        "+86 138-0013-8000",
        "64a0c0ffee000000000000aa",
        "\u{0}",
        "\u{202e}😀𠮷",
        "９９",
    ];
    prop_oneof![
        4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        2 => "\\PC{0,24}",
        1 => ".{0,12}",
    ]
    .boxed()
}

/// Any JSON, in the shapes and with the words that mappings and records have.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        text().prop_map(Value::from),
    ];
    let names = vec![
        "source",
        "target",
        "appId",
        "entryId",
        "fields",
        "limit",
        "filter",
        "rel",
        "cond",
        "cond_1",
        "field",
        "type",
        "method",
        "value",
        "request",
        "label",
        "convert",
        "default",
        "required",
        "check",
        "on_invalid",
        "lookup",
        "table",
        "status",
        "idCheck",
        "api",
        "phone",
        "verified",
        "name",
        "username",
        "dept_no",
        "integrate_id",
        "attrs",
        "text",
        "province",
        "detail",
        "_id",
    ];
    let key = prop_oneof![3 => prop::sample::select(names).prop_map(str::to_owned), 1 => text()].boxed();
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Puts a value somewhere into another one.
fn plant(file: &mut Value, place: &Index, value: Value) {
    let mut places = Vec::new();
    pointers(file, String::new(), &mut places);
    let pointer: &String = place.get(&places);
    *file.pointer_mut(pointer).unwrap() = value;
}

fn pointers(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, item)| pointers(item, format!("{at}/{place}"), places))
        }
        Value::Object(map) => {
            let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
            map.iter().for_each(|(key, item)| pointers(item, format!("{at}/{}", escaped(key)), places));
        }
        _ => {}
    }
    places.push(at);
}

/// A record with anything in the fields that are mapped.
fn record() -> impl Strategy<Value = Value> {
    prop::collection::vec(json(), 5).prop_map(|values| {
        let mut record = contract_record();
        for (place, value) in (1001..).zip(values) {
            record[format!("_widget_{place}")] = value;
        }
        record
    })
}

/// Whether the platform would take a request, by its own table (reference wecom 3.4).
fn would_be_taken(request: &Value) -> bool {
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    let userid = text("userid");
    let is_userid = (1..=64).contains(&userid.len())
        && userid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-@.".contains(&byte))
        && userid.as_bytes()[0].is_ascii_alphanumeric();
    let is_name = (1..=64).contains(&text("name").chars().count()) && !text("name").trim().is_empty();
    let mobile = text("mobile");
    let digits = mobile.strip_prefix('+').unwrap_or(mobile);
    let is_mobile = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (mobile.len() == 11 || mobile.starts_with('+'));
    let departments = request["department"].as_array().unwrap();
    let are_departments = (1..=100).contains(&departments.len())
        && departments.iter().all(|id| id.as_u64().is_some_and(|id| id > 0 && id < 1 << 32));
    is_userid
        && is_name
        && is_mobile
        && are_departments
        && text("position").chars().count() <= 128
        && request["to_invite"].is_boolean()
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(7), ..ProptestConfig::with_cases(400) })]

    /// Whatever a file is, it is read or refused, and what is read can be used.
    #[test]
    fn no_file_makes_anything_panic(file in json(), record in record()) {
        for file in [file.clone(), Value::from(file.to_string()), json!({"source": file, "target": file})] {
            match Mapping::parse(&file, &Zone::china()) {
                Ok((mapping, _)) => use_it(&mapping, &record),
                Err(problems) => prop_assert!(!problems.is_empty()),
            }
        }
    }

    /// The file of the contract with anything anywhere in it.
    #[test]
    fn no_part_of_a_file_makes_anything_panic(
        places in prop::collection::vec((any::<Index>(), json()), 1..4),
        record in record(),
    ) {
        let mut file = contract();
        for (place, value) in places {
            plant(&mut file, &place, value);
        }
        match Mapping::parse(&file, &Zone::china()) {
            Ok((mapping, warnings)) => {
                prop_assert!(warnings.iter().all(|warning| !warning.at.is_empty() && !warning.text.is_empty()));
                use_it(&mapping, &record);
            }
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }

    /// The text of a file with other characters in it.
    #[test]
    fn no_text_of_a_file_makes_anything_panic(changes in prop::collection::vec((any::<Index>(), any::<char>()), 0..6), cut in any::<Index>()) {
        let mut characters: Vec<char> = CONTRACT.chars().collect();
        for (place, character) in changes {
            let place = place.index(characters.len());
            characters[place] = character;
        }
        let text: String = characters.iter().collect();
        let cut: String = characters.iter().take(cut.index(characters.len())).collect();
        for text in [text, cut] {
            if let Ok((mapping, _)) = Mapping::parse_text(&text, &Zone::china()) {
                use_it(&mapping, &contract_record());
            }
        }
    }

    /// A request without problems is one that the platform takes; one with problems names a field of the mapping.
    #[test]
    fn what_is_sent_would_be_taken(record in record()) {
        let mapping = mapping(&contract());
        let mapped = mapping.map(&sample(record).unwrap());
        prop_assert_eq!(mapped.fields.len(), 6);
        if mapped.is_valid() {
            prop_assert!(would_be_taken(&Value::Object(mapped.request.clone())));
        }
        for problem in &mapped.problems {
            prop_assert!(mapped.fields.iter().any(|trace| trace.field == problem.field));
        }
        prop_assert_eq!(&mapping.map(&sample(json!({})).unwrap()).content, &mapping.map(&sample(json!({"x": 1})).unwrap()).content);
    }

    /// No value of a record is found in what is said of it.
    #[test]
    fn no_complaint_holds_a_value(value in "CANARY\\PC{0,20}") {
        let record = json!({"_widget_1001": [value], "_widget_1002": value, "_widget_1003": value, "_widget_1004": {"x": value}, "_widget_1005": {"y": [value]}});
        let mapped = mapping(&contract()).map(&sample(record).unwrap());
        prop_assert!(!mapped.is_valid());
        let said = format!("{mapped:?} {:?} {:?} {:?}", mapped.complaints(), mapped.problems, mapped.fields);
        prop_assert!(!said.contains("CANARY"), "{}", said);
    }

    /// Places are filled with what is in the record, and what they are filled with is not read again.
    #[test]
    fn a_value_is_never_read_as_a_template(value in text(), other in "[a-z]{1,8}") {
        let file = contract_with(json!({"field": "position", "value": "<{_widget_1004}|{_widget_1001}>"}));
        let record = json!({"_widget_1005": "u", "_widget_1001": other, "_widget_1002": "13800138000", "_widget_1003": 1, "_widget_1004": value});
        let mapped = mapping(&file).map(&sample(record).unwrap());
        prop_assert_eq!(&mapped.request["position"], &json!(format!("<{value}|{other}>")));
    }

    /// Nobody who is not approved, and nobody older than the start, whatever else a record holds.
    #[test]
    fn nobody_is_let_in_who_may_not_be(state in json(), times in prop::collection::vec(0_i64..4, 3), filter in any::<bool>()) {
        let mut file = contract();
        if !filter {
            file["source"]["filter"] = Value::Null;
        }
        let (mapping, _) = mapping(&file).bind(&contract_form()).unwrap();
        let at = |hours: i64| UnixMillis::from_seconds(1_795_000_000 + hours * 3600);
        let [created, changed, since] = [times[0], times[1], times[2]].map(at);
        let record = Record::read(json!({
            "_id": "69d8ab62d78c62093e724f25", "createTime": created.to_rfc3339(), "updateTime": changed.to_rfc3339(), "flowState": state,
        })).unwrap();
        let is_admitted = mapping.admits(&record, Some(since), at(1)).is_ok();
        let is_approved = [json!(1), json!("1"), json!(1.0)].contains(&state) || state.as_str().is_some_and(|text| text.trim() == "1");
        let may_be = is_approved && created >= at(1) && changed >= since;
        // Numbers may be spelled in more ways than are listed here; all of them are one.
        prop_assert!(is_admitted == may_be || (is_admitted && record.flow_state == Some(1) && created >= at(1) && changed >= since));
    }
}

/// Everything that can be done with a mapping.
fn use_it(mapping: &Mapping, record: &Value) {
    let now = UnixMillis::from_seconds(1_795_000_000);
    let record = sample(record.clone()).unwrap();
    let bound = mapping.bind(&contract_form()).map(|(bound, _)| bound);
    for mapping in [Some(mapping), bound.as_ref().ok()].into_iter().flatten() {
        mapping.fields();
        mapping.probes(now);
        mapping.filter(Some(now), Honoured::default()).iter().for_each(|filter| drop(filter.to_json()));
        mapping.admits(&record, Some(now), now).ok();
        let mapped = mapping.map(&record);
        assert_eq!(mapping.map(&record).content, mapped.content, "the same record has the same content");
        assert!(mapped.is_valid() || !mapped.complaints().is_empty());
        serde_json::from_str::<Value>(&mapped.request_text()).unwrap();
    }
}
