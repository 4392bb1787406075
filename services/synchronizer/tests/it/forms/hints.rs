//! Hints: a record is read by itself, ahead of the next poll, and is believed in nothing but what it is.

use platform_sim::jiandaoyun::{Interface, Widget, samples};
use store::questions;

use super::scene::{Scene, tenant};

#[tokio::test]
async fn a_hint_is_followed_within_seconds_without_a_poll() {
    let scene = Scene::open().await;
    scene.look().await;
    let polls = scene.calls(Interface::DataList);
    let id = scene.hire("zhang");
    scene.hint(&id).await;
    scene.pass(2).await;
    assert_eq!(scene.sent().await, [(id, "zhang".to_owned())]);
    // By the platform's clock it may have been a little too early: then it is asked once more.
    scene.pass(2).await;
    assert_eq!(open(&scene).await, 0, "the question is closed");
    assert!((1..=2).contains(&scene.calls(Interface::DataGet)));
    assert_eq!(scene.calls(Interface::DataList), polls);
    scene.poll().await;
    assert_eq!(scene.counted("sent"), 1);
    scene.end().await;
}

#[tokio::test]
async fn a_hint_about_who_is_not_approved_or_not_there_comes_to_nothing() {
    let scene = Scene::open().await;
    scene.look().await;
    let waiting = scene.enter("li", "13900139000");
    for id in [waiting.as_str(), "69d8ab62d78c62093e724f25"] {
        scene.hint(id).await;
    }
    scene.pass(2).await;
    assert!(scene.sent().await.is_empty());
    scene.pass(2).await;
    assert!(scene.counted("not_approved") > 0);
    assert_eq!(open(&scene).await, 0);
    scene.approve(&waiting);
    scene.hint(&waiting).await;
    scene.pass(2).await;
    assert_eq!(scene.sent().await.len(), 1);
    scene.end().await;
}

#[tokio::test]
async fn a_hint_is_followed_by_the_names_that_the_form_has_by_then() {
    let scene = Scene::open().await;
    scene.look().await;
    let renamed = |widget: Widget| if widget.id == "_widget_1005" { widget.alias("number") } else { widget };
    let widgets = samples::contract_form().widgets.into_iter().map(renamed).collect();
    scene.api.forms().reshape(&scene.form, widgets).unwrap();
    let id = scene.hire("zhang");
    scene.hint(&id).await;
    scene.pass(2).await;
    assert_eq!(scene.sent().await, [(id, "zhang".to_owned())]);
    assert_eq!(scene.counted("refused"), 0);
    scene.end().await;
}

async fn open(scene: &Scene) -> u64 {
    scene.read(|conn| questions::count_open(conn, &tenant())).await
}
