//! Too many calls.

use super::*;

fn list(stage: &Stage) -> i64 {
    stage.refusal(Interface::DataList, &json!({}))
}

#[test]
fn an_interface_that_reads_has_thirty_calls_a_second_and_the_company_fifty() {
    let stage = Stage::new().with(|options| options.limits = Limits::default());
    assert!((0..30).all(|_call| list(&stage) == 0));
    assert_eq!(list(&stage), 8304);
    let widgets = || stage.refusal(Interface::WidgetList, &json!({}));
    assert!((0..20).all(|_call| widgets() == 0), "another interface has a bucket of its own");
    assert_eq!((widgets(), list(&stage)), (8303, 8303));
    stage.clock.advance(Duration::from_millis(33));
    assert_eq!((widgets(), list(&stage)), (0, 8303), "so far the company has one and a half");
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!((0..40).filter(|_call| list(&stage) == 0).count(), 30, "a bucket does not overflow");
    let tally = stage.api.tally(Interface::DataList);
    assert_eq!((tally.calls, tally.good, tally.throttled, tally.highest_per_second), (73, 60, 13, 40));
    assert_eq!(stage.api.throttled(), 14);
}

#[test]
fn writing_and_old_routes_have_less() {
    let stage = Stage::new().with(|options| options.limits = Limits::default());
    let count = |calls: usize, ask: &dyn Fn() -> i64| (0..calls).filter(|_call| ask() == 0).count();
    let create = || stage.refusal(Interface::DataCreate, &json!({ "data": {} }));
    assert_eq!(count(25, &create), 20);
    let batch = || stage.refusal(Interface::DataBatchDelete, &json!({ "data_ids": [] }));
    assert_eq!(count(15, &batch), 10);
    let old = || {
        let path = format!("/api/v2/app/{}/entry/{}/data", stage.form.app, stage.form.entry);
        code(&stage.send("POST", &path, KEY, b"{}"))
    };
    assert_eq!(count(15, &old), 5);
}

#[test]
fn exactly_what_is_allowed_is_never_too_much() {
    let stage = Stage::new().with(|options| options.limits = Limits::default());
    assert!((0..30).all(|_call| list(&stage) == 0));
    for _turn in 0..300 {
        stage.clock.advance(Duration::from_millis(100));
        assert!((0..3).all(|_call| list(&stage) == 0));
    }
}

#[test]
fn too_many_calls_at_once_get_a_page_that_is_no_json() {
    let stage = Stage::new().with(|options| options.limits.parallel = Some(2));
    let tickets = [stage.api.enter(), stage.api.enter(), stage.api.enter()];
    let refused = stage.answer(Interface::DataList, &json!({}));
    assert_eq!((refused.status, refused.content_type), (429, "text/html"));
    assert!(serde_json::from_slice::<Value>(&refused.body).is_err());
    drop(tickets);
    assert_eq!(list(&stage), 0);
    assert_eq!(stage.api.throttled(), 1);
}
