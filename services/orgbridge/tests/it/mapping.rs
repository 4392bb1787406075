//! A form whose records become members: its mapping, what becomes of a record, and what is known of those that were read.

mod doctor;

use std::path::Path;

use common::{UnixMillis, onboarding::Complaint};
use database::Connection;
use serde_json::{Value, json};
use store::form_records::{self, Noted, Settled, State};

use crate::{
    bench::{Bench, TENANT},
    letters::{Letters, acme},
};

const FORM: &str = "64a0c0ffee000000000000aa/64a0c0ffee000000000000bb";

/// The example of the contract, oddities included.
fn contract() -> Value {
    json!({
        "source": {
            "api": "/api/v2/app/{app_id}/entry/{entry_id}/data", "method": "POST", "effect": "QUERY",
            "appId": "64a0c0ffee000000000000aa", "entryId": "64a0c0ffee000000000000bb",
            "fields": "_widget_1001,_id", "limit": "100",
            "filter": {
                "rel": "and",
                "cond_1": {
                    "field": "updateTime", "type": "datetime", "method": "range", "value": "{{LAST_SYNC_TIME|datetime}}",
                },
                "cond_2": { "field": "flowState", "type": "flowState", "method": "eq", "value": "1" },
            },
        },
        "api": "/cgi-bin/user/create", "method": "POST", "effect": "EXECUTE", "idCheck": true,
        "request": [
            { "field": "userid", "label": "成员UserID", "type": "string", "value": "{_widget_1005}" },
            { "field": "name", "label": "成员名称", "type": "string", "value": "{_widget_1001}" },
            {
                "field": "mobile", "label": "手机号码", "type": "string", "value": "{_widget_1002}",
                "check": ["mobile"], "on_invalid": "skip",
            },
            { "field": "department", "label": "部门", "type": "string", "value": "{_widget_1003}" },
            { "field": "position", "label": "职务", "type": "string", "value": "{_widget_1004}" },
            { "field": "to_invite", "label": "是否邀请", "type": ":string", "value": "true" },
        ],
    })
}

fn record(mobile: &str) -> Value {
    json!({
        "_widget_1005": "user1234", "_widget_1001": "张三", "_widget_1002": mobile, "_widget_1003": "[1,2,3]",
        "_widget_1004": "工程师", "flowState": 1,
    })
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("map.json", &contract().to_string());
    bench.write("good.json", &record("13800138000").to_string());
    bench.write("bad.json", &record("021-66668888").to_string());
    bench
}

#[test]
fn a_mapping_is_checked_and_what_is_odd_is_told() {
    let bench = bench();
    let ended = bench.run(&["mapping", "check", "map.json"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains(FORM), "{}", ended.out);
    assert!(ended.err.lines().count() > 1 && ended.err.lines().all(|line| line.contains("map.json")), "{}", ended.err);
    let told = bench.run(&["mapping", "check", "map.json", "--json"]).json();
    assert_eq!((&told["valid"], &told["form"], &told["id_check"]), (&json!(true), &json!(FORM), &json!(true)));
    let words: Vec<&str> =
        told["warnings"].as_array().unwrap().iter().map(|warning| warning["word"].as_str().unwrap()).collect();
    assert!(words.contains(&"old_api") && words.contains(&"list_as_text"), "{words:?}");
    assert!(!bench.path().join("data").exists(), "no database is needed for that");
}

#[test]
fn two_halves_are_checked_like_one_file() {
    let bench = bench();
    let mut target = contract();
    let source = target.as_object_mut().unwrap().remove("source").unwrap();
    bench.write("source.json", &source.to_string());
    bench.write("target.json", &target.to_string().replace("\"mobile\",\"label\"", "“mobile”,\"label\""));
    let halves = bench.run(&["mapping", "check", "source.json", "--target", "target.json", "--json"]);
    assert_eq!(halves.json()["form"], json!(FORM));
    let preview = ["mapping", "preview", "source.json", "--target", "target.json", "--record", "good.json", "--json"];
    assert_eq!(bench.run(&preview).json()["request"]["mobile"], json!("13800138000"));
}

#[test]
fn what_is_wrong_with_a_mapping_is_told_at_once_and_is_wrong_usage() {
    let bench = bench();
    bench.write("wrong.json", "{\"source\": {}, \"request\": [{\"field\": \"userid\", \"value\": \"{a}\"}]}");
    for arguments in [&["mapping", "check", "wrong.json"][..], &["mapping", "check", "wrong.json", "--json"]] {
        let ended = bench.run(arguments);
        assert_eq!(ended.code, 2, "{}", ended.err);
        assert!(ended.err.lines().count() >= 3 && ended.err.contains("entryId"), "{}", ended.err);
    }
    let told: Value = serde_json::from_str(&bench.run(&["mapping", "check", "wrong.json", "--json"]).out).unwrap();
    assert_eq!(told["valid"], json!(false));
    assert!(bench.run(&["mapping", "check", "nowhere.json"]).refusal(2).contains("nowhere.json"));
    let zone = ["mapping", "check", "map.json", "--time-zone", "Europe/Berlin"];
    assert!(bench.run(&zone).refusal(2).contains("summer"));
    bench.write("list.json", "[]");
    let preview = ["mapping", "preview", "map.json", "--record", "list.json"];
    assert!(bench.run(&preview).refusal(2).contains("list.json"));
}

#[test]
fn a_preview_shows_field_by_field_what_goes_in_and_what_comes_out() {
    let bench = bench();
    let told = bench.run(&["mapping", "preview", "map.json", "--record", "good.json", "--json"]).json();
    let expected = json!({
        "userid": "user1234", "name": "张三", "mobile": "13800138000", "department": [1, 2, 3], "position": "工程师",
        "to_invite": true,
    });
    assert_eq!((&told["request"], &told["left_out"]), (&expected, &json!(null)));
    let fields = told["fields"].as_array().unwrap();
    let names: Vec<&str> = fields.iter().map(|field| field["field"].as_str().unwrap()).collect();
    assert_eq!(names, ["userid", "name", "mobile", "department", "position", "to_invite"]);
    for field in fields {
        let name = field["field"].as_str().unwrap();
        assert_eq!((&field["outcome"], &field["out"]), (&json!("sent"), &expected[name]), "{name}");
    }
    let department = &fields[3];
    assert_eq!((&department["from"], &department["in"]), (&json!("{_widget_1003}"), &json!("[1,2,3]")));
    let shown = bench.run(&["mapping", "preview", "map.json", "--record", "good.json"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("\"[1,2,3]\"") && shown.out.contains("to_invite"), "{}", shown.out);
}

#[test]
fn a_preview_says_why_no_member_comes_of_a_record() {
    let bench = bench();
    let preview = ["mapping", "preview", "map.json", "--record", "bad.json"];
    let shown = bench.run(&preview);
    assert_eq!(shown.code, 1);
    assert!(shown.err.contains("mobile: this is no mobile number"), "{}", shown.err);
    assert!(bench.run_in_chinese(&preview).err.contains("不是手机号码"));
    let ended = bench.run(&[&preview[..], &["--json"]].concat());
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((ended.code, &told["valid"], &told["request"]), (1, &json!(false), &json!(null)));
    assert_eq!((&told["fields"][2]["outcome"], &told["fields"][2]["reason"]), (&json!("invalid"), &json!("no_mobile")));
    let mut waiting = record("13800138000");
    waiting["flowState"] = json!(0);
    bench.write("waiting.json", &waiting.to_string());
    let told = bench.run(&["mapping", "preview", "map.json", "--record", "waiting.json", "--json"]).json();
    assert_eq!(told["left_out"], json!("not_approved"));
}

#[tokio::test]
async fn records_that_were_read_are_listed_with_what_became_of_them() {
    let letters = Letters::of(Bench::new(), TENANT);
    let list = ["mapping", "list", "--tenant", "acme"];
    assert_eq!(letters.bench.run(&list).out, "no records were read\n");
    let write = |conn: &mut Connection| -> database::Result<()> {
        let reasons = Complaint::list(&[Complaint::new("mobile", "this is no mobile number")]);
        let noted = |record, state, reasons| Noted { record, content_hash: "c", state, reasons };
        let noted = [noted("r1", State::Sent, None), noted("r2", State::Refused, Some(reasons.as_str()))];
        form_records::note(conn, &acme(), FORM, &noted, UnixMillis(1_767_225_600_000))?;
        let settled = Settled {
            form: FORM.to_owned(),
            record: "r1".to_owned(),
            state: State::Created,
            user_id: Some("zhang".to_owned()),
            reasons: None,
            attempts: 2,
        };
        form_records::settle(conn, &acme(), &[settled], UnixMillis(1_767_225_600_000))
    };
    letters.database.write("test.records", write).await.unwrap();
    let told = letters.bench.run(&[&list[..], &["--json"]].concat()).json();
    let since = "2026-01-01T00:00:00Z";
    let one = |record: &str, state: &str, member: Value, reasons: Value, attempts: u32| {
        json!({
            "form": FORM, "record": record, "state": state, "member": member, "reasons": reasons, "attempts": attempts,
            "since": since,
        })
    };
    let refusal = json!([{ "field": "mobile", "reason": "this is no mobile number" }]);
    let (created, refused) =
        (one("r1", "created", json!("zhang"), json!([]), 2), one("r2", "refused", json!(null), refusal, 0));
    assert_eq!(told, json!([created, refused]));
    let only = letters.bench.run(&[&list[..], &["--state", "refused", "--json"]].concat()).json();
    assert_eq!(only.as_array().unwrap().len(), 1);
    assert!(letters.bench.run(&list).out.contains("mobile: this is no mobile number"));
    assert!(letters.bench.run(&[&list[..], &["--state", "odd"]].concat()).refusal(2).contains("refused"));
    assert!(letters.bench.run(&["mapping", "list", "--tenant", "nobody"]).refusal(1).contains("nobody"));
}

/// The mapping in a file that a tenant file names.
fn write_mapping(bench: &Bench, mapping: &Value) -> &'static Path {
    bench.write("new-hires.json", &mapping.to_string());
    Path::new("new-hires.json")
}
