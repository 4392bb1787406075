//! What goes wrong by script and by chance, and what is kept of it.

use super::*;

#[test]
fn a_fault_strikes_what_it_is_about_as_often_as_it_was_scripted() {
    let stage = Stage::new();
    let ids = stage.submit_many(2);
    let get = |id: &String| stage.refusal(Interface::DataGet, &json!({ "data_id": id }));
    let fault = Fault::new(Trouble::Code(9007)).on(Interface::DataGet).about(About::Record(ids[0].clone()));
    stage.api.fail(fault.after(1).times(2));
    assert_eq!([0, 1, 0, 0, 0].map(|which: usize| get(&ids[which])), [0, 0, 9007, 9007, 0]);
    stage.api.fail(Fault::new(Trouble::Code(8303)).about(About::Form(stage.form.clone())));
    assert_eq!((get(&ids[1]), stage.refusal(Interface::AppList, &json!({}))), (8303, 8303));
    stage.api.heal();
    assert_eq!(get(&ids[1]), 0);
}

#[test]
fn each_trouble_answers_in_its_way() {
    let stage = Stage::new();
    let trouble = |trouble: Trouble| {
        stage.api.fail(Fault::new(trouble).times(1));
        stage.answer(Interface::DataCreate, &json!({ "data": {} }))
    };
    let count = || stage.api.forms().records(&stage.form).len();
    let page = trouble(Trouble::Status(502));
    assert_eq!((page.status, page.content_type, page.delivery, count()), (502, "text/html", Delivery::Now, 0));
    assert_eq!((trouble(Trouble::Cut).delivery, count()), (Delivery::Cut, 0));
    assert_eq!((trouble(Trouble::CutAfter).delivery, count()), (Delivery::Cut, 1));
    assert_eq!((trouble(Trouble::Never).delivery, count()), (Delivery::Never, 2));
    let half = trouble(Trouble::Half);
    assert_eq!((half.status, half.delivery, count()), (200, Delivery::Half, 3));
    let second = Duration::from_secs(1);
    assert_eq!(trouble(Trouble::Late(second)).delivery, Delivery::Late(second));
    stage.api.configure(|options| options.latency = second);
    assert_eq!(trouble(Trouble::Late(second)).delivery, Delivery::Late(2 * second));
    assert_eq!(stage.answer(Interface::AppList, &json!({})).delivery, Delivery::Late(second));
}

#[test]
fn a_page_may_come_once_more() {
    let stage = Stage::new();
    let all = stage.submit_many(4);
    stage.api.fail(Fault::new(Trouble::SamePage).on(Interface::DataList).after(1).times(1));
    let page = |cursor: &str| stage.list(&json!({ "limit": 2, "data_id": cursor }));
    assert_eq!(page(""), all[..2]);
    assert_eq!(page(&all[1]), all[..2], "not what was asked for");
    assert_eq!(page(&all[1]), all[2..]);
}

#[test]
fn a_share_of_the_calls_may_find_the_platform_busy_the_same_ones_with_the_same_seed() {
    let statuses = || -> Vec<u16> {
        let stage = Stage::new().with(|options| options.busy_share = 0.3);
        (0..40).map(|_call| stage.answer(Interface::AppList, &json!({})).status).collect()
    };
    let first = statuses();
    assert!(first.contains(&200) && first.contains(&502));
    assert_eq!(first, statuses());
}

#[test]
fn each_call_is_kept_with_who_when_and_what() {
    let stage = Stage::new();
    let ids = stage.submit_many(3);
    stage.clock.advance(Duration::from_millis(5));
    stage.list(&json!({ "data_id": ids[0] }));
    stage.send("POST", "/api/v5/app/list", "other", b"{}");
    let listed = Record {
        interface: Interface::DataList,
        at_ms: START_MS + 5,
        key: Some(KEY.to_owned()),
        peer: HOME,
        form: Some(stage.form.clone()),
        record: Some(ids[0].clone()),
        rows: 2,
        outcome: Outcome::Good,
    };
    let refused = Record {
        interface: Interface::AppList,
        key: None,
        form: None,
        record: None,
        rows: 0,
        outcome: Outcome::Code(17018),
        ..listed.clone()
    };
    assert_eq!(stage.api.records(), [listed, refused]);
}
