use serde_json::Value;

use crate::bench::Bench;

fn shown(arguments: &[&str]) -> (Value, String) {
    let bench = Bench::new();
    let ended = bench.run(&[&["demo", "--once", "--json"][..], arguments].concat());
    assert_eq!(ended.code, 0, "{}\n{}", ended.err, ended.out);
    (serde_json::from_str(ended.out.lines().last().unwrap()).unwrap(), ended.err)
}

#[test]
fn the_demo_ends_with_equal_directories_and_with_the_attendance_and_approvals_of_the_plant() {
    let (last, shown) = shown(&["--members", "30"]);
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
        "plant_members",
        "attendance",
        "approvals",
        "pushes_recovered",
        "hires_created",
        "hires_refused",
    ] {
        assert!(last[key].as_u64().unwrap() > 0, "{key}: {last}");
    }
    assert!(last["seconds"].is_number());
    assert!(shown.lines().count() <= 24, "more than a screen:\n{shown}");
}

#[test]
fn the_demo_begins_with_a_company_that_both_sides_know_and_loses_callbacks_on_the_way() {
    let (last, _) = shown(&["--members", "60", "--seed", "3"]);
    let plan = &last["plan"];
    for action in ["link", "create", "update", "disable"] {
        assert!(plan[action].as_u64().unwrap() > 0, "{action}: {last}");
    }
    assert!(plan["link"].as_u64() > plan["create"].as_u64(), "most are known: {last}");
    for key in ["unsure", "impossible"] {
        assert_eq!(plan[key], 0, "{key}: {last}");
    }
    for key in ["callbacks_lost", "differences_before"] {
        assert!(last[key].as_u64().unwrap() > 0, "{key}: {last}");
    }
    for key in ["core_differences", "oa_differences"] {
        assert_eq!(last[key], 0, "{key}: {last}");
    }
}

#[test]
fn the_demo_speaks_chinese() {
    let bench = Bench::new();
    let ended = bench.run_in_chinese(&["demo", "--once", "--members", "8", "--seed", "7"]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.err, ended.out);
    assert!(ended.out.contains("[11/11] 三方对比"), "{}", ended.out);
}
