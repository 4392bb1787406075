//! Commands for tenants with DingTalk.

mod doctor;
mod people;

use common::{Clock as _, Platform};
use database::Connection;
use dingtalk::china_time;
use serde_json::json;
use service::SystemClock;
use store::quota::{self, Kind};

use crate::{
    bench::{Bench, TENANT},
    letters::{Letters, acme},
};

/// A tenant file with a [dingtalk] section, and more keys in it.
fn tenant(id: &str, client_id: &str, more: &str) -> String {
    format!(
        "id = \"{id}\"\nlanguage = \"en\"\n[dingtalk]\ncorp_id = \"dingacme\"\nclient_id = \"{client_id}\"\n\
         client_secret = \"canary-secret\"\n{more}"
    )
}

#[test]
fn a_second_tenant_of_one_app_is_refused_with_the_reason() {
    let bench = Bench::new();
    bench.write("acme.toml", &tenant("acme", "app1", ""));
    bench.write("globex.toml", &tenant("globex", "app1", ""));
    let ended = bench.run(&["tenant", "apply", "acme.toml", "globex.toml"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, "acme: created\n"), "{}", ended.err);
    let told = ended.refusal(1);
    for part in ["globex", "client_id", "tenant acme", "`orgbridge tenant remove acme`"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(bench.run(&["tenant", "list", "--json"]).json().as_array().unwrap().len(), 1);
    assert!(bench.run_in_chinese(&["tenant", "apply", "globex.toml"]).refusal(1).contains("已属于租户 acme"));

    assert_eq!(bench.run(&["tenant", "apply", "acme.toml"]).out, "acme: as before\n");
    assert_eq!(bench.run(&["tenant", "remove", "acme"]).code, 0);
    assert_eq!(bench.run(&["tenant", "apply", "globex.toml"]).out, "globex: created\n");
}

#[tokio::test]
async fn the_quota_tells_how_much_of_the_month_is_used() {
    let file = tenant("acme", "app1", "monthly_api_quota = 2000\nmonthly_stream_quota = 3000\n");
    let letters = Letters::of(Bench::new(), &file);
    let month = china_time::month_of(SystemClock.now());
    let this = month.clone();
    let count = move |conn: &mut Connection| -> database::Result<u64> {
        quota::add(conn, &acme(), Platform::Dingtalk, Kind::Api, "2020-01", 9)?;
        quota::add(conn, &acme(), Platform::Dingtalk, Kind::Stream, &this, 2999)?;
        quota::add(conn, &acme(), Platform::Dingtalk, Kind::Api, &this, 123)
    };
    letters.database.write("test.quota", count).await.unwrap();
    let told = letters.bench.run(&["quota", "acme", "--json"]).json();
    let until = told[0]["until"].clone();
    assert!(until.is_string());
    let one = |kind: &str, used: u64, limit: u64, percent: f64| {
        json!({
            "platform": "dingtalk", "kind": kind, "month": month, "used": used, "limit": limit, "percent": percent,
            "until": until,
        })
    };
    assert_eq!(told, json!([one("api", 123, 2000, 6.1), one("stream", 2999, 3000, 99.9)]));
    let shown = letters.bench.run(&["quota", "acme"]).out;
    assert!(shown.contains("api") && shown.contains("6.1") && shown.contains("2999"), "{shown}");
}

#[test]
fn where_nothing_is_counted_the_quota_says_so() {
    let bench = Bench::new();
    bench.write("acme.toml", TENANT);
    assert_eq!(bench.run(&["tenant", "apply", "acme.toml"]).code, 0);
    assert_eq!(bench.run(&["quota", "acme", "--json"]).json(), json!([]));
    assert!(bench.run(&["quota", "acme"]).out.contains("acme"));
    assert!(bench.run(&["quota", "nobody"]).refusal(1).contains("`orgbridge tenant list`"));
}
