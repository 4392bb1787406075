//! What became of a record is written back into it.

use platform_sim::jiandaoyun::{Fault, Interface, Trouble};
use serde_json::json;
use store::form_records::State;
use test_kit::eventually;

use super::scene::Scene;

#[tokio::test]
async fn outcomes_are_written_back_and_what_is_written_makes_nothing_new() {
    let scene = Scene::open().await;
    let (good, taken) = (scene.hire("zhang"), scene.hire("taken"));
    let bad = scene.enter("wang", "021-66668888");
    scene.approve(&bad);
    scene.look().await;
    assert!(scene.status(&bad).unwrap().starts_with("rejected: mobile"), "{:?}", scene.status(&bad));
    scene.settle(&good, State::Created).await;
    scene.settle(&taken, State::Failed).await;
    scene.pass(1).await;
    assert_eq!(scene.status(&good).as_deref(), Some("created"));
    assert_eq!(scene.status(&taken).as_deref(), Some("rejected: userid: is taken"));
    for _ in 0..5 {
        scene.poll().await;
    }
    scene.pass(86_400).await;
    assert_eq!((scene.written("written"), scene.calls(Interface::DataUpdate)), (3, 3), "each once");
    assert_eq!((scene.counted("sent"), scene.counted("refused"), scene.counted("changed")), (2, 1, 0));
    scene.end().await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_given_up_or_written_later_by_what_is_wrong() {
    let scene = Scene::open().await;
    let (gone, later) = (scene.hire("gone"), scene.hire("later"));
    scene.look().await;
    scene.api.forms().remove(&scene.form, &gone).unwrap();
    scene.settle(&gone, State::Created).await;
    scene.pass(1).await;
    assert_eq!((scene.written("gone"), scene.row(&gone).await.unwrap().untold), (1, false));
    // The key may not write: a person has to change that.
    scene.api.fail(Fault::new(Trouble::Code(17054)).on(Interface::DataUpdate));
    scene.settle(&later, State::Created).await;
    scene.pass(1).await;
    scene.pass(1).await;
    assert_eq!((scene.written("postponed"), scene.row(&later).await.unwrap().untold), (1, true));
    // Whoever comes meanwhile does not wait for that.
    let next = scene.hire("next");
    scene.hint(&next).await;
    scene.pass(3).await;
    assert_eq!(scene.state(&next).await, Some(State::Sent));
    scene.api.heal();
    scene.pass(120).await;
    assert_eq!(scene.status(&later).as_deref(), Some("created"));
    scene.end().await;
}

#[tokio::test]
async fn who_waits_too_long_for_a_department_is_told_so_once() {
    let scene = Scene::open().await;
    let id = scene.enter("zhang", "13800138000");
    scene.edit(&id, json!({"_widget_1003": "[9]"}));
    scene.approve(&id);
    scene.look().await;
    assert_eq!((scene.state(&id).await, scene.version(&id).await), (Some(State::Sent), 0), "it waits");
    scene.pass(86_401).await;
    eventually("it is given up on", async || scene.state(&id).await, |state| *state == Some(State::Failed)).await;
    scene.pass(1).await;
    assert!(scene.status(&id).unwrap().starts_with("rejected: department"), "{:?}", scene.status(&id));
    for _ in 0..3 {
        scene.poll().await;
    }
    assert_eq!((scene.calls(Interface::DataUpdate), scene.counted("sent")), (1, 1), "our answer makes nothing new");
    assert_eq!(scene.state(&id).await, Some(State::Failed));
    scene.end().await;
}
