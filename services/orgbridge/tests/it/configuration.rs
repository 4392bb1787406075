use crate::bench::Bench;

#[test]
fn a_good_configuration_is_fine() {
    let bench = Bench::new();
    let ended = bench.run(&["config", "check"]);
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, "orgbridge.toml: fine\n", ""));
}

#[test]
fn each_mistake_is_refused_with_file_key_and_reason() {
    let bench = Bench::new();
    for (text, key) in [
        ("data_dri = \"x\"", "data_dri"),
        ("[resolver]\nbatch_size = 0", "resolver.batch_size"),
        ("[resolver]\nbatch_size = \"many\"", "resolver.batch_size"),
        ("[sink]\nallowed_networks = [\"everywhere\"]", "sink.allowed_networks"),
        ("[gateway]\nlisten = \"127.0.0.1:1\"", "gateway"),
    ] {
        let file = bench.write("bad.toml", text);
        let ended = bench.run(&["config", "check", "--config", file.to_str().unwrap()]);
        let refusal = ended.refusal(2);
        assert!(refusal.contains("bad.toml") && refusal.contains(key), "{text}: {refusal}");
    }
}

#[test]
fn the_environment_lies_over_the_file() {
    let bench = Bench::new();
    let output = bench.command(&["config", "check"]).env("ORGBRIDGE__RESOLVER__BATCH_SIZE", "0").output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err.starts_with("ORGBRIDGE__RESOLVER__BATCH_SIZE: resolver.batch_size: "), "{err}");
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let bench = Bench::new();
    let ended = bench.run(&["config", "check", "--config", "nowhere.toml"]);
    assert!(ended.refusal(2).starts_with("nowhere.toml: "));
}

#[test]
fn tenant_files_are_checked_along() {
    let bench = Bench::new();
    bench.write("orgbridge.toml", "tenants_dir = \"tenants\"\n");
    bench.write("tenants/bad.toml", "id = \"Not A Slug\"\n");
    let ended = bench.run(&["config", "check"]);
    assert!(ended.refusal(2).contains("tenants/bad.toml"), "{}", ended.err);
}

#[test]
fn wrong_usage_is_told_on_one_line() {
    let bench = Bench::new();
    for arguments in [
        &["parked", "lst"][..],
        &["dead", "replay"],
        &["dead", "replay", "--all"],
        &["tenant", "apply"],
        &["deliveries", "list"],
        &["serve", "--only", "resolvr"],
        &["tenant", "show", "Not A Slug"],
        &["demo", "--members", "0"],
    ] {
        let ended = bench.run(arguments);
        assert!(ended.refusal(2).ends_with("--help`"), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn help_speaks_both_languages() {
    let bench = Bench::new();
    let english = bench.run(&["parked", "--help"]);
    assert!(english.code == 0 && english.out.contains("Departments and members that wait"), "{}", english.out);
    let chinese = bench.run_in_chinese(&["parked", "--help"]);
    assert!(chinese.code == 0 && chinese.out.contains("正在等待其他对象的部门和成员"), "{}", chinese.out);
}

#[test]
fn completions_are_printed_for_each_shell() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = bench.run(&["completions", shell]);
        assert!(ended.code == 0 && ended.out.contains("orgbridge"), "{shell}");
    }
    assert!(!bench.path().join("data").exists(), "nothing was opened");
}
