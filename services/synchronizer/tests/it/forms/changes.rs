//! What becomes of a record after it was asked for.

use serde_json::{Value, json};
use store::form_records::State;

use super::scene::Scene;

#[tokio::test]
async fn a_record_that_is_changed_after_its_member_was_made_makes_nobody() {
    let scene = Scene::open().await;
    let id = scene.hire("zhang");
    scene.look().await;
    let version = scene.version(&id).await;
    scene.settle(&id, State::Created).await;
    scene.pass(1).await;
    scene.edit(&id, json!({"_widget_1005": "zhang2"}));
    for _ in 0..3 {
        scene.poll().await;
    }
    assert_eq!(scene.version(&id).await, version, "one request was sent, and no other");
    assert_eq!((scene.state(&id).await, scene.counted("changed")), (Some(State::Created), 1));
    scene.end().await;
}

#[tokio::test]
async fn a_corrected_record_is_sent_again_after_it_failed_and_not_before() {
    let scene = Scene::open().await;
    let id = scene.hire("taken");
    scene.look().await;
    let version = scene.version(&id).await;
    scene.settle(&id, State::Failed).await;
    for _ in 0..2 {
        scene.poll().await;
    }
    assert_eq!(scene.version(&id).await, version, "it is as it was");
    scene.edit(&id, json!({"_widget_1005": "free"}));
    scene.poll().await;
    assert!(scene.version(&id).await > version);
    assert_eq!(
        (scene.sent().await, scene.state(&id).await),
        (vec![(id.clone(), "free".to_owned())], Some(State::Sent))
    );
    scene.end().await;
}

#[tokio::test]
async fn a_record_that_was_corrected_while_it_was_on_its_way_is_sent_again_when_it_fails() {
    let scene = Scene::open().await;
    let id = scene.hire("taken");
    scene.look().await;
    let version = scene.version(&id).await;
    scene.pass(1).await;
    scene.edit(&id, json!({"_widget_1005": "free"}));
    scene.poll().await;
    assert_eq!((scene.version(&id).await, scene.counted("changed")), (version, 1));
    scene.settle(&id, State::Failed).await;
    scene.poll().await;
    assert!(scene.version(&id).await > version);
    assert_eq!(scene.state(&id).await, Some(State::Sent));
    scene.end().await;
}

#[tokio::test]
async fn a_refused_record_is_sent_when_it_is_corrected_or_the_mapping_is() {
    let scene = Scene::open().await;
    let ids = ["one", "two"].map(|userid| {
        let id = scene.enter(userid, "021-66668888");
        scene.approve(&id);
        id
    });
    scene.look().await;
    assert_eq!((scene.state(&ids[0]).await, scene.sent().await.len()), (Some(State::Refused), 0));
    scene.pass(1).await;
    scene.edit(&ids[0], json!({"_widget_1002": "13800138000"}));
    scene.poll().await;
    assert_eq!(scene.sent().await, [(ids[0].clone(), "one".to_owned())]);
    // From now on another number takes the place of one that is none; nobody waits for the next poll.
    scene.stage.clock.advance_seconds(5);
    let default = |mapping: &mut Value| {
        mapping["request"][2]["on_invalid"] = json!("default");
        mapping["request"][2]["default"] = json!("13700137000");
    };
    scene.remap(default).await;
    scene.look().await;
    let mut sent: Vec<String> = scene.sent().await.into_iter().map(|(_, userid)| userid).collect();
    sent.sort();
    assert_eq!(sent, ["one", "two"]);
    scene.end().await;
}
