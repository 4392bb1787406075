use serde_json::json;

use crate::bench::{Bench, TENANT, eventually};

#[test]
fn a_second_serve_on_one_directory_is_refused_and_commands_are_not() {
    let bench = Bench::new();
    let first = bench.serve();
    let listening = bench.listening().unwrap();
    assert!(listening["gateway"].is_string() && listening["admin"].is_string(), "{listening}");
    let second = bench.command(&["serve"]).env("RUST_LOG", "off").output().unwrap();
    let err = String::from_utf8(second.stderr).unwrap();
    assert_eq!((second.status.code(), err.lines().count()), (Some(1), 1), "{err}");
    assert!(err.contains("in use by another process"), "{err}");
    assert_eq!(bench.run(&["dead", "list", "--json"]).json(), json!([]));
    assert_eq!(first.stop(), 0, "{}", bench.log());
    assert_eq!(bench.listening(), None);
}

#[test]
fn whether_it_is_ready_can_be_asked_for_by_a_command() {
    let bench = Bench::new();
    let serving = bench.serve();
    let ended = bench.run(&["health"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "ready\n"), "{}", ended.err);
    assert_eq!(serving.stop(), 0, "{}", bench.log());
    assert!(bench.run(&["health"]).refusal(1).contains("not ready"));
}

#[cfg(unix)]
#[test]
fn the_master_key_is_created_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let serving = bench.serve();
    let mode = std::fs::metadata(bench.path().join("data/master.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(serving.stop(), 0, "{}", bench.log());
}

#[test]
fn tenant_files_are_applied_when_they_appear_and_when_they_change_and_bad_ones_leave_the_former() {
    let bench = Bench::new();
    let ports = "[callback_gateway]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n";
    bench.write("orgbridge.toml", &format!("tenants_dir = \"tenants\"\n{ports}"));
    bench.write("tenants/acme.toml", TENANT);
    let serving = bench.serve();
    let name = || bench.run(&["tenant", "list", "--json"]).json()[0]["name"].clone();
    eventually("it is applied", || name() == "示例制造");
    bench.write("tenants/acme.toml", &TENANT.replace("示例制造", "ACME"));
    eventually("the change is applied", || name() == "ACME");
    bench.write("tenants/acme.toml", &format!("{TENANT}\nunknown = 1\n"));
    eventually("the refusal is logged", || bench.log().contains("unknown"));
    assert_eq!(name(), "ACME");
    assert!(!bench.log().contains("canary"), "{}", bench.log());
    assert_eq!(serving.stop(), 0, "{}", bench.log());
}

#[test]
fn services_that_are_not_built_are_left_out() {
    let bench = Bench::new();
    let ended = bench.run(&["serve", "--only", "console"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("console"), "{}", ended.err);
}
