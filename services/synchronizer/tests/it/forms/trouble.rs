//! A platform that does not do what it is asked.

use platform_sim::jiandaoyun::{Fault, Interface, Trouble};
use serde_json::json;

use super::scene::{Scene, values};

#[tokio::test]
async fn ignored_filters_make_nobody_who_is_not_approved_or_too_old() {
    let scene = Scene::open().await;
    scene.api.configure(|options| options.ignores_filters = true);
    let at = scene.now().0 - 86_400_000;
    scene.api.forms().at(at, |forms| {
        let old = forms.submit(&scene.form, values("old", "13700137000")).unwrap();
        forms.step(&scene.form, &old, platform_sim::jiandaoyun::FlowState::Approved).unwrap();
    });
    scene.enter("waiting", "13900139000");
    let good = scene.hire("zhang");
    for _ in 0..4 {
        scene.poll().await;
    }
    assert_eq!(scene.sent().await, [(good, "zhang".to_owned())]);
    assert!(scene.counted("not_approved") > 0 && scene.counted("before_start") > 0);
    scene.end().await;
}

#[tokio::test]
async fn a_refused_key_stops_the_form_and_nothing_else_and_its_poll_goes_on_where_it_was() {
    let scene = Scene::open().await;
    let id = scene.hire("zhang");
    scene.api.fail(Fault::new(Trouble::Code(8301)).on(Interface::DataList));
    scene.look().await;
    let row = scene.poll_row().await;
    assert!(row.mark.is_none() && row.why.is_some(), "{row:?}");
    let calls = scene.calls(Interface::DataList);
    scene.pass(10).await;
    assert_eq!(scene.calls(Interface::DataList), calls, "it is left alone for a while");
    scene.api.heal();
    scene.pass(120).await;
    assert_eq!(scene.sent().await, [(id, "zhang".to_owned())]);
    let row = scene.poll_row().await;
    assert!(row.mark.is_some() && row.why.is_none(), "{row:?}");
    scene.end().await;
}

#[tokio::test]
async fn a_mapping_that_does_not_fit_the_form_says_so_and_asks_for_nobody() {
    let scene = Scene::open().await;
    scene.hire("zhang");
    scene.remap(|mapping| mapping["request"][4]["value"] = json!("{_widget_9999}")).await;
    scene.look().await;
    let why = scene.poll_row().await.why.unwrap();
    assert!(why.contains("_widget_9999") || why.contains("request[4]"), "{why}");
    assert!(scene.sent().await.is_empty());
    scene.stage.clock.advance_seconds(1);
    scene.remap(|_| ()).await;
    scene.pass(120).await;
    assert_eq!(scene.sent().await.len(), 1);
    scene.end().await;
}
