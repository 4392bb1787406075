use serde_json::Value;

use crate::bench::Bench;

#[test]
fn the_demo_ends_with_three_equal_directories() {
    let bench = Bench::new();
    let ended = bench.run(&["demo", "--once", "--json", "--members", "30"]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.err, ended.out);
    let last: Value = serde_json::from_str(ended.out.lines().last().unwrap()).unwrap();
    for key in ["parked_now", "dead_letters", "core_differences", "oa_differences", "oa_violations", "unanswered"] {
        assert_eq!(last[key], 0, "{key}: {last}");
    }
    for key in [
        "members",
        "departments",
        "events_sent",
        "duplicates_sent",
        "changes_applied",
        "parked_peak",
        "oa_backlog_peak",
    ] {
        assert!(last[key].as_u64().unwrap() > 0, "{key}: {last}");
    }
    assert!(last["seconds"].is_number());
    assert!(ended.err.lines().count() <= 24, "more than a screen:\n{}", ended.err);
}

#[test]
fn the_demo_speaks_chinese() {
    let bench = Bench::new();
    let ended = bench.run_in_chinese(&["demo", "--once", "--members", "8", "--seed", "7"]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.err, ended.out);
    assert!(ended.out.contains("[6/6] 三方对比"), "{}", ended.out);
}
