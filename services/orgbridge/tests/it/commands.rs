use serde_json::json;

use crate::bench::{Bench, TENANT};

fn with_tenant() -> Bench {
    let bench = Bench::new();
    bench.write("acme.toml", TENANT);
    let ended = bench.run(&["tenant", "apply", "acme.toml"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "acme: created\n"), "{}", ended.err);
    bench
}

#[test]
fn a_tenant_is_applied_listed_shown_and_removed_and_its_secrets_are_never_seen() {
    let bench = with_tenant();
    let mut seen = String::new();
    let mut run = |arguments: &[&str]| {
        let ended = bench.run(arguments);
        seen.push_str(&ended.out);
        seen.push_str(&ended.err);
        ended
    };
    assert_eq!(run(&["tenant", "apply", "acme.toml"]).out, "acme: as before\n");
    let listed = run(&["tenant", "list", "--json"]).json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["name"], &listed[0]["lane"]),
        (&json!("acme"), &json!("示例制造"), &json!("shared"))
    );
    assert_eq!(listed[0]["destinations"][0]["id"], "core");
    let shown = run(&["tenant", "show", "acme", "--json"]).json();
    assert_eq!(shown["file"]["wecom"]["contact_secret"], "***");
    assert_eq!(shown["file"]["wecom"]["corp_id"], "wwacme");
    for arguments in [&["tenant", "list"][..], &["tenant", "show", "acme"]] {
        assert!(run(arguments).out.contains("示例制造"));
    }
    assert_eq!(run(&["tenant", "remove", "acme"]).code, 0);
    assert!(run(&["tenant", "show", "acme"]).refusal(1).contains("orgbridge tenant list"));
    assert_eq!(run(&["tenant", "list", "--json"]).json(), json!([]));
    assert!(!seen.contains("canary"), "{seen}");
}

#[test]
fn a_bad_tenant_file_is_refused_and_nothing_is_applied() {
    let bench = Bench::new();
    bench.write("acme.toml", TENANT);
    bench.write("bad.toml", "id = \"bad\"\nunknown = 1\n");
    let ended = bench.run(&["tenant", "apply", "acme.toml", "bad.toml"]);
    assert!(ended.refusal(2).contains("bad.toml: unknown: "), "{}", ended.err);
    assert_eq!(bench.run(&["tenant", "list", "--json"]).json(), json!([]));
}

#[test]
fn a_tenant_in_a_lane_that_nobody_serves_is_applied_with_a_warning() {
    let bench = with_tenant();
    bench.write("acme.toml", &format!("lane = \"big\"\n{TENANT}"));
    let ended = bench.run(&["tenant", "apply", "acme.toml"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "acme: changed\n"), "{}", ended.err);
    assert!(ended.err.contains("nobody serves \"big\"") && ended.err.contains("served: shared"), "{}", ended.err);
    bench.write("orgbridge.toml", "[broker]\nlanes = [\"shared\", \"big\"]\n");
    let again = bench.run(&["tenant", "apply", "acme.toml"]);
    assert!(again.code == 0 && !again.err.contains("lane"), "{}", again.err);
}

#[test]
fn lists_of_a_quiet_installation_are_empty() {
    let bench = with_tenant();
    for arguments in [
        &["parked", "list", "--json"][..],
        &["parked", "list", "--tenant", "acme", "--json"],
        &["dead", "list", "--json"],
        &["dead", "list", "--tenant", "acme", "--json"],
        &["deliveries", "list", "--tenant", "acme", "--json"],
    ] {
        assert_eq!(bench.run(arguments).json(), json!([]), "{arguments:?}");
    }
    assert_eq!(bench.run(&["parked", "list"]).out, "nothing waits\n");
    assert_eq!(bench.run_in_chinese(&["dead", "list"]).out, "没有死信\n");
}

#[test]
fn what_is_not_there_is_told_with_what_to_do() {
    let bench = with_tenant();
    for arguments in [
        &["tenant", "show", "nobody"][..],
        &["tenant", "remove", "nobody"],
        &["parked", "list", "--tenant", "nobody"],
        &["parked", "show", "--tenant", "acme", "member", "zhangsan"],
        &["dead", "show", "nothing"],
        &["dead", "discard", "nothing"],
        &["dead", "replay", "nothing"],
        &["deliveries", "list", "--tenant", "nobody"],
        &["deliveries", "replay", "--tenant", "acme", "--destination", "nowhere"],
        &["destination", "pause", "--tenant", "acme", "--destination", "nowhere"],
        &["destination", "resume", "--tenant", "nobody", "--destination", "core"],
        &["destination", "reset", "--tenant", "acme", "--destination", "nowhere"],
    ] {
        let ended = bench.run(arguments);
        assert!(ended.refusal(1).contains("`orgbridge "), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn a_database_is_migrated_once() {
    let bench = Bench::new();
    assert!(!bench.run(&["migrate", "--json"]).json().as_array().unwrap().is_empty());
    assert_eq!(bench.run(&["migrate", "--json"]).json(), json!([]));
    assert!(!bench.path().join("data/master.key").exists(), "it needs no key");
}
